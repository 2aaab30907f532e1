"""Attacks, written as tests: each does what somebody hostile would, with a forged form or a role that is not enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from tests.integration.conftest import PortalClient
from tests.integration.meanwhile import meanwhile
from tests.integration.moments import database_name, moment
from tests.integration.policies.given import Social, run_quick_jobs
from tests.integration.policies.given import social as a_policy
from tests.world import Someone, World
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.policies import queries
from trustportal.policies.domain.approval import MinuteOutcome, VoteChoice
from trustportal.policies.domain.clauses import NumberingStyle
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.models import Override, TemplateVersion
from trustportal.policies.services import approvals, drafts, local
from trustportal.servers import Servers
from trustportal.tenants import sealing
from trustportal.tenants import services as tenants
from trustportal.tenants.models import Account
from trustportal.times import now, today

Clients = Callable[[Someone], PortalClient]
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>"
ATTACK = f"{MARKUP} [go](javascript:alert(1)) [d](data:text/html,x)"


@moment
def social(world: World) -> Social:
    """A policy in force at one school."""
    return a_policy(world)


def draft_with_header(social: Social, **changes: object) -> TemplateVersion:
    """The next version's draft, whose header somebody changed and nobody approved."""
    with social.world.acting(social.world.manager) as actor:
        version = drafts.start_draft(actor, policy_id=social.policy_id, now=now())
        header = replace(PolicyHeader.from_json(version.header), **changes)  # type: ignore[arg-type]
        drafts.change_header(
            actor,
            version_id=version.id,
            header_seen=drafts.header_mark(version),
            header=header,
            numbering=NumberingStyle.NONE,
            now=now(),
        )
    return version


# -- what nobody approved ----------------------------------------------------------------------------------------


def test_a_drafts_header_makes_nothing_public_before_it_is_approved(
    world: World, client: PortalClient
) -> None:
    hidden = a_policy(world, public=False)
    place = f"/p/{world.slug}/{hidden.school.slug}"
    assert client.get(f"{place}/policies/{hidden.slug}").status_code == 404

    draft_with_header(hidden, public=True, title="Nobody approved this title")

    assert client.get(f"{place}/policies/{hidden.slug}").status_code == 404
    assert client.get(f"{place}/policies/{hidden.slug}.pdf").status_code == 404
    assert hidden.slug not in client.get(f"{place}/").get_data(as_text=True)
    with world.looking():
        assert queries.get_policy(hidden.slug).title == "Social media policy"


def test_a_drafts_numbering_does_not_reach_editions_before_it_is_approved(
    social: Social, world: World
) -> None:
    draft_with_header(social)
    with world.acting(world.manager) as actor:
        tenants.change_trust(actor, name="Larkfield Trust", colour="#1f4b7a")
    run_quick_jobs(world)
    with world.looking():
        standing = queries.get_standing(social.policy_id, social.school.id)
        assert not standing.release_due
        latest = queries.find_latest_edition(social.policy_id, social.school.id)
        assert latest is not None
        assert any(clause["number"] for clause in latest.tree)


def test_a_header_takes_effect_when_its_version_is_published(social: Social, world: World) -> None:
    version = draft_with_header(social, public=False, title="Social media and phones")
    from tests.integration.policies.given import publish

    publish(world, social.trustees, version.id, {})
    with world.looking():
        policy = queries.get_policy(social.slug)
        assert (policy.title, policy.public, policy.numbering) == ("Social media and phones", False, "none")


def test_whoever_wrote_only_the_header_does_not_vote_on_it(social: Social, world: World) -> None:
    both = world.person("Wanda Writer", Role.TRUSTEE, Role.NETWORK_MANAGER)
    with world.acting(world.manager) as actor:
        version = drafts.start_draft(actor, policy_id=social.policy_id, now=now())
    with world.acting(both) as actor:
        header = replace(PolicyHeader.from_json(version.header), public=False)
        drafts.change_header(
            actor,
            version_id=version.id,
            header_seen=drafts.header_mark(version),
            header=header,
            numbering=NumberingStyle.DECIMAL,
            now=now(),
        )
    with world.acting(world.manager) as actor:
        run = approvals.submit_version(actor, version_id=version.id, reason="Asked.", marks={}, now=now())
        run_id, content_hash = run.id, run.content_hash
    with world.acting(both) as actor, pytest.raises(RuleBroken, match="wrote or submitted"):
        approvals.decide(
            actor,
            run_id=run_id,
            choice=VoteChoice.APPROVE,
            comment="",
            content_hash=content_hash,
            now=now(),
            today=today(),
        )


MINUTE = {
    "body": "Trust board",
    "minute_reference": "x",
    "quorum_met": "y",
    "outcome": "approved",
    "comment": "",
}


def test_the_clerk_cannot_minute_a_schools_own_changes(
    social: Social, world: World, client_for: Clients
) -> None:
    clerk = world.person("Clara Clerk", Role.CLERK)
    social.answer("administrators", "Every account has one administrator.")
    with world.acting(social.head) as actor:
        local.submit_edition(
            actor, policy_id=social.policy_id, school_id=social.school.id, reason="Ours.", now=now()
        )
    with world.looking():
        edition = queries.find_submitted_edition(social.policy_id, social.school.id)
        assert edition is not None
        run = queries.find_pending_run(edition_id=edition.id)
        assert run is not None
    mine = client_for(clerk)
    mine.strict = False
    address = world.url(f"approvals/{run.id}/minute")
    mine.get(address)
    day = {f"met_on-{part}": value for part, value in zip(("day", "month", "year"), "111", strict=True)}
    mine.post(address, data={**MINUTE, **day, "content_hash": run.content_hash})
    with world.acting(clerk) as actor, pytest.raises(RuleBroken, match="not by a minute"):
        approvals.minute(
            actor,
            run_id=run.id,
            body="Governing board",
            met_on=today(),
            minute_reference="7",
            quorum_met=True,
            outcome=MinuteOutcome.APPROVED,
            comment="",
            content_hash=run.content_hash,
            now=now(),
            today=today(),
        )
    with world.looking():
        found = queries.find_submitted_edition(social.policy_id, social.school.id)
        assert found is not None


def test_an_author_who_is_also_clerk_cannot_minute_an_approval(social: Social, world: World) -> None:
    both = world.person("Clara Both", Role.CLERK, Role.NETWORK_MANAGER)
    version = draft_with_header(social, title="Another title")
    with world.acting(both) as actor:
        run = approvals.submit_version(actor, version_id=version.id, reason="Mine.", marks={}, now=now())
        with pytest.raises(RuleBroken, match="wrote or submitted"):
            approvals.minute(
                actor,
                run_id=run.id,
                body="Trust board",
                met_on=today(),
                minute_reference="7",
                quorum_met=True,
                outcome=MinuteOutcome.APPROVED,
                comment="",
                content_hash=run.content_hash,
                now=now(),
                today=today(),
            )


@pytest.mark.parametrize(
    ("before", "after"),
    [("draft", "published"), ("draft", "approved"), ("submitted", "published")],
)
def test_the_database_refuses_a_version_that_skips_its_approval(
    social: Social, world: World, before: str, after: str
) -> None:
    version = draft_with_header(social, title="Another title")
    if before == "submitted":
        with world.acting(world.manager) as actor:
            approvals.submit_version(actor, version_id=version.id, reason="Asked.", marks={}, now=now())
    with world.looking(), pytest.raises(DatabaseError, match="submitted, then approved"), unit_of_work():
        db.session.execute(
            text("UPDATE template_version SET state = :state, number = 9 WHERE id = :id"),
            {"state": after, "id": version.id},
            execution_options={"unscoped_because": "an attack on one row"},
        )


def test_the_database_refuses_an_edition_that_is_decided_again(social: Social, world: World) -> None:
    social.answer("administrators", "Every account has one administrator.")
    with world.acting(social.head) as actor:
        edition = local.submit_edition(
            actor, policy_id=social.policy_id, school_id=social.school.id, reason="Ours.", now=now()
        )
        local.withdraw_edition(actor, policy_id=social.policy_id, school_id=social.school.id, now=now())
    with world.looking(), pytest.raises(DatabaseError, match="decided once"), unit_of_work():
        db.session.execute(
            text(
                "UPDATE edition SET state = 'approved', minor = 9, approved_at = now(), effective_on = now()"
                " WHERE id = :id"
            ),
            {"id": edition.id},
            execution_options={"unscoped_because": "an attack on one row"},
        )


# -- forged forms of a school ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "answer"),
    [("approval", "replace"), ("approval", "leave_out"), ("trips", "replace"), ("accounts", "leave_out")],
)
def test_a_forged_post_cannot_change_what_the_trust_locked(
    social: Social, world: World, client_for: Clients, key: str, answer: str
) -> None:
    head = client_for(social.head)
    head.strict = False
    head.get(social.url(f"clauses/{key}"))
    sent = {"answer": answer, "heading": "", "text": "Anybody may.", "reason": "r", "weight": "editorial"}
    assert head.post(social.url(f"clauses/{key}"), data={**sent, "row_version": "0"}).status_code == 422
    with world.looking():
        assert db.session.scalars(select(Override)).all() == []


def test_a_clause_after_a_locked_one_is_refused_and_so_is_one_after_it_in_a_chain(
    social: Social, world: World, client_for: Clients
) -> None:
    head = client_for(social.head)
    head.strict = False
    head.get(social.url("clauses"))
    sent = {"heading": "", "text": "Ours.", "reason": "r", "weight": "editorial", "row_version": "0"}
    assert head.post(social.url("clauses/approval/add"), data=sent).status_code == 422
    assert head.post(social.url("clauses/here-made-up/add"), data=sent).status_code == 404
    with world.looking():
        assert queries.list_added(social.policy_id, social.school.id) == []


def test_another_schools_head_and_a_head_of_yesterday_reach_nothing(
    social: Social, world: World, client_for: Clients
) -> None:
    elsewhere = world.person("Erin Elsewhere", (Role.HEADTEACHER, world.school("Birchwood")))
    gone = world.person(
        "Gus Gone", (Role.HEADTEACHER, social.school), (Role.STAFF, world.school("Cedar")), to_on=None
    )
    with world.acting(world.manager) as actor:
        from trustportal.tenants import queries as places

        held = [one for one in places.list_memberships(gone.id) if one.role == Role.HEADTEACHER]
        tenants.end_membership(
            actor, membership_id=held[0].id, to_on=today() - timedelta(days=1), today=today()
        )
    for person in (elsewhere, gone):
        mine = client_for(person)
        mine.strict = False
        for path in ("", "clauses", "clauses/administrators", "submit", "history", "editions/1.0.pdf"):
            assert mine.get(social.url(path)).status_code == 404, path
        for path in ("clauses/administrators", "submit", "withdraw", "discard", "release", "preview"):
            assert mine.post(social.url(path), data={"reason": "r", "text": "t"}).status_code == 404, path


def test_roles_in_two_trusts_stay_in_their_trusts(
    social: Social, world: World, other_world: World, client_for: Clients
) -> None:
    """A head of one trust who teaches in another is no head there."""
    theirs = a_policy(other_world)
    guest = other_world.person("Hana Head", (Role.STAFF, theirs.school), email=social.head.email)
    assert guest.account_id == social.head.account_id
    mine = client_for(social.head)
    mine.strict = False
    assert mine.get(social.url("clauses")).status_code == 200
    assert mine.get(theirs.url("clauses")).status_code == 403
    assert mine.post(theirs.url("submit"), data={"reason": "r"}).status_code == 403
    assert mine.get(other_world.url("people")).status_code == 403
    assert mine.get(world.url(f"people/{theirs.head.id}")).status_code == 404


# -- words that would be more than words -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "[call us](https://evil.example)",
        "{{role.headteacher}}",
        "[[approval]]",
        "<https://evil.example>",
        "**nobody**",
        "_nobody_",
        "a | b",
        "`x`",
        "x](https://evil.example) [y",
    ],
)
def test_words_that_fill_locked_clauses_are_plain(social: Social, world: World, value: str) -> None:
    with world.acting(world.manager) as actor:
        tenants.add_placeholder(actor, name="contact.lado", label="LADO")
    with world.acting(social.head) as actor:
        with pytest.raises(RuleBroken):
            tenants.fill_placeholders(
                actor, school_id=social.school.id, values={"contact.lado": value}, now=now()
            )
        with pytest.raises(RuleBroken):
            tenants.rename_roles(actor, school_id=social.school.id, labels={"headteacher": value})
    with world.acting(world.manager) as actor:
        with pytest.raises(RuleBroken):
            tenants.change_school(actor, school_id=social.school.id, name=value, short_name="Ashgrove")
        with pytest.raises(RuleBroken):
            tenants.change_trust(actor, name=value, colour="#1f4b7a")


@pytest.mark.parametrize(
    "value",
    [
        "office_lead@st-marys.school.example",
        "St Mary’s C of E (VA) Primary School & Nursery",
        "020 7946 0000, ext. 12",
        "https://larkfield.example/a_b",
        "Head of School [acting]",
    ],
)
def test_ordinary_words_fill_a_slot(social: Social, world: World, value: str) -> None:
    with world.acting(world.manager) as actor:
        tenants.add_placeholder(actor, name="contact.lado", label="LADO")
    with world.acting(social.head) as actor:
        assert tenants.fill_placeholders(
            actor, school_id=social.school.id, values={"contact.lado": value}, now=now()
        )


def test_markup_in_clauses_reasons_and_names_stays_words(
    social: Social, world: World, client_for: Clients, client: PortalClient
) -> None:
    head = client_for(social.head)
    social.answer("administrators", ATTACK, reason=ATTACK)
    pages = [head.get(social.url(path)) for path in ("clauses", "clauses/administrators")]
    # A link that leads nowhere is no edition's; tags are words like others.
    with pytest.raises(RuleBroken, match="leads nowhere"):
        social.submit_and_approve(reason=ATTACK)
    social.answer("administrators", MARKUP, reason=ATTACK, row_version=1)
    social.add("administrators", MARKUP, reason=ATTACK)
    social.submit_and_approve(reason=ATTACK)
    mallory = world.person(ATTACK, (Role.STAFF, social.school), email="mallory@larkfield.example")
    public = f"/p/{world.slug}/{social.school.slug}/policies/{social.slug}"
    pages += [
        head.get(social.url(path))
        for path in ("", "clauses", "clauses/administrators", "history", "compare", "editions/1.1")
    ]
    pages += [client.get(public), client_for(mallory).get(world.url()), head.get(world.url("people"))]
    for answer in pages:
        html = answer.get_data(as_text=True)
        assert answer.status_code == 200, answer.request.path
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert 'href="javascript' not in html
        assert 'href="data:text' not in html
        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]


# -- signing in --------------------------------------------------------------------------------------------------

PASSWORD = "three words together"


def with_password(world: World, person: Someone, password: str = PASSWORD) -> None:
    with world.app.app_context(), unit_of_work():
        account = db.session.scalars(select(Account).where(Account.id == person.account_id)).one()
        account.password, account.fs_uniquifier = sealing.hash_password(password), now().isoformat()


def test_who_was_half_way_with_an_old_password_cannot_set_up_an_authenticator(
    world: World, client: PortalClient
) -> None:
    """A stolen password is worthless from the moment at which its owner changes it, between the steps too."""
    head = world.person("Hana Head", (Role.HEADTEACHER, world.school("Birchwood")))
    with_password(world, head)
    client.get("/sign-in")
    client.post("/sign-in", data={"email": head.email, "password": PASSWORD})
    assert client.get("/second-factor").status_code == 200
    with_password(world, head, "another three words")
    answer = client.get("/second-factor")
    assert (answer.status_code, answer.headers.get("Location")) == (303, "/sign-in")


@pytest.mark.parametrize(
    "target",
    [
        "/\t/evil.example",
        "/\n/evil.example",
        "/%5cevil.example",
        "///evil.example",
        "/\\/evil.example",
        "\\\\evil",
        "/account\r\nSet-Cookie: portal=mine",
    ],
)
def test_next_never_leads_out(world: World, client: PortalClient, target: str) -> None:
    staff = world.person("Sam Staff", (Role.STAFF, world.school("Ashgrove")))
    with_password(world, staff)
    client.get("/sign-in", query_string={"next": target})
    answer = client.post("/sign-in", data={"email": staff.email, "password": PASSWORD})
    where = answer.headers["Location"]
    assert answer.status_code == 303
    assert where == "/" or where.startswith("/%5cevil"), where
    assert "mine" not in str(answer.headers.getlist("Set-Cookie"))


def test_the_same_sent_twice_at_once_is_taken_once(
    world: World, servers: Servers, client_for: Clients
) -> None:
    """Two presses in one moment both find nothing there; the second is told so, and sees no error of ours."""
    school = world.school("Ashgrove")
    head, staff = (
        world.person("Hana Head", (Role.HEADTEACHER, school)),
        world.person("Sam", (Role.STAFF, school)),
    )
    browser = client_for(head)
    ids = {"id": uuid4(), "trust": world.trust_id, "school": school.id, "person": staff.id, "head": head.id}
    address = world.url(f"acceptance/people/{staff.id}/line-manager")
    answers: list[int] = []
    with psycopg.connect(servers.superuser_url(database_name())) as other:
        other.execute(
            "INSERT INTO line_management (id, trust_id, school_id, person_id, manager_id)"
            " VALUES (%(id)s, %(trust)s, %(school)s, %(person)s, %(head)s)",
            ids,
        )
        sent = {"place": school.slug, "manager": str(head.id)}
        with meanwhile(servers, lambda: answers.append(browser.post(address, data=sent).status_code)):
            other.commit()
    assert answers == [409]


def test_null_characters_break_nothing(social: Social, world: World, client_for: Clients) -> None:
    """PostgreSQL refuses them; what else was sent is taken."""
    manager = client_for(world.manager)
    public = f"/p/{world.slug}/{social.school.slug}/"
    assert manager.get(f"{public}?q=a%00b").status_code == 200
    assert manager.post("/reset-password", data={"email": "a\0b@larkfield.example"}).status_code in {200, 422}
    manager.strict = False
    for path in (f"{public}policies/a%00b", world.url("schools/a%00b"), f"/t/{world.slug}%00/"):
        assert manager.get(path).status_code == 404, path
    asked = {"place": "trust", "with_cases": "no", "reason": "We \0move to another portal."}
    assert manager.post(world.url("settings/archives"), data=asked).status_code == 303
    assert "We move to another portal." in manager.get(world.url("settings/archives")).get_data(as_text=True)


def test_links_in_mail_do_not_follow_the_host_header(world: World, client: PortalClient, postbox) -> None:  # type: ignore[no-untyped-def]
    staff = world.person("Sam Staff", (Role.STAFF, world.school("Ashgrove")))
    with_password(world, staff)
    forged = {"base_url": "http://evil.example", "headers": {"X-Forwarded-Host": "evil.example"}}
    client.get("/reset-password", **forged)
    assert client.post("/reset-password", data={"email": staff.email}, **forged).status_code == 200
    world.run_jobs()
    body = str(postbox.to(staff.email or "")[-1].get_body(("plain",)).get_content())
    assert "http://portal.example/reset-password/" in body
    assert "evil" not in body


def test_posts_from_elsewhere_are_refused(social: Social, client_for: Clients) -> None:
    head = client_for(social.head)
    head.strict = False
    head.get(social.url("clauses"))
    for site in ("cross-site", "same-site"):
        answer = head.post(social.url("discard"), headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403
    head.csrf = ""
    assert head.post(social.url("discard")).status_code == 422


def test_demonstration_pages_are_not_there(world: World, client: PortalClient) -> None:
    client.strict = False
    client.get("/sign-in")
    assert client.get("/demo/mailbox").status_code == 404
    assert client.post("/demo/sign-in", data={"account": str(world.manager.account_id)}).status_code == 404


# -- what others might keep --------------------------------------------------------------------------------------


def test_a_public_page_made_for_somebody_signed_in_is_kept_by_no_cache(
    social: Social, world: World, client_for: Clients, client: PortalClient
) -> None:
    """The message that waits for its owner would otherwise be served to whoever comes next."""
    public = f"/p/{world.slug}/{social.school.slug}/policies/{social.slug}"
    head = client_for(social.head)
    head.get(social.url("clauses"))
    head.post(social.url("discard"))
    answer = head.get(public)
    assert "discarded" in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert client.get(public).headers["Cache-Control"].startswith("public")


def test_a_database_error_names_no_values(world: World) -> None:
    with world.looking(), pytest.raises(DatabaseError) as caught, unit_of_work():
        db.session.execute(
            text("SELECT 1 / 0 WHERE :email = :email"),
            {"email": "somebody@larkfield.example"},
            execution_options={"unscoped_because": "a statement that fails"},
        )
    assert "somebody@larkfield.example" not in str(caught.value)
