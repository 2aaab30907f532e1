"""What jobs were given, and what becomes of the trust when each of them runs a second time."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from tests.integration.sweeps.conftest import Estate
from trustportal import jobs
from trustportal.access import Role
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.kernel_models import Outbox

#: Jobs that tell somebody something would tell it twice: only their outbox row keeps them from it.
TELLS_AGAIN = {
    "acceptance.jobs.question_answered",
    "acceptance.jobs.question_asked",
    "policies.jobs.ask_approvers",
    "policies.jobs.tell_submitter",
    "policies.jobs.ask_about_own_policy",
    "policies.jobs.ask_head",
    "policies.jobs.tell_deadline",
    "policies.jobs.tell_ended",
    "policies.jobs.tell_forced",
    "policies.jobs.ask_for_comments",
    "policies.jobs.tell_of_comments",
    "policies.jobs.tell_of_ratification",
    "policies.jobs.tell_of_superseded_guidance",
}
MAILED = {"notice", "mail"}


def done(estate: Estate) -> list[Outbox]:
    """What was done in our trust."""
    with estate.ours.world.looking():
        return list(
            db.session.scalars(select(Outbox).where(Outbox.done_at.is_not(None)).order_by(Outbox.created_at))
        )


def test_jobs_are_given_ids_and_days_and_nothing_personal(estate: Estate) -> None:
    known = {None}
    for row in done(estate):
        for name, value in row.payload.items():
            assert isinstance(value, str)
            known.add(name)
            assert _is_id(value) or _is_day(value) or value in {"", "trust"}, f"{row.job}: {name}={value}"


def _is_id(value: str) -> bool:
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def test_every_job_ran(estate: Estate) -> None:
    ran = {row.job for row in done(estate)}
    documents = {name for name, registered in jobs.REGISTRY.items() if registered.queue == "documents"}
    assert set(jobs.REGISTRY) - ran - documents == set()


def test_ringing_again_for_what_is_done_changes_nothing(estate: Estate) -> None:
    before = estate.state()
    with estate.worker_app.app_context():
        for row in done(estate):
            jobs.perform(str(row.id), str(estate.ours.world.trust_id))
    assert estate.state() == before


def test_every_job_may_run_twice_without_harm(estate: Estate) -> None:
    """The function itself, past its outbox row, and whatever it announces: no more is made, asked, mailed, recorded."""
    estate.ours.world.run_jobs()
    before = estate.state()
    wrong: list[str] = []
    tried: set[tuple[str, str]] = set()
    for row in done(estate):
        if (row.job, str(row.payload)) in tried:
            continue
        tried.add((row.job, str(row.payload)))
        with estate.worker_app.app_context(), scope(Scope.job(estate.ours.world.trust_id)), unit_of_work():
            jobs.REGISTRY[row.job].function(**row.payload)
        estate.ours.world.run_jobs()
        if estate.unchanged(before):
            continue
        after = estate.state(before)
        changed = {table for table in after if after[table] != before[table]}
        if changed - {"outbox"} - (MAILED if row.job in TELLS_AGAIN else set()):
            wrong.append(f"{row.job} {row.payload}: {changed}")
        before, estate.touched = after, False
    assert len({job for job, _ in tried}) > 10
    assert not wrong, "\n" + "\n".join(wrong)


def test_the_sweeps_notice_what_an_application_commits(estate: Estate) -> None:
    """What the sweeps stand on: which tables a commit changed, and that a restored database is as before."""
    estate.keep()
    before = estate.state()
    assert estate.unchanged(before)
    estate.ours.world.person("Ned Newcomer", (Role.STAFF, estate.ours.ashgrove))
    assert not estate.unchanged(before)
    after = estate.state(before)
    assert after == estate.state()
    changed = {table for table in after if after[table] != before[table]}
    assert {"person", "membership", "account", "audit_event", "audit_payload", "outbox"} <= changed
    assert "edition" not in changed
    estate.restore()
    assert estate.unchanged(before)
    assert estate.state(before) == estate.state() == before
