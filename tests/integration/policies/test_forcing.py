"""The deadline of a reconcile: reminders by the clock, moving it, and the trust's text after it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.integration.moments import moment
from tests.integration.policies.given import Social, run_quick_jobs
from tests.integration.policies.several import approved_version, edition_of, publish_now
from trustportal.db import db, unit_of_work
from trustportal.errors import Forbidden, RuleBroken
from trustportal.jobs import Event
from trustportal.kernel_models import AuditEvent
from trustportal.mail import Notice
from trustportal.policies import queries, reading
from trustportal.policies.domain.clauses import Mode
from trustportal.policies.domain.plan import Choice
from trustportal.policies.domain.reconcile import Decision
from trustportal.policies.models import Reconcile
from trustportal.policies.services import local, reconciling
from trustportal.times import now, today

NEW = "Every account has at least two administrators, of whom one belongs to the leadership team."
OURS = "Every account has at least two administrators, and one is the business manager."
WHY = "The law asks for it from this term on."


@moment
def conflicted(at_ashgrove: Social) -> Social:
    at_ashgrove.answer("administrators", OURS)
    at_ashgrove.answer("societies", "We have no sixth form.")
    at_ashgrove.submit_and_approve()
    at_ashgrove.next_version({"administrators": NEW}, decide_by=today() + timedelta(days=9))
    return at_ashgrove


def force(one: Social, *, days: int, reason: str = WHY) -> None:
    """The network manager takes the trust's text so many days from now."""
    with one.world.acting(one.world.manager) as actor:
        reconciling.force(
            actor,
            policy_id=one.policy_id,
            school_id=one.school.id,
            reason=reason,
            now=now(),
            today=today() + timedelta(days=days),
        )
    run_quick_jobs(one.world)


def told(one: Social, person) -> list[str]:
    """The subjects of what a person was told."""
    with one.world.looking():
        return list(db.session.scalars(select(Notice.subject).where(Notice.person_id == person.id)))


def pass_deadline(one: Social) -> None:
    """As if the day had passed."""
    with one.world.looking(), unit_of_work():
        reconcile = db.session.scalars(select(Reconcile).where(Reconcile.state == "open")).one()
        reconcile.due_on = today() - timedelta(days=1)


def remind(one: Social, days: int) -> None:
    """The clock's slot of a day."""
    with one.world.looking(), unit_of_work() as uow:
        uow.announce(Event.REMINDERS_DUE, slot=(today() + timedelta(days=days)).isoformat())
    run_quick_jobs(one.world)


def test_nothing_is_forced_before_the_deadline_or_by_somebody_else(conflicted: Social):
    for days in (0, 9):
        with pytest.raises(RuleBroken, match="has until"):
            force(conflicted, days=days)
    with pytest.raises(RuleBroken, match="Say why"):
        force(conflicted, days=10, reason=" ")
    with conflicted.world.acting(conflicted.head) as actor, pytest.raises(Forbidden):
        reconciling.force(
            actor,
            policy_id=conflicted.policy_id,
            school_id=conflicted.school.id,
            reason=WHY,
            now=now(),
            today=today() + timedelta(days=30),
        )
    edition = edition_of(conflicted)
    assert edition is not None
    assert edition.major == 1


def test_forcing_takes_the_trusts_words_and_nothing_else(conflicted: Social):
    before = edition_of(conflicted)
    assert before is not None
    force(conflicted, days=10)
    with conflicted.world.looking():
        edition = queries.find_latest_edition(conflicted.policy_id, conflicted.school.id)
        assert edition is not None
        said = {one.key: one.text for one in reading.clauses_of(edition)}
        # It holds from today on, not from the day on which the version took effect.
        assert edition.effective_on == today() + timedelta(days=10)
        assert edition.approvals[-1]["method"] == "forced after the deadline"
        assert WHY in edition.reason
        old = queries.get_edition(before.id)
        assert {one.key: one.text for one in reading.clauses_of(old)}["administrators"] == OURS
        assert (old.content_hash, old.effective_on) == (before.content_hash, before.effective_on)
        actions = list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.position)))
        working = queries.list_overrides(conflicted.policy_id, conflicted.school.id)
    assert reading.edition_label(edition) == "2.1"
    assert said["administrators"] == NEW
    assert said["societies"] == "We have no sixth form."
    assert "reconcile.forced" in actions
    assert [row.clause_key for row in working] == ["societies"]
    for person in (conflicted.head, conflicted.chair):
        assert any("the trust's text is in force" in subject for subject in told(conflicted, person))
    with pytest.raises(RuleBroken, match="already"):
        force(conflicted, days=11)


def test_what_was_decided_and_never_approved_does_not_hold_the_trust_up(conflicted: Social):
    with conflicted.world.acting(conflicted.head) as actor:
        reconciling.decide_clause(
            actor,
            policy_id=conflicted.policy_id,
            school_id=conflicted.school.id,
            key="administrators",
            decision=Decision(Choice.KEEP_OURS),
            row_version=1,
            now=now(),
        )
        reconciling.finish(actor, policy_id=conflicted.policy_id, school_id=conflicted.school.id, now=now())
    with conflicted.world.acting(conflicted.head) as actor:
        local.submit_edition(
            actor,
            policy_id=conflicted.policy_id,
            school_id=conflicted.school.id,
            reason="We keep ours.",
            now=now(),
        )
    force(conflicted, days=10)
    with conflicted.world.looking():
        edition = queries.find_latest_edition(conflicted.policy_id, conflicted.school.id)
        assert edition is not None
        assert {one.key: one.text for one in reading.clauses_of(edition)}["administrators"] == NEW
        # What the head had decided is not lost: it can be sent again as the school's next edition.
        working = {
            row.clause_key: row.text
            for row in queries.list_overrides(conflicted.policy_id, conflicted.school.id)
        }
        assert working["administrators"] == OURS
        assert queries.find_submitted_edition(conflicted.policy_id, conflicted.school.id) is None


def test_the_clock_reminds_the_head_once_a_day_and_says_when_it_is_late(conflicted: Social):
    def reminders() -> int:
        return sum("still to decide" in subject for subject in told(conflicted, conflicted.head))

    remind(conflicted, 1)
    assert reminders() == 0
    remind(conflicted, 3)
    assert reminders() == 1
    remind(conflicted, 3)
    assert reminders() == 1
    remind(conflicted, 16)
    with conflicted.world.looking():
        bodies = list(db.session.scalars(select(Notice.body).where(Notice.person_id == conflicted.head.id)))
    assert any("7 days ago" in body for body in bodies)


def test_moving_the_deadline_tells_the_heads_and_locks_forcing_again(conflicted: Social, client_for):
    world = conflicted.world
    pass_deadline(conflicted)
    client = client_for(world.manager)
    publication = world.url(f"policies/{conflicted.slug}/publication")
    assert "Passed" in client.get(publication).text
    home = client.get(world.url()).text
    assert "See who has not decided about the social media policy" in home
    assert "has passed at 1 school" in home
    past = today() - timedelta(days=1)
    refused = client.post(
        f"{publication}/deadline",
        data={"due_on": [str(past.day), str(past.month), str(past.year)]},
    )
    assert refused.status_code == 422
    assert "has passed" in refused.text
    later = today() + timedelta(days=12)
    moved = client.post(
        f"{publication}/deadline",
        data={"due_on": [str(later.day), str(later.month), str(later.year)]},
    )
    assert moved.status_code == 303
    run_quick_jobs(world)
    assert any("decide by" in subject for subject in told(conflicted, conflicted.head))
    force_page = f"{publication}/force/{conflicted.school.slug}"
    assert "Only after that day" in client.get(force_page).text
    assert client.post(force_page, data={"reason": WHY}).status_code == 422


def test_forcing_on_the_page_and_what_the_school_sees(conflicted: Social, client_for):
    world = conflicted.world
    pass_deadline(conflicted)
    client = client_for(world.manager)
    publication = world.url(f"policies/{conflicted.slug}/publication")
    force_page = f"{publication}/force/{conflicted.school.slug}"
    assert force_page in client.get(publication).text
    assert "2.2 Administrators" in client.get(force_page).text
    assert client.post(force_page, data={"reason": ""}).status_code == 422
    done = client.post(force_page, data={"reason": WHY})
    assert done.status_code == 303
    assert "Who is still deciding" not in client.get(publication).text
    head = client_for(conflicted.head)
    assert "forced after the deadline" in head.get(conflicted.url("history")).text
    assert WHY in head.get(conflicted.url("history")).text
    assert NEW in head.get(conflicted.url()).text
    assert head.get(force_page).status_code == 403
    assert client.get(f"{publication}/force/nowhere").status_code == 404


def test_a_newer_version_replaces_what_is_open_and_keeps_decisions_about_the_same_words(conflicted: Social):
    with conflicted.world.acting(conflicted.head) as actor:
        reconciling.decide_clause(
            actor,
            policy_id=conflicted.policy_id,
            school_id=conflicted.school.id,
            key="administrators",
            decision=Decision(Choice.WRITE, text="Three administrators, one of them a leader."),
            row_version=1,
            now=now(),
        )
    conflicted.next_version({"societies": "Societies ask the head first."}, decide_by=today())
    with conflicted.world.looking():
        opened = queries.find_open_reconcile(conflicted.policy_id, conflicted.school.id)
        assert opened is not None
        rows = {row.clause_key: row for row in queries.reconcile_clauses(opened.id)}
        latest = queries.find_latest_version(conflicted.policy_id)
    assert latest is not None
    assert opened.to_version_id == latest.id
    assert opened.due_on == today()
    assert rows["administrators"].choice == "write"
    assert rows["administrators"].written_text == "Three administrators, one of them a leader."
    assert rows["administrators"].decided_by == conflicted.head.id
    assert rows["societies"].choice is None


def test_what_ends_by_itself_is_kept_and_told(at_ashgrove: Social, client_for):
    at_ashgrove.answer("administrators", OURS)  # never sent
    version_id = approved_version(at_ashgrove, {}, modes={"administrators": Mode.LOCKED})
    publish_now(at_ashgrove, version_id)
    assert any("one of your answers" in subject for subject in told(at_ashgrove, at_ashgrove.head))
    page = client_for(at_ashgrove.head).get(at_ashgrove.url("history")).text
    assert "Answers that ended by themselves" in page
    assert "one is the business manager" in page
    assert "The trust has locked this clause" in page
