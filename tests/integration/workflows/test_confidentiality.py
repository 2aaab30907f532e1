"""Who does not take part in a case finds nothing of it: asked of PostgreSQL with the web's role, past our filters."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select, text

from tests.integration.acceptance.authority import serving
from tests.integration.conftest import Postbox
from tests.integration.sweeps.catalogue import declared
from tests.integration.workflows.allegation_world import WORDS, Trust
from tests.integration.workflows.conftest import Office
from tests.world import Someone
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.errors import NotFound
from trustportal.kernel_models import Mail, Notice, Outbox
from trustportal.mail import notify
from trustportal.protection import OF_THE_WEB, Reach
from trustportal.servers import DatabaseUrls
from trustportal.times import now, today
from trustportal.workflows import chain
from trustportal.workflows.domain.engine import Given
from trustportal.workflows.models import CaseSubject, TrustKey, WorkflowCase
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services import acting, anchoring, managing, reporting

TABLES = (
    "workflow_case", "case_participant", "case_task", "case_assignee", "case_deadline", "case_signature", "case_note",
    "case_document", "case_event", "case_event_payload", "case_head", "case_subject", "case_recusal",
    "case_anchor", "case_escalation",
)  # fmt: skip


class Bare:
    """A connection with the web's role, as a person, without the application."""

    def __init__(self, url: str, trust_id: UUID) -> None:
        self.connection = psycopg.connect(url)
        self.trust_id = trust_id

    def as_person(
        self, person_id: UUID | None, *, officer: bool = True, schools: tuple[UUID, ...] = ()
    ) -> Bare:
        self.connection.rollback()
        self.connection.execute(
            "SELECT set_config('app.trust_id', %s, true), set_config('app.person_id', %s, true),"
            " set_config('app.school_ids', %s, true), set_config('app.all_schools', %s, true)",
            [
                str(self.trust_id),
                str(person_id or ""),
                "{" + ",".join(map(str, schools)) + "}",
                "on" if officer else "off",
            ],
        )
        return self

    def everything(self) -> dict[str, tuple[int, str]]:
        """How many rows of each table there are to see, and a digest of all that stands in them."""
        found: dict[str, tuple[int, str]] = {}
        for table in declared().protected:
            ((count, digest),) = self.connection.execute(
                f"SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t"  # type: ignore[arg-type]
            ).fetchall()
            found[table] = (count, digest)
        return found

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for table in TABLES:
            (row,) = self.connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # type: ignore[arg-type]
            found[table] = row[0]
        return found


@pytest.fixture
def bare(office: Office, database: DatabaseUrls) -> Any:
    made = Bare(database.web, office.world.trust_id)
    yield made
    made.connection.close()


def whole_case(office: Office) -> UUID:
    """A case with a row in every table that a person could meet."""
    case_id = office.send()
    office.act(office.leader, case_id, "sign")
    with office.world.acting(office.teacher) as actor:
        acting.add_note(actor, case_id=case_id, text="Thank you.", now=now())
    office.act(office.head, case_id, "approve")
    with office.behind():
        assert anchoring.anchor(on=today(), now=now()) == 1
    return case_id


def test_the_database_itself_hides_a_case(office: Office, bare: Bare) -> None:
    whole_case(office)
    nothing = dict.fromkeys(TABLES, 0)
    for outsider in (office.world.manager, office.trustee, office.ceo, office.dsl, office.third):
        assert bare.as_person(outsider.id).counts() == nothing, outsider.name
    assert bare.as_person(None).counts() == nothing
    seen = bare.as_person(office.teacher.id, officer=False).counts()
    assert all(
        seen[table] for table in TABLES if table not in {"case_subject", "case_recusal", "case_escalation"}
    )


def test_no_row_of_any_table_tells_that_there_is_a_case(trust: Trust, database: DatabaseUrls) -> None:
    """Not notices, mails and what jobs have to do either, asked with raw SQL: for the person whom it is about, for the
    head of another school, and for everybody at the trust who has no part in it.
    """
    elsewhere = trust.world.school("Birchwood")
    other_head = trust.world.person("Olaf Other", (Role.HEADTEACHER, elsewhere))
    trust.world.run_jobs()
    bare = Bare(database.web, trust.world.trust_id)
    outside = {
        "the subject": (trust.third, False, (trust.school.id,)),
        "a colleague": (trust.colleague, False, (trust.school.id,)),
        "another head": (other_head, False, (elsewhere.id,)),
        "the network manager": (trust.world.manager, True, ()),
        "a trustee": (trust.trustee, True, ()),
        "the chief executive": (trust.ceo, True, ()),
        "the clerk": (trust.clerk, True, ()),
        "nobody": (Someone(None, "", None, None), True, ()),  # type: ignore[arg-type]
    }

    def looked() -> dict[str, dict[str, tuple[int, str]]]:
        return {
            who: bare.as_person(person.id, officer=officer, schools=schools).everything()
            for who, (person, officer, schools) in outside.items()
        }

    before = looked()
    with trust.world.acting(trust.teacher):
        for about in ([trust.third.id], [trust.third.id, trust.leader.id]):
            reporting.report(
                trust.teacher.id,
                school_id=trust.school.id,
                given={"about": [str(one) for one in about], "involved": "no", "what": WORDS, "capacity": "saw",
                       "no_images": True},
                may_be_named=set(about),
                now=now(),
            )  # fmt: skip
    trust.world.run_jobs()
    for case_id in trust.case_ids():
        with trust.world.acting(trust.head) as actor:
            acting.add_note(actor, case_id=case_id, text=WORDS, now=now())
            managing.add_subject(actor, case_id=case_id, person_id=trust.vice.id, reason="He too.", now=now())
        trust.world.run_jobs()
    assert len(trust.case_ids()) == 2
    after = looked()
    for who in outside:
        assert {table for table in before[who] if before[who][table] != after[who][table]} == set(), who
    # It is no empty proof: whoever has it is told, and the workers have had something to do.
    told = bare.as_person(trust.head.id, officer=False, schools=(trust.school.id,)).everything()
    assert min(told["notice"][0], told["mail"][0], told["workflow_case"][0]) > 0
    assert told["outbox"][0] == 0
    with trust.behind():
        assert db.session.scalars(select(func.count(Outbox.id)).where(Outbox.event == "case.route")).one() > 0
    bare.connection.close()


def test_what_others_are_told_is_taken_back_by_whoever_takes_part_alone(
    trust: Trust, database: DatabaseUrls
) -> None:
    case_id = trust.send()
    path = trust.case_url(case_id)
    with trust.behind(), unit_of_work():
        for one in (path, trust.world.url()):
            notify(trust.leader.id, subject="Something", body="Something.", path=one)
    bare = Bare(database.web, trust.world.trust_id)
    take = "SELECT withdraw_notices(%s, %s, %s)"
    for stranger in (trust.dsl, trust.world.manager):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="what others are told"):
            bare.as_person(stranger.id).connection.execute(
                take, [trust.world.trust_id, trust.leader.id, path]
            )
    bare.as_person(trust.teacher.id, officer=False).connection.execute(
        take, [trust.world.trust_id, trust.leader.id, path]
    )
    bare.connection.commit()
    bare.connection.close()
    with trust.behind():
        waiting = select(Notice.path).where(Notice.person_id == trust.leader.id, Notice.mail_id.is_(None))
        assert list(db.session.scalars(waiting)) == [trust.world.url()]


def test_the_web_can_let_nobody_in(office: Office, bare: Bare) -> None:
    """Not itself into another's case, not another into its own: only jobs do, after routing."""
    case_id = whole_case(office)
    for acting_as, let_in in ((office.dsl, office.dsl), (office.teacher, office.dsl)):
        bare.as_person(acting_as.id)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            bare.connection.execute(
                "INSERT INTO case_participant (id, trust_id, case_id, person_id, part, since_at)"
                " VALUES (%s, %s, %s, %s, 'acts', now())",
                [uuid4(), office.world.trust_id, case_id, let_in.id],
            )
    bare.as_person(office.dsl.id)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="chain of another case"):
        bare.connection.execute(
            "SELECT append_case_event(%s, %s, %s, 'note', NULL, %s, '', '')",
            [office.world.trust_id, case_id, uuid4(), '{"at": "2026-11-21T10:00:00+00:00"}'],
        )


def test_a_subject_loses_sight_with_the_row_that_names_them(office: Office, bare: Bare) -> None:
    case_id = office.send()
    assert bare.as_person(office.leader.id).counts()["workflow_case"] == 1
    with office.world.acting(office.teacher), unit_of_work():
        db.session.add(CaseSubject(id=uuid4(), case_id=case_id, person_id=office.leader.id, added_at=now()))
    assert bare.as_person(office.leader.id).counts() == dict.fromkeys(TABLES, 0)
    with office.world.acting(office.leader) as actor, pytest.raises(NotFound):
        acting.act(actor, case_id=case_id, action="sign", given=Given(confirmed=True), now=now())
    office.act(office.teacher, case_id, "withdraw")
    assert office.leader.id not in office.participants(case_id)


def test_what_people_wrote_lies_sealed(office: Office, database: DatabaseUrls) -> None:
    case_id = whole_case(office)
    with psycopg.connect(database.worker) as connection:
        connection.execute(
            "SELECT set_config('app.trust_id', %s, true), set_config('app.all_schools', 'on', true)",
            [str(office.world.trust_id)],
        )
        for table in (*TABLES, "case_intake", "outbox", "notice", "mail", "audit_event", "audit_payload"):
            rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()  # type: ignore[arg-type]
            for word in ("Parents see what we do", "Pictures of work", "Thank you."):
                assert not any(word in row[0] for row in rows), table
    case = office.case(case_id)
    assert case.values["aims"] == "Parents see what we do."
    with office.behind():
        key = db.session.scalars(select(TrustKey)).one()
        assert len(key.wrapped) == 12 + 32 + 16
        with pytest.raises(InvalidTag):
            Seal.of_trust().open(case.row.sealed, uuid4())


def test_jobs_and_the_trusts_own_chain_say_nothing_of_a_case(office: Office) -> None:
    with office.world.looking():
        before = _audit_length()
    case_id = office.send()
    office.act(office.leader, case_id, "sign")
    with office.world.looking():
        assert _audit_length() == before
        for row in db.session.scalars(select(Outbox)):
            for value in row.payload.values():
                assert value == "" or len(value) in {10, 36}, "ids and days only"
        for mail in db.session.scalars(select(Mail)):
            assert "Year 6" not in f"{mail.subject} {mail.body}"


def _audit_length() -> int:
    found = db.session.execute(
        text("SELECT count(*) FROM audit_event"),
        execution_options={"unscoped_because": "the test counts past the filters"},
    ).scalar()
    return int(found or 0)


def test_a_reference_says_nothing_about_how_many_there_are(office: Office) -> None:
    references = set()
    for _ in range(3):
        case = office.case(office.send())
        references.add(case.row.reference)
        assert not any(sign in case.row.reference for sign in "01OIl")
    assert len(references) == 3


def test_the_chain_of_a_case_is_whole_and_shows_a_change(office: Office, database: DatabaseUrls) -> None:
    case_id = whole_case(office)
    with office.behind():
        assert list(chain.verify(Seal.of_trust(), case_id)) == []
        happened = [one.action for one in chain.timeline(Seal.of_trust(), case_id)]
    assert happened[-1] == "begin"
    assert {"given", "sign", "note", "approve"} <= set(happened)


def test_where_the_chains_of_cases_stand_is_told_to_the_operator_alone(
    office: Office, database: DatabaseUrls, postbox: Postbox
) -> None:
    case_id = whole_case(office)
    settings = office.world.app.config["PORTAL"]
    with office.behind():
        assert anchoring.anchor(on=today() + timedelta(days=1), now=now()) == 0, "nothing has grown"
        assert list(anchoring.verify_anchors()) == []
        mails = db.session.scalars(select(func.count(Mail.id))).one()
        postbox.received.clear()
        assert not anchoring.tell_operator(on=today(), now=now(), settings=settings)
        told = replace(settings, operator_email="operator@host.example")
        assert anchoring.tell_operator(on=today(), now=now(), settings=told)
        assert db.session.scalars(select(func.count(Mail.id))).one() == mails, "the trust has no such mail"
    (message,) = postbox.received
    assert message["To"] == "operator@host.example"
    assert str(case_id) in message.get_content()
    # The last link is cut off, and the head with it: only the anchor knows.
    with psycopg.connect(database.migration) as connection:
        for table in ("case_event", "case_event_payload", "case_head"):
            connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cut = "position = (SELECT max(position) FROM case_event)"
        connection.execute(
            f"DELETE FROM case_event_payload WHERE event_id = (SELECT id FROM case_event WHERE {cut})"
        )
        assert connection.execute(f"DELETE FROM case_event WHERE {cut}").rowcount == 1
        for table in ("case_event", "case_event_payload", "case_head"):
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            connection.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    with office.behind():
        ((found, said),) = anchoring.verify_anchors()
        assert found == case_id
        assert "The chain was cut" in said


def test_the_chains_of_cases_are_stamped_together_and_a_rewritten_anchor_is_found(
    office: Office, database: DatabaseUrls, tmp_path: Path
) -> None:
    whole_case(office)
    plain = office.world.app.config["PORTAL"]
    tomorrow = today() + timedelta(days=1)
    with serving() as authority:
        roots = tmp_path / "roots.pem"
        roots.write_bytes(authority.roots)
        settings = replace(plain, timestamp_url=authority.url, timestamp_roots=roots)
        away = replace(plain, timestamp_url="http://127.0.0.1:9/", timestamp_roots=roots)
        with office.behind():
            assert not anchoring.stamp(on=today(), now=now(), settings=plain), "no authority is named"
            assert not anchoring.stamp(on=today(), now=now(), settings=away), "it does not answer"
            again = db.session.scalars(select(Outbox).where(Outbox.event == "cases.stamp_wanted")).all()
            assert [one.payload for one in again if one.not_before > now()] == [{"day": today().isoformat()}]
            assert anchoring.pending(today()) == today()
            assert anchoring.stamp(on=today(), now=now(), settings=settings)
            assert anchoring.pending(tomorrow) is None
            assert anchoring.stamp(on=tomorrow, now=now(), settings=settings)
        assert authority.asked == 1, "nothing has grown"
        other = office.send()
        with office.behind():
            assert anchoring.anchor(on=today(), now=now()) == 0, "a day that is stamped is closed"
            assert anchoring.anchor(on=tomorrow, now=now()) == 1
            assert anchoring.stamp(on=tomorrow, now=now(), settings=settings)
            assert authority.asked == 2
            assert list(anchoring.verify_stamps(settings)) == []
            assert ["cannot be checked" in said for said in anchoring.verify_stamps(plain)] == [True]
    # Whoever rewrites a chain and its anchors alike is found by the stamps of that day and of every later one.
    with psycopg.connect(database.migration) as connection:
        for table in ("case_anchor", "case_stamp"):
            connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        changed = "UPDATE case_anchor SET hash = sha256(hash) WHERE anchored_on = %s AND case_id <> %s"
        assert connection.execute(changed, [today(), other]).rowcount == 1
        for table in ("case_anchor", "case_stamp"):
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            connection.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    with office.behind():
        of_first, of_second = anchoring.verify_stamps(settings)
    assert of_first.startswith(f"The time stamp of {today().isoformat()} is not of these anchors")
    assert of_second.startswith(f"The time stamp of {tomorrow.isoformat()} is not of these anchors")


def test_every_case_table_is_hidden_from_the_web(office: Office) -> None:
    rules = declared().protected
    for table in TABLES:
        assert rules[table].reach in OF_THE_WEB, table
    assert rules["case_intake"].reach is Reach.OWN
    assert rules["tie"].reach is Reach.OWN
    assert rules["notice"].reach is rules["mail"].reach is Reach.TOLD
    assert rules["outbox"].reach is Reach.JOBS


def test_who_takes_part_sees_it_through_the_application_too(office: Office) -> None:
    case_id = office.send()

    def sees(person: Someone) -> bool:
        with office.world.acting(person):
            try:
                queries.get_case(case_id)
            except NotFound:
                return False
            return db.session.scalars(select(WorkflowCase.id)).all() == [case_id]

    assert all(sees(one) for one in (office.teacher, office.leader, office.head, office.office))
    assert not any(sees(one) for one in (office.dsl, office.ceo, office.chair, office.world.manager))
