"""The end of what is kept: nothing of it is left anywhere, and somebody can always decide about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select, update

from tests.integration.conftest import PortalClient, Postbox
from tests.integration.moments import database_name
from tests.integration.workflows.allegation_world import Trust
from tests.integration.workflows.conftest import Office
from tests.integration.workflows.meetings import Parents
from tests.world import Someone, World
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.kernel_models import AuditEvent
from trustportal.servers import DatabaseUrls, Servers
from trustportal.times import now, today
from trustportal.workflows import chain
from trustportal.workflows.allegation_models import DisposalAsk
from trustportal.workflows.models import Alarm, RegisterEntry, WorkflowCase
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services import acting, keeping

Clients = Callable[[Someone], PortalClient]
#: What is left of a case on purpose: its reference, the links of its chain, and who agreed that it went.
LEFT = {"workflow_case", "case_event", "case_head", "case_anchor", "disposal_ask"}


def time_has_come(office: Office, case_id: UUID) -> None:
    """It is to be kept until today, and the job of the day runs."""
    with office.behind(), unit_of_work():
        db.session.execute(update(WorkflowCase).where(WorkflowCase.id == case_id).values(keep_until=today()))
    swept(office)


def swept(office: Office) -> None:
    with office.behind():
        keeping.sweep(now=now())
    office.world.run_jobs()


def asked(office: Office, case_id: UUID) -> dict[str, UUID]:
    """Who is asked for which consent."""
    with office.behind():
        rows = select(DisposalAsk).where(DisposalAsk.case_id == case_id, DisposalAsk.ended_at.is_(None))
        return {one.seat: one.person_id for one in db.session.scalars(rows)}


def agreed(office: Office, case_id: UUID, client_for: Clients, *people: Someone) -> None:
    """Each of them agrees in the browser."""
    for person in people:
        with office.behind():
            ask_id = db.session.scalars(
                select(DisposalAsk.id).where(
                    DisposalAsk.case_id == case_id,
                    DisposalAsk.person_id == person.id,
                    DisposalAsk.ended_at.is_(None),
                )
            ).one()
        client = client_for(person)
        assert client.post(office.world.url(f"kept/{ask_id}"), data={"answer": "agree"}).status_code == 303
        office.world.run_jobs()


class Cellar:
    """The whole database, past row-level security."""

    def __init__(self, servers: Servers) -> None:
        self.connection = psycopg.connect(servers.superuser_url(database_name()), autocommit=True)

    def columns(self) -> list[tuple[str, str]]:
        return self.connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('text', 'character varying', 'jsonb', 'bytea', 'uuid')"
        ).fetchall()

    def of_case(self, case_id: UUID) -> tuple[set[bytes], set[str]]:
        """What is sealed in a case, and the ids of everything in it."""
        sealed: set[bytes] = set()
        ids = {str(case_id)}
        columns = self.columns()
        for table in {table for table, column in columns if column == "case_id"}:
            for name in [column for there, column in columns if there == table]:
                rows = self.connection.execute(
                    f'SELECT "{name}" FROM "{table}" WHERE case_id = %s',  # type: ignore[arg-type]
                    [case_id],
                ).fetchall()
                if name in {"sealed", "pdf"}:
                    sealed |= {bytes(row[0]) for row in rows if row[0]}
                if name == "id" and table not in LEFT:
                    ids |= {str(row[0]) for row in rows}
        rows = self.connection.execute("SELECT sealed FROM workflow_case WHERE id = %s", [case_id]).fetchall()
        return sealed | {bytes(row[0]) for row in rows}, ids

    def holding(self, words: set[bytes]) -> set[tuple[str, str]]:
        """The columns in which any of these stands."""
        found = set()
        for table, column in self.columns():
            for (value,) in self.connection.execute(
                f'SELECT CASE WHEN pg_typeof("{column}") = \'bytea\'::regtype THEN "{column}"::text::bytea'  # type: ignore[arg-type]
                f' ELSE convert_to("{column}"::text, \'UTF8\') END FROM "{table}" WHERE "{column}" IS NOT NULL'
            ).fetchall():
                text = bytes(value)
                if any(word in text or word.hex().encode() in text for word in words):
                    found.add((table, column))
        return found


@pytest.fixture
def cellar(servers: Servers, database: DatabaseUrls) -> Any:
    made = Cellar(servers)
    yield made
    made.connection.close()


@pytest.mark.usefixtures("smtp_server")
def test_nothing_of_a_case_is_left_anywhere(
    app: Flask, worker_app: Flask, client_for: Clients, cellar: Cellar
) -> None:
    """A meeting with a parent, held for advice, with letters as PDFs, notes, reminders, a calendar file."""
    parents = Parents(World(app, worker_app, name="Larkfield Academies Trust", slug="larkfield"))
    dpo = parents.world.person("Dora Protect", Role.DPO)
    case_id = parents.report(
        words="Quincunx the caretaker is a liar.",
        source="Mrs Zugzwang",
        parent_name="Ms P Fenwickle",
        parent_address="9 Zugzwang Row",
    )
    parents.invited(case_id, concern="About quincunxes.")
    parents.act(parents.head, case_id, "hold", hold_because=["police"])
    with parents.world.acting(parents.head) as actor:
        acting.add_note(actor, case_id=case_id, text="Zugzwang rang again.", now=now())
    parents.act(parents.head, case_id, "end_held")
    parents.world.run_jobs()
    assert parents.case(case_id).row.closed_at is not None
    sealed, ids = cellar.of_case(case_id)
    assert len(sealed) > 8, "answers, letters, PDFs, notes, why advice was sought, what happened"
    assert {table for table, _ in cellar.holding(sealed)} >= {"case_document", "case_hold", "case_note"}
    time_has_come(parents, case_id)
    assert asked(parents, case_id) == {"dpo": dpo.id, "chair": parents.board.id}
    agreed(parents, case_id, client_for, dpo, parents.board)
    with parents.behind():
        (row,) = db.session.scalars(select(WorkflowCase).where(WorkflowCase.id == case_id)).all()
        assert Seal.of_trust().open(row.sealed, row.id) == {}
        assert (row.starter_id, row.keep_until) == (None, None)
        assert list(chain.verify(Seal.of_trust(), case_id)) == []
    assert cellar.holding(sealed) == set()
    words = {word.encode() for word in ("Quincunx", "quincunx", "Zugzwang", "Fenwickle")}
    assert cellar.holding(words) == set()
    waiting = {("outbox", "payload")}  # of the disposal itself
    there = {place for place in cellar.holding({one.encode() for one in ids}) if place[0] not in LEFT}
    assert there - waiting == set()
    for person in (parents.head, parents.deputy):
        assert client_for(person).get(parents.world.url(f"cases/{case_id}")).status_code == 404


def test_a_request_is_kept_as_long_as_the_account_that_it_led_to(office: Office) -> None:
    office.world.person("Dora Protect", Role.DPO)
    office.world.person("Bea Board", Role.CHAIR_OF_TRUST_BOARD)
    case_id = office.send()
    office.approve(case_id)
    time_has_come(office, case_id)
    assert asked(office, case_id) == {}, "the account lives"
    with office.behind(), unit_of_work():
        closed = today().replace(year=today().year - 7, day=1)
        db.session.execute(
            update(RegisterEntry).values(closed_on=closed).where(RegisterEntry.id.is_not(None))
        )
    swept(office)
    assert set(asked(office, case_id)) == {"dpo", "chair"}


def test_where_the_chief_executive_leads_who_would_have_to_agree_somebody_stands_in(
    trust: Trust, client_for: Clients, postbox: Postbox
) -> None:
    """The data protection officer may not decide about a record that concerns the chief executive, who leads them."""
    board = client_for(trust.board)
    case_id = trust.report(client_for(trust.teacher), trust.ceo)
    trust.to_managing(board, case_id)
    trust.conclude(board, case_id, "malicious")
    postbox.received.clear()
    for _ in range(2):
        swept(trust)
    assert asked(trust, case_id) == {"chair": trust.board.id}
    with trust.behind():
        (alarm,) = db.session.scalars(select(Alarm)).all()
        assert (alarm.person_id, alarm.cleared_at) == (trust.clerk.id, None)
    (told,) = postbox.to(str(trust.clerk.email))
    assert told["Subject"] == "Something waits that nobody can receive"
    wanted = [
        one
        for one in postbox.to(str(trust.board.email))
        if "things" in one["Subject"] or "name" in one["Subject"]
    ]
    assert len(wanted) == 1
    assert not any(word in wanted[0].as_string() for word in ("Cem", "malicious", "corridor"))
    for other in (trust.dpo, trust.ceo, trust.hr):
        assert postbox.to(str(other.email)) == [], "whoever the chief executive leads hears nothing"

    # Only the chair (or vice-chair) of the trust board names somebody, never themself, nor who looks after the portal.
    url = trust.world.url("kept/stand-ins")
    for other in (trust.ceo, trust.dpo, trust.world.manager, trust.trustee, trust.clerk):
        answer = client_for(other).post(url, data={"person": str(trust.trustee.id), "reason": "Me."})
        assert answer.status_code == 403
    for wrong in (trust.board, trust.world.manager, trust.vice_board, trust.teacher):
        answer = board.post(url, data={"person": str(wrong.id), "reason": "They know the law."})
        assert answer.status_code == 422
        assert "Choose who stands in." in answer.get_data(as_text=True)
    assert board.post(url, data={"person": str(trust.trustee.id), "reason": ""}).status_code == 422
    # Somebody whom the chief executive leads can be named, and is passed over in this.
    for person in (trust.hr, trust.trustee):
        named = board.post(url, data={"person": str(person.id), "reason": "They know the law."})
        assert named.status_code == 303, named.get_data(as_text=True)
    trust.world.run_jobs()
    assert asked(trust, case_id) == {"chair": trust.board.id, "dpo": trust.trustee.id}
    with trust.behind():
        assert db.session.scalars(select(Alarm.cleared_at)).one() is not None
    page = board.get(trust.world.url("kept")).get_data(as_text=True)
    assert "Trudi Trustee" in page
    assert "Decide whether a confidential record goes" in client_for(trust.trustee).get(
        trust.world.url()
    ).get_data(as_text=True)
    # Whoever stands in no more, and still has the page open, agrees to nothing and sees no reference any more.
    trustee = client_for(trust.trustee)
    reference = trust.case(case_id).row.reference
    with trust.behind():
        ask_id = db.session.scalars(
            select(DisposalAsk.id).where(DisposalAsk.person_id == trust.trustee.id)
        ).one()
    assert reference in trustee.get(trust.world.url("kept")).get_data(as_text=True)
    for found in re.findall(r"/kept/stand-ins/[0-9a-f-]+/end", page):
        assert trustee.post(trust.world.url(found[1:])).status_code == 403
        assert board.post(trust.world.url(found[1:])).status_code == 303
    assert trustee.post(trust.world.url(f"kept/{ask_id}"), data={"answer": "agree"}).status_code == 404
    assert reference not in trustee.get(trust.world.url("kept")).get_data(as_text=True)
    board.post(url, data={"person": str(trust.trustee.id), "reason": "They know the law."})
    trust.world.run_jobs()
    # Whoever agreed, and turns out to be too close before the other answered, did not agree either.
    agreed(trust, case_id, client_for, trust.board)
    trust.tied(trust.board, trust.ceo)
    agreed(trust, case_id, client_for, trust.trustee)
    assert asked(trust, case_id) == {"chair": trust.vice_board.id, "dpo": trust.trustee.id}
    agreed(trust, case_id, client_for, trust.vice_board)
    with trust.behind():
        assert db.session.scalars(select(func.max(DisposalAsk.disposed_at))).one() is not None
    with trust.world.acting(trust.clerk):
        done = list(db.session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("stand_in%"))))
    assert sorted(done) == ["stand_in.ended"] * 2 + ["stand_in.named"] * 3
