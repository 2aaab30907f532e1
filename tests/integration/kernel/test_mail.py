"""Mail: one for each person, *sending* before and *sent* after, and the same mail when it has to go again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from tests.integration.conftest import Postbox
from tests.integration.kernel.conftest import Bench, Connection
from tests.world import Someone, World
from trustportal import jobs
from trustportal.access import Role
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.kernel_models import Mail, Notice, Outbox
from trustportal.mail import notify, queue_mail, send_mail
from trustportal.times import now

NOBODY_LISTENS = "smtp://127.0.0.1:9"


@pytest.fixture
def ada(world: World) -> Someone:
    person = world.person("Ada Lovelace", Role.CEO)
    world.run_jobs()
    return person


def queue(world: World, person: Someone, subject: str = "Hello") -> UUID:
    assert person.email is not None
    with world.looking(), unit_of_work():
        return queue_mail(
            to_address=person.email,
            to_name=person.name,
            subject=subject,
            lines=[{"text": "Something happened.", "path": "/t/larkfield/", "link": "Look"}],
            person_id=person.id,
        )


def mail(world: World, mail_id: UUID) -> Mail:
    with world.looking():
        return db.session.query(Mail).filter_by(id=mail_id).one()


def row_of(world: World, mail_id: UUID) -> Outbox:
    with world.looking():
        return db.session.query(Outbox).filter(Outbox.payload["mail_id"].astext == str(mail_id)).one()


@pytest.fixture
def smtp_away(world: World, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nobody takes mail until `smtp_away.undo()`."""
    settings = replace(world.worker_app.config["PORTAL"], smtp_url=NOBODY_LISTENS)
    monkeypatch.setitem(world.worker_app.config, "PORTAL", settings)
    return monkeypatch


# -- one mail for each person ------------------------------------------------------------------------------------


def test_several_notices_to_one_person_are_one_mail(world: World, ada: Someone, postbox: Postbox) -> None:
    other = world.person("Grace Hopper", Role.TRUSTEE)
    world.run_jobs()
    postbox.received.clear()
    for subject in ("First", "Second", "Third"):
        with world.looking(), unit_of_work():
            notify(ada.id, subject=subject, body=f"{subject} thing.", path=f"/t/larkfield/{subject.lower()}")
            notify(other.id, subject="Only", body="Only thing.", path="/t/larkfield/only")
    world.run_jobs()
    assert [len(postbox.to(person.email or "")) for person in (ada, other)] == [1, 1]
    body = postbox.to(ada.email or "")[0].get_body(("plain",))
    assert body is not None
    words = body.get_content()
    assert [words.count(f"{subject} thing.") for subject in ("First", "Second", "Third")] == [1, 1, 1]
    assert "http://portal.example/t/larkfield/second" in words
    world.run_jobs()
    assert len(postbox.to(ada.email or "")) == 1


def test_notices_wait_to_be_gathered(
    world: World, ada: Someone, postbox: Postbox, monkeypatch: pytest.MonkeyPatch, superuser: Connection
) -> None:
    with monkeypatch.context() as patched:
        settings = replace(world.worker_app.config["PORTAL"], mail_batch_seconds=60)
        patched.setitem(world.worker_app.config, "PORTAL", settings)
        with world.looking(), unit_of_work():
            notify(ada.id, subject="Soon", body="Soon.", path="/t/larkfield/")
    world.run_jobs()
    assert postbox.to(ada.email or "") == []
    with world.looking():
        assert db.session.query(Notice).filter(Notice.mail_id.is_(None)).count() == 1
    superuser.execute("UPDATE outbox SET not_before = now() WHERE done_at IS NULL")
    world.run_jobs()
    assert [message["Subject"] for message in postbox.to(ada.email or "")] == ["Soon"]


def test_nothing_is_mailed_of_what_did_not_happen(world: World, ada: Someone, postbox: Postbox) -> None:
    def tell_and_break() -> None:
        with unit_of_work():
            notify(ada.id, subject="No", body="No.", path="/t/larkfield/")
            raise ZeroDivisionError

    with world.looking(), pytest.raises(ZeroDivisionError):
        tell_and_break()
    world.run_jobs()
    assert postbox.to(ada.email or "") == []


def test_who_has_no_address_is_told_nothing_and_holds_nothing_up(world: World, postbox: Postbox) -> None:
    person = world.person("Nobody Atall", Role.CEO, email=None)
    world.run_jobs()
    postbox.received.clear()
    with world.looking(), unit_of_work():
        notify(person.id, subject="Hello", body="Hello.", path="/t/larkfield/")
    world.run_jobs()
    assert postbox.received == []
    with world.looking():
        assert db.session.query(Outbox).filter(Outbox.done_at.is_(None)).count() == 0


# -- sending -----------------------------------------------------------------------------------------------------


def test_a_mail_is_queued_then_sent(world: World, ada: Someone, postbox: Postbox) -> None:
    mail_id = queue(world, ada)
    assert mail(world, mail_id).state == "queued"
    world.run_jobs()
    sent = mail(world, mail_id)
    assert sent.state == "sent"
    assert sent.sent_at is not None
    message = postbox.to(ada.email or "")[-1]
    assert message["Message-ID"] == sent.message_id == f"<{mail_id}@trustportal.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert {part.get_content_type() for part in message.walk()} >= {"text/plain", "text/html"}
    with world.worker_app.app_context():
        jobs.perform(str(row_of(world, mail_id).id), str(world.trust_id))
    assert len(postbox.to(ada.email or "")) == 1


def test_a_mail_that_may_have_gone_goes_again_as_the_same_mail(
    world: World, ada: Someone, postbox: Postbox, superuser: Connection
) -> None:
    """A worker that died between sending and noting it: at least once, and recognisable by its Message-ID."""
    mail_id = queue(world, ada)
    world.run_jobs()
    superuser.execute("UPDATE mail SET state = 'sending', sent_at = NULL")
    superuser.execute("UPDATE outbox SET done_at = NULL WHERE payload ->> 'mail_id' = %s", [str(mail_id)])
    world.run_jobs()
    first, second = postbox.to(ada.email or "")
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    assert mail(world, mail_id).state == "sent"


def test_a_mail_that_was_sent_is_not_sent_again_by_a_second_row(
    world: World, ada: Someone, postbox: Postbox
) -> None:
    mail_id = queue(world, ada)
    world.run_jobs()
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        send_mail(mail_id=str(mail_id))
    assert len(postbox.to(ada.email or "")) == 1


def test_mail_waits_for_a_server_that_is_away(
    world: World, ada: Someone, postbox: Postbox, bench: Bench, smtp_away: pytest.MonkeyPatch
) -> None:
    mail_id = queue(world, ada)
    row = row_of(world, mail_id)
    before = now()
    bench.perform(row.id)
    row = row_of(world, mail_id)
    assert (row.attempts, row.last_error) == (1, "ConnectionRefusedError")
    assert row.not_before > before + timedelta(seconds=1)
    assert mail(world, mail_id).state == "sending"
    smtp_away.undo()
    bench.perform(row.id)
    assert mail(world, mail_id).state == "sent"
    assert len(postbox.to(ada.email or "")) == 1


def test_a_mail_that_is_held_is_not_sent(
    world: World, ada: Someone, postbox: Postbox, superuser: Connection
) -> None:
    mail_id = queue(world, ada)
    superuser.execute("UPDATE mail SET state = 'held'")
    world.run_jobs()
    assert postbox.to(ada.email or "") == []
    assert mail(world, mail_id).state == "held"


def test_without_a_mail_server_it_stays_in_the_mailbox(
    world: World, ada: Someone, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(world.worker_app.config["PORTAL"], smtp_url="")
    monkeypatch.setitem(world.worker_app.config, "PORTAL", settings)
    mail_id = queue(world, ada)
    world.run_jobs()
    assert mail(world, mail_id).state == "sent"
    assert postbox.received == []


@pytest.mark.parametrize(
    "name", ["Ada\r\nBcc: everybody@example.org", 'Ada "the first" <x@example.org>', "Åsa Ødegård"]
)
def test_names_and_subjects_stay_inside_their_header(
    world: World, ada: Someone, postbox: Postbox, name: str
) -> None:
    assert ada.email is not None
    with world.looking(), unit_of_work():
        queue_mail(to_address=ada.email, to_name=name, subject=name, lines=[{"text": "Hello."}])
    with suppress(ValueError):  # a header with a line break is refused
        world.run_jobs()
    for message in postbox.received:
        assert message["Bcc"] is None
        assert ada.email in str(message["To"])
        assert [address.addr_spec for address in message["To"].addresses] == [ada.email]
