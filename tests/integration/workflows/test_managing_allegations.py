"""An allegation from the report to its end: what must come first, who loses sight of it, how long it is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import psycopg
import time_machine
from sqlalchemy import func, select

from tests.integration.conftest import PortalClient, Postbox
from tests.integration.workflows.allegation_world import OUTCOME, WORDS, Trust, problems
from tests.integration.workflows.test_confidentiality import TABLES, Bare
from tests.world import Someone
from trustportal.db import db, unit_of_work
from trustportal.kernel_models import Mail, Notice
from trustportal.mail import notify
from trustportal.servers import DatabaseUrls
from trustportal.times import now, today
from trustportal.workflows import chain
from trustportal.workflows.allegation_models import CaseRecord, DisposalAsk
from trustportal.workflows.domain.days import add_working_days
from trustportal.workflows.models import CaseDeadline, CaseDocument, CaseNote, WorkflowCase
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services import deadlines, keeping

Clients = Callable[[Someone], PortalClient]


def test_a_teacher_s_case_to_its_end(trust: Trust, client_for: Clients) -> None:
    """Scenarios 1, 15, 18 to 20: nothing is skipped on the way."""
    teacher, head = client_for(trust.teacher), client_for(trust.head)
    case_id = trust.report(teacher, trust.third, about_kind="agency", incident_on=today().isoformat())
    shown = head.get(trust.case_url(case_id)).get_data(as_text=True)
    assert WORDS in shown
    assert "Contact with the LADO" in shown
    assert "What was in force on" in shown
    with time_machine.travel(now() + timedelta(minutes=16)):
        asked = head.get(trust.case_url(case_id))
        assert asked.headers["Location"].startswith("/account/prove?next=")
        assert "confidential item for a while" in head.get(asked.headers["Location"]).get_data(as_text=True)
        assert head.get(trust.world.url("cases")).status_code == 200
    refused = trust.step(head, case_id, "threshold", limbs=["harm"], why_threshold="She was hurt.")
    assert problems(refused) == ["Record the contact with the LADO first."]
    # The way there stands beside the day by which it is due, and everything that is wrong is said at once.
    lado = trust.case_url(case_id, "/records/lado")
    assert f'href="{lado}">Record it<' in head.get(trust.case_url(case_id)).get_data(as_text=True)
    assert len(problems(head.post(lado, data={}))) > 3
    trust.to_managing(head, case_id)
    # A suspension is never the first thing.
    assert "Record first why each alternative does not do" in str(
        problems(trust.record(head, case_id, "suspension"))
    )
    for which in ("redeploy", "assistant", "move_child", "other_site"):
        assert trust.record(head, case_id, "alternative", which=which).status_code == 303
    assert trust.record(head, case_id, "suspension").status_code == 303
    assert "Written confirmation of the suspension" in head.get(trust.case_url(case_id)).get_data(
        as_text=True
    )
    assert trust.record(head, case_id, "confirmation").status_code == 303
    assert problems(trust.step(head, case_id, "outcome", **OUTCOME)) == [
        "Record the contact with the agency or employer first."
    ]
    assert trust.record(head, case_id, "employer").status_code == 303
    assert problems(trust.step(head, case_id, "outcome", **OUTCOME)) == [
        "Record how the suspension ends first."
    ]
    assert trust.record(head, case_id, "suspension_ends").status_code == 303
    page = head.get(trust.case_url(case_id)).get_data(as_text=True)
    assert "there is not enough evidence either way" in page
    for key, words in (
        ("outcome", "What is the outcome? Choose an answer."),
        ("rationale", "Why this outcome? Fill this in."),
    ):
        assert problems(trust.step(head, case_id, "outcome", **{**OUTCOME, key: ""})) == [words]
    trust.conclude(head, case_id, pension_on="2061-03-01")
    case = trust.case(case_id)
    assert case.row.state == "closed"
    assert str(case.row.keep_until) == "2061-03-01"
    with trust.behind():
        assert list(chain.verify(case.seal, case_id)) == []
    assert teacher.get(trust.case_url(case_id)).status_code == 404


def test_low_level_and_back_with_its_pattern(trust: Trust, client_for: Clients) -> None:
    """Scenario 19: low level, then more; a second concern shows the first; a closed one is taken up again."""
    teacher, head = client_for(trust.teacher), client_for(trust.head)
    first = trust.report(teacher, trust.third)
    due = "Contact with the LADO: by"
    assert due in head.get(trust.case_url(first)).get_data(as_text=True)
    assert trust.step(head, first, "low", limbs_low="A loud word.").status_code == 303
    assert due not in head.get(trust.case_url(first)).get_data(as_text=True)
    assert trust.step(head, first, "low_done", low_action="We spoke.").status_code == 303
    second = trust.report(teacher, trust.third)
    page = head.get(trust.case_url(second)).get_data(as_text=True)
    assert "1 other. Do they show a pattern?" in page
    assert trust.step(head, second, "low", limbs_low="Again a loud word.").status_code == 303
    assert problems(trust.step(head, second, "up")) == ["Say why, so that the others understand it."]
    assert trust.step(head, second, "up", comment="Twice in a month.").status_code == 303
    assert trust.case(second).row.state == "assess"
    again = head.post(trust.case_url(first, "/again"), data={"reason": "It is a pattern."})
    assert again.status_code == 303
    trust.world.run_jobs()
    assert trust.case(first).row.state == "assess"
    assert due in head.get(trust.case_url(first)).get_data(as_text=True)
    assert trust.holders(first) == {trust.head.id}
    assert (
        trust.step(head, first, "other", other_way="complaint", why_other="Only a loud voice.").status_code
        == 303
    )
    assert trust.step(head, first, "handed", comment="To the office, today.").status_code == 303
    assert trust.case(first).row.state == "elsewhere_closed"
    # A head who comes later, and gets a new one, sees the earlier ones; nobody else does.
    trust.leaves(trust.head)
    third = trust.report(teacher, trust.third)
    ceo = client_for(trust.ceo)
    assert trust.holders(third) == {trust.ceo.id}
    assert "2 others. Do they show a pattern?" in ceo.get(trust.case_url(third)).get_data(as_text=True)
    assert client_for(trust.dsl).get(trust.case_url(third)).status_code == 404
    # Nobody is left who looked after the first: it can be taken up again all the same.
    assert ceo.post(trust.case_url(first, "/again"), data={"reason": "A third time."}).status_code == 303
    trust.world.run_jobs()
    assert trust.holders(first) == {trust.ceo.id}


def test_whoever_looks_after_an_earlier_one_does_not_learn_of_a_later_one(
    trust: Trust, client_for: Clients, database: DatabaseUrls
) -> None:
    """The head looks after a concern about a teacher; the next one is about both, and the chair reads the first."""
    teacher, head = client_for(trust.teacher), client_for(trust.head)
    with time_machine.travel(now(), tick=False):
        first, closed = trust.report(teacher, trust.third), trust.report(teacher, trust.third)
        assert trust.step(head, closed, "low", limbs_low="A loud word.").status_code == 303
        assert trust.step(head, closed, "low_done", low_action="We spoke.").status_code == 303
        pages = [trust.case_url(first), trust.case_url(closed), trust.world.url("cases"), trust.world.url()]
        head.get(pages[0])  # what the last step said, is said once
        before = [head.get(one).get_data() for one in pages]
        later = trust.report(teacher, trust.third, trust.head)
        assert trust.holders(later) == {trust.chair.id}
        assert [head.get(one).get_data() for one in pages] == before
        # The chair reads both, changes nothing in them, and stands in no list.
        chair = client_for(trust.chair)
        for one in (first, closed):
            page = chair.get(trust.case_url(one)).get_data(as_text=True)
            assert "Nobody here sees that you can" in page
            assert "Add the note" not in page
            assert chair.post(trust.case_url(one, "/notes"), data={"text": "I read this."}).status_code == 404
        assert chair.post(trust.case_url(closed, "/again"), data={"reason": "A pattern."}).status_code == 404
        assert [head.get(one).get_data() for one in pages] == before
    with psycopg.connect(database.web) as connection:
        for who, seen in ((trust.head, {trust.head.id}), (trust.chair, {trust.head.id, trust.chair.id})):
            connection.execute(
                "SELECT set_config('app.trust_id', %s, true), set_config('app.person_id', %s, true)",
                [str(trust.world.trust_id), str(who.id)],
            )
            found = connection.execute("SELECT person_id FROM case_participant WHERE case_id = %s", [first])
            assert {row[0] for row in found} == seen
    # When it is late it goes to whom it would have gone anyway, and that is shown.
    with trust.behind():
        day = db.session.scalars(
            select(CaseDeadline.due_on).where(CaseDeadline.case_id == first, CaseDeadline.kind == "due")
        ).one()
    at = datetime.combine(add_working_days(day, 1), time(9), tzinfo=UTC)
    with trust.behind():
        due = queries.list_due_deadlines(at.date())
    for deadline_id in due:
        with trust.behind():
            deadlines.fire(deadline_id=deadline_id, now=at)
    trust.world.run_jobs()
    assert "was told that it was late" in head.get(trust.case_url(first)).get_data(as_text=True)


def test_whoever_it_turns_out_to_be_about_loses_everything_at_once(
    trust: Trust, client_for: Clients, postbox: Postbox
) -> None:
    """Scenario 12: the head manages it, then it is about the head too."""
    head = client_for(trust.head)
    case_id = trust.report(client_for(trust.teacher), trust.third)
    trust.to_managing(head, case_id)
    home = head.get(trust.world.url()).get_data(as_text=True)
    assert str(case_id) in home
    with trust.behind(), unit_of_work():
        # A mail and a notice that have not gone yet.
        path = f"/t/{trust.world.slug}/cases/{case_id}"
        notify(trust.head.id, subject="x", body="x", path=path)
    postbox.received.clear()
    added = head.post(
        trust.case_url(case_id, "/subjects"),
        data={"person": str(trust.head.id), "reason": "I held the door."},
    )
    assert added.status_code == 303
    for path in ("", "/records/lado", "/subjects", "/hold"):
        assert head.get(trust.case_url(case_id, path)).status_code == 404
    trust.world.run_jobs()
    assert trust.holders(case_id) == {trust.chair.id}
    assert postbox.to(str(trust.head.email)) == [], "what had not gone yet does not go"
    assert str(case_id) not in head.get(trust.world.url()).get_data(as_text=True)
    assert str(case_id) not in head.get(trust.world.url("cases")).get_data(as_text=True)
    chair = client_for(trust.chair).get(trust.case_url(case_id)).get_data(as_text=True)
    assert "noted that it is about somebody else too" in chair
    assert "Lana Officer" in chair


def test_nobody_outside_sees_a_row_and_nothing_lies_open(
    trust: Trust, client_for: Clients, database: DatabaseUrls
) -> None:
    case_id = trust.report(client_for(trust.teacher), trust.third)
    head = client_for(trust.head)
    trust.to_managing(head, case_id)
    bare = Bare(database.web, trust.world.trust_id)
    tables = (*TABLES, "case_record", "case_receipt", "case_intake", "disposal_ask")
    for outsider in (
        trust.third,
        trust.teacher,
        trust.world.manager,
        trust.trustee,
        trust.chair,
        trust.ceo,
        trust.dsl,
    ):
        bare.as_person(outsider.id)
        for table in tables:
            (row,) = bare.connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # type: ignore[arg-type]
            assert row[0] == 0, (outsider.name, table)
    bare.connection.close()
    with psycopg.connect(database.worker) as connection:
        connection.execute(
            "SELECT set_config('app.trust_id', %s, true), set_config('app.all_schools', 'on', true)",
            [str(trust.world.trust_id)],
        )
        for table in (*tables, "outbox", "notice", "mail", "audit_event", "audit_payload"):
            rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()  # type: ignore[arg-type]
            for word in ("corridor", "Lana Officer", "strategy", "Thea", "allegation"):
                assert not any(word in row[0] for row in rows), (table, word)


def test_what_is_kept_how_long_and_how_two_people_dispose_of_it(trust: Trust, client_for: Clients) -> None:
    """Scenarios 21 and 22: malicious goes, a legal hold stops it, and two people have to agree."""
    teacher, head = client_for(trust.teacher), client_for(trust.head)
    dpo, board = client_for(trust.dpo), client_for(trust.board)
    case_id = trust.report(teacher, trust.third)
    trust.to_managing(head, case_id)
    assert problems(trust.step(head, case_id, "outcome", **{**OUTCOME, "outcome": ""}))
    assert head.post(trust.case_url(case_id, "/notes"), data={"text": "A note."}).status_code == 303
    trust.step(head, case_id, "outcome", **{**OUTCOME, "outcome": "malicious"})
    wrong = trust.step(head, case_id, "file", reference="yes", summary="x")
    assert problems(wrong) == ["Only a substantiated allegation can be mentioned in a reference."]
    assert trust.step(head, case_id, "file", reference="no", summary="Removed.").status_code == 303
    assert trust.case(case_id).row.keep_until == today()
    assert head.post(trust.case_url(case_id, "/hold"), data={"reason": "An inquiry."}).status_code == 303

    def sweep() -> None:
        with trust.behind():
            keeping.sweep(now=now())
        trust.world.run_jobs()

    sweep()
    assert "Nothing waits for you" in dpo.get(trust.world.url("kept")).get_data(as_text=True)
    assert head.post(trust.case_url(case_id, "/hold"), data={"reason": "It is over."}).status_code == 303
    sweep()
    sweep()
    waiting = dpo.get(trust.world.url("kept")).get_data(as_text=True)
    reference = trust.case(case_id).row.reference
    assert reference in waiting
    assert not any(word in waiting for word in ("Thea", "malicious", "Ashgrove Primary"))
    with trust.behind():
        asks = {one.seat: one for one in db.session.scalars(select(DisposalAsk))}
    assert {one.person_id for one in asks.values()} == {trust.dpo.id, trust.board.id}
    for outsider in (trust.third, trust.trustee, trust.world.manager):
        client = client_for(outsider)
        assert reference not in client.get(trust.world.url("kept")).get_data(as_text=True)
        answer = client.post(trust.world.url(f"kept/{asks['dpo'].id}"), data={"answer": "agree"})
        assert answer.status_code == 404
    assert dpo.post(trust.world.url(f"kept/{asks['dpo'].id}"), data={"answer": "agree"}).status_code == 303
    trust.world.run_jobs()
    assert head.get(trust.case_url(case_id)).status_code == 200, "one of two is not enough"
    assert (
        board.post(trust.world.url(f"kept/{asks['chair'].id}"), data={"answer": "agree"}).status_code == 303
    )
    trust.world.run_jobs()
    assert head.get(trust.case_url(case_id)).status_code == 404
    with trust.behind():
        row = db.session.scalars(select(WorkflowCase)).one()
        assert trust_open(row) == {}
        for model in (CaseRecord, CaseNote, CaseDocument):
            assert db.session.scalars(select(func.count()).select_from(model)).one() == 0
        assert db.session.scalars(select(Notice.path).where(Notice.path.contains(str(case_id)))).all() == []
        assert not any(str(case_id) in str(one) for one in db.session.scalars(select(Mail.body)))
        assert list(chain.verify(Seal.of_trust(), case_id)) == []
    assert "agreed on" in dpo.get(trust.world.url("kept")).get_data(as_text=True)


def trust_open(row: WorkflowCase) -> object:
    """What is left in a case's own row."""
    return Seal.of_trust().open(row.sealed, row.id)
