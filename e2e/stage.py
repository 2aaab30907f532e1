"""A policy in force, made through the services; the running workers bring it to its schools."""

from __future__ import annotations

from dataclasses import dataclass

from tests.world import Place, Someone, World
from trustportal.acceptance import services as acceptance
from trustportal.access import Role
from trustportal.policies import queries
from trustportal.policies.domain.approval import VoteChoice
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Tree, Weight
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.services import approvals, drafts, publishing
from trustportal.times import now, today

TREE: Tree = (
    Clause("keys", None, Kind.SECTION, "Keys"),
    Clause(
        "count", "keys", Kind.CLAUSE, "", "Keys of {{school.name}} are counted every Friday.", Mode.ADAPTABLE
    ),
    Clause("lend", "keys", Kind.CLAUSE, "", "Nobody lends a key to somebody else.", Mode.LOCKED),
    Clause("lost", None, Kind.SECTION, "Lost keys"),
    Clause(
        "tell", "lost", Kind.CLAUSE, "", "Whoever loses a key tells the office on the same day.", Mode.EXTEND
    ),
)
NEW_WORDS = "Whoever loses a key tells the office within the hour."


@dataclass
class Stage:
    """A trust with one school, its people, and the policy of its keys."""

    world: World
    school: Place
    head: Someone
    trustees: list[Someone]
    staff: list[Someone]
    slug: str = "keys-policy"

    def url(self, path: str = "") -> str:
        """An address below the policy at the school."""
        return self.world.url(
            f"schools/{self.school.slug}/policies/{self.slug}" + (f"/{path}" if path else "")
        )


def set_stage(world: World) -> Stage:
    """The policy is published, everybody is asked to sign, and its second version waits for the trustees."""
    school = world.school("Hollybush")
    stage = Stage(
        world,
        school,
        head=world.person("Hattie Holm", (Role.HEADTEACHER, school)),
        trustees=[world.person(name, Role.TRUSTEE) for name in ("Tom Till", "Tilda Tull")],
        staff=[world.person(name, (Role.STAFF, school)) for name in ("Stella Stone", "Stan Stead")],
    )
    with world.acting(world.manager) as actor:
        version = drafts.create_policy(
            actor,
            header=PolicyHeader(
                title="Keys policy",
                organisation=world.name,
                person_responsible="Site manager",
                approving_body="Trust board",
            ),
            numbering=NumberingStyle.DECIMAL,
            tree=TREE,
            now=now(),
        )
        run = approvals.submit_version(
            actor, version_id=version.id, reason="So that no key is lost.", marks={}, now=now()
        )
    for trustee in stage.trustees:
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
    with world.acting(world.manager) as actor:
        publishing.publish_version(
            actor, version_id=version.id, effective_on=today(), now=now(), today=today()
        )
    with world.acting(world.manager) as actor:
        suggested = acceptance.suggest_campaign(actor, today=today())
        acceptance.open_campaign(
            actor, **{**suggested, "policy_ids": [version.policy_id]}, now=now(), today=today()
        )
    with world.acting(world.manager) as actor:
        second = drafts.start_draft(actor, policy_id=version.policy_id, now=now())
        stored = queries.get_draft_clause(second.id, "tell")
        drafts.change_clause(
            actor,
            version_id=second.id,
            key="tell",
            row_version=stored.row_version,
            heading="",
            text=NEW_WORDS,
            mode=Mode.EXTEND,
            needs_agreement=False,
            kind=Kind.CLAUSE,
            now=now(),
        )
        approvals.submit_version(
            actor,
            version_id=second.id,
            reason="A day is too long.",
            marks={"tell": Mark(Weight.MATERIAL, "A day is too long.")},
            now=now(),
        )
    return stage
