"""What no other product has, in browsers: the effect before publishing, the map after it, deciding on a phone."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from e2e import journeys
from e2e.visitor import PHONE, Visitors, go_home, task
from tests.world import Someone, World
from trustportal.access import Role
from trustportal.policies import queries
from trustportal.policies.domain.answers import Answer
from trustportal.policies.domain.approval import VoteChoice
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Tree, Weight
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.services import approvals, drafts, local, publishing
from trustportal.times import now, today

TREE: Tree = (
    Clause("trips", None, Kind.SECTION, "Going out"),
    Clause("ratio", "trips", Kind.CLAUSE, "Adults", "One adult goes with every ten pupils.", Mode.ADAPTABLE),
    Clause("coach", "trips", Kind.CLAUSE, "The coach", "The coach has belts.", Mode.LOCKED),
)
THEIRS = "One adult goes with every eight pupils."
OURS = "One adult goes with every **six** pupils."


def approve(world: World, trustees: list[Someone], version_id, marks) -> None:
    """Send a version to the trustees, who approve it."""
    with world.acting(world.manager) as actor:
        run = approvals.submit_version(
            actor, version_id=version_id, reason="Eight is safer.", marks=marks, now=now()
        )
    for trustee in trustees:
        with world.acting(trustee) as actor:
            approvals.decide(
                actor,
                run_id=run.id,
                choice=VoteChoice.APPROVE,
                comment="",
                content_hash=run.content_hash,
                now=now(),
                today=today(),
            )


def test_dry_run_publish_map_and_a_head_who_decides_on_a_phone(visitors: Visitors) -> None:
    world = visitors.portal.trust("Kettlewood Schools Trust")
    elm, oak = world.school("Elmfield"), world.school("Oakfield")
    head = world.person("Hettie Hollis", (Role.HEADTEACHER, oak))
    chair = world.person("Chris Chard", (Role.CHAIR_OF_GOVERNORS, oak))
    trustees = [world.person(name, Role.TRUSTEE) for name in ("Ted Toft", "Thea Thorne")]
    with world.acting(world.manager) as actor:
        first = drafts.create_policy(
            actor,
            header=PolicyHeader("Trips policy", approving_body="Trust board", person_responsible="Head"),
            numbering=NumberingStyle.DECIMAL,
            tree=TREE,
            now=now(),
        )
        policy_id, version_id = first.policy_id, first.id
    approve(world, trustees, version_id, {})
    with world.acting(world.manager) as actor:
        publishing.publish_version(
            actor, version_id=version_id, effective_on=today(), now=now(), today=today()
        )
    phone = visitors.of(head, width=PHONE)
    policy = world.url(f"schools/{oak.slug}/policies/trips-policy")
    phone.until(policy, lambda page: "Edition 1.1" in page.locator("main").inner_text())
    with world.acting(head) as actor:
        local.answer_clause(
            actor,
            policy_id=policy_id,
            school_id=oak.id,
            key="ratio",
            answer=Answer.REPLACE,
            heading=None,
            text=OURS,
            reason="Our pupils are small.",
            weight=Weight.MATERIAL,
            row_version=0,
            now=now(),
        )
    with world.acting(head) as actor:
        edition = local.submit_edition(
            actor, policy_id=policy_id, school_id=oak.id, reason="Small pupils.", now=now()
        )
        edition_id = edition.id
    with world.acting(chair) as actor:
        run = queries.find_pending_run(edition_id=edition_id)
        assert run is not None
        approvals.decide(
            actor,
            run_id=run.id,
            choice=VoteChoice.APPROVE,
            comment="",
            content_hash=run.content_hash,
            now=now(),
            today=today(),
        )
    with world.acting(world.manager) as actor:
        second = drafts.start_draft(actor, policy_id=policy_id, now=now())
        stored = queries.get_draft_clause(second.id, "ratio")
        drafts.change_clause(
            actor,
            version_id=second.id,
            key="ratio",
            row_version=stored.row_version,
            heading="Adults",
            text=THEIRS,
            mode=Mode.ADAPTABLE,
            needs_agreement=False,
            kind=Kind.CLAUSE,
            now=now(),
        )
    approve(world, trustees, second.id, {"ratio": Mark(Weight.MATERIAL, "Eight is safer.")})

    # The network manager sees what it will do, sets the days, publishes, and sees the same come true.
    manager = visitors.of(world.manager)
    go_home(manager, world)
    manager.follow(re.compile("^Publish"), within=task(manager, "Publish the new version"))
    expect(manager.page.locator("#outlook")).to_contain_text("Work it out again", timeout=60_000)
    manager.look().sees("1follows by itself", "1has to decide", "1.1 Adults")
    journeys.fill_day(manager, "Takes effect on", today())
    journeys.fill_day(manager, "Schools decide by", today() + timedelta(days=14))
    manager.shot("outlook")
    manager.press("Publish")
    expect(manager.page.locator("#publication")).to_contain_text("2 of 2 places", timeout=60_000)
    manager.open(world.url("policies/trips-policy/publication"))
    manager.sees("1follows by itself", "1has to decide", "Before publishing we expected", "Oakfield")
    manager.follow("Policies").follow("Trips policy").follow("Who follows, who differs")
    manager.page.get_by_role("link", name="Oakfield, 1.1: to decide").click()
    panel = manager.page.locator("#map-panel")
    expect(panel).to_contain_text("The head has not decided yet")
    expect(panel.locator("ins", has_text="eight")).to_be_visible()
    manager.look().shot("map")
    # A cell that follows opens too.
    manager.page.locator("tr[data-key=coach] td").first.click()
    expect(panel).to_contain_text("The school uses the trust’s text")
    assert elm.slug in manager.page.locator("thead").inner_html()

    # The head decides on her phone; the choice stays in reach while the texts scroll, and nothing is pushed.
    go_home(phone, world)
    phone.follow(re.compile("^Decide"), within=task(phone, "Decide one clause")).sees("Eight is safer.")
    expect(phone.page.locator(".three")).not_to_contain_text("**")
    choices = phone.page.locator(".choices")
    expect(choices.get_by_role("button", name=re.compile("^Keep ours"))).to_be_in_viewport()
    assert choices.locator(".btn:not(.btn--quiet):visible").count() == 0
    phone.shot("reconcile-phone")
    phone.press(re.compile("^Keep ours")).sees("All clauses are decided")
    phone.press("Finish").sees("Send our changes for approval")
    phone.fill("Why does your school make these changes?", "We keep six.")
    phone.press("Send for approval").sees("Sent for approval")
    manager.open(world.url("policies/trips-policy/publication")).sees("Decided; not yet approved")
