"""What a trust takes away: everything that it owns, nothing of any case, and case records after two people agreed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
import yaml
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from tests.integration.archives.conftest import NOTED, PLANTED, RECORDED, WORDS, Belongings, opened, readable
from tests.integration.conftest import PortalClient
from tests.world import Someone
from trustportal.access import Actor, Role
from trustportal.archives import chapters, queries
from trustportal.archives.domain import ELSEWHERE, LEFT_OUT, OF_CASES, SHEETS
from trustportal.archives.models import Archive, ArchiveConsent, ArchiveFile, ArchivePiece
from trustportal.archives.services import asking, making
from trustportal.audit import link_hash
from trustportal.db import METADATA, db, unit_of_work
from trustportal.errors import Forbidden, NotFound, RuleBroken
from trustportal.kernel_models import Account, AuditEvent, WebSession
from trustportal.tenants import queries as tenants
from trustportal.tenants import sealing, services
from trustportal.times import now, today
from trustportal.workflows.models import (
    CaseDocument,
    CaseEvent,
    CaseNote,
    CaseParticipant,
    CaseSubject,
    CaseTask,
    WorkflowCase,
)

Clients = Callable[[Someone], PortalClient]


def test_every_table_is_decided_about_once() -> None:
    groups = [[one.table for one in SHEETS], list(ELSEWHERE), list(OF_CASES), list(LEFT_OUT)]
    decided = [table for group in groups for table in group]
    assert len(decided) == len(set(decided))
    owned = {table.name for table in METADATA.sorted_tables if "trust_id" in table.columns} | {"trust"}
    assert set(decided) == owned
    for one in SHEETS:
        columns = set(METADATA.tables[one.table].columns.keys())
        assert "case_id" not in columns - one.omit, f"{one.table} points at cases"
        assert not [name for name in columns if "token" in name or "code_hash" in name or "sealed" in name]
        assert one.omit <= columns


def traces_of(belongings: Belongings, case_id: UUID) -> set[str]:
    """Every id and reference of a case."""
    with belongings.behind():
        case = db.session.scalars(select(WorkflowCase).where(WorkflowCase.id == case_id)).one()
        found = {str(case.id), case.reference}
        for model in (CaseEvent, CaseTask, CaseParticipant, CaseSubject, CaseNote, CaseDocument):
            found |= {
                str(one) for one in db.session.scalars(select(model.id).where(model.case_id == case_id))
            }
    assert len(found) > 6
    return found


def test_everything_goes_and_nothing_of_a_case(belongings: Belongings, client_for: Clients) -> None:
    given, world = belongings.given, belongings.world
    manager = client_for(world.manager)
    before = opened(belongings.take(manager, belongings.ask(manager)).get_data())
    traces = set[str]()
    for about in (given.teacher, given.head, belongings.dpo):
        case_id = belongings.concern(about)
        belongings.work_on(case_id)
        traces |= traces_of(belongings, case_id)
    page = manager.get(world.url("settings")).get_data(as_text=True)
    assert "Take your data away" in page
    assert manager.post(belongings.url(), data={"place": "trust", "with_cases": "no"}).status_code == 422
    archive_id = belongings.ask(manager)
    assert "Ready" in manager.get(belongings.url()).get_data(as_text=True)
    shown = manager.get(belongings.url(f"/{archive_id}")).get_data(as_text=True)
    assert "Take the archive" in shown
    taken = belongings.take(manager, archive_id)
    assert taken.headers["Content-Type"] == "application/zip"
    assert "no-store" in taken.headers["Cache-Control"]
    files = opened(taken.get_data())
    # Everything: people, policies with their words and papers, signing, workflows, the trail.
    people = {one["name"] for one in json.loads(files["people/person.json"])}
    assert {given.head.name, given.teacher.name, world.manager.name} <= people
    serving = list(csv.DictReader(io.StringIO(files["people/who-serves-where.csv"].decode("utf-8-sig"))))
    assert {"Headteacher"} == {one["Role"] for one in serving if one["Name"] == given.head.name}
    edition = json.loads(files[f"policies/editions/{given.slug}/{given.school.slug}/edition-1.1.json"])
    assert any("account" in clause["text"] for clause in edition["clauses"])
    assert files[f"policies/editions/{given.slug}/{given.school.slug}/edition-1.1.pdf"].startswith(b"%PDF")
    version = json.loads(files[f"policies/texts/{given.slug}/version-1.json"])
    assert version["clauses"]
    assert len(json.loads(files["signing/signature.json"])) == 1
    assert [name for name in files if name.startswith("signing/certificates/") and name.endswith(".pdf")]
    assert len(json.loads(files["approvals/approval-decision.json"])) == 2
    assert (
        yaml.safe_load(files["workflows/definitions/site-approval/version-1.yaml"])["key"] == "site-approval"
    )
    assert b"index.html" not in files["MANIFEST.json"][:40]
    assert b"no case records in this archive" in files["index.html"]
    verify_trail(files)
    # With the cases, byte for byte what it was without them, but for the day's own trail and the cover.
    own = {"index.html", "MANIFEST.json"}
    assert set(files) == set(before)
    assert [
        name
        for name in files
        if files[name] != before[name] and name not in own and not name.startswith("audit/")
    ] == []
    newer = files["audit/trail-000000001.jsonl"].removeprefix(before["audit/trail-000000001.jsonl"])
    assert {json.loads(line)["action"] for line in newer.splitlines()} <= {
        "archive.made",
        "archive.taken",
        "archive.asked",
    }
    # Nothing of a case, nothing that lets somebody in.
    said = readable(files)
    assert not [word for word in (*PLANTED, *traces) if word in said]
    assert not [name for name in files if "case" in name or "mail" in name or "notice" in name]
    with world.looking():
        for account in db.session.scalars(select(Account)):
            assert account.fs_uniquifier not in said
        assert not [one for one in db.session.scalars(select(WebSession)) if one.token_hash.hex() in said]
        actions = list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.position)))
    assert actions[-1] == "archive.taken"
    assert {"archive.asked", "archive.made"} <= set(actions)


def verify_trail(files: dict[str, bytes]) -> None:
    """The trail can be computed again from the archive alone."""
    previous, position = b"", 0
    trail = b"".join(files[name] for name in sorted(files) if name.startswith("audit/trail-"))
    for line in trail.splitlines():
        link = json.loads(line)
        previous = link_hash(previous, link["position"], link["entry"])
        position = link["position"]
        assert previous.hex() == link["hash"]
        payload = hashlib.sha256(bytes.fromhex(link["salt"]) + link["payload"].encode()).hexdigest()
        assert payload == json.loads(link["entry"])["payload"]
    assert json.loads(files["audit/head.json"]) == {"position": position, "hash": previous.hex()}


def test_one_school_goes_alone_and_in_steps(
    belongings: Belongings, client_for: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a step's size, and whoever is of another school stays out."""
    world = belongings.world
    other = world.school("Birchwood")
    stranger = world.person("Bea Birchwood", (Role.STAFF, other))
    world.run_jobs()
    monkeypatch.setattr(making, "STEP_BYTES", 1)
    monkeypatch.setattr(making, "PIECE", 700)
    monkeypatch.setattr(chapters, "PART", 3)
    monkeypatch.setattr(chapters, "_LINKS", 3)
    manager = client_for(world.manager)
    archive_id = belongings.ask(manager, place=belongings.given.school.slug)
    files = opened(belongings.take(manager, archive_id).get_data())
    said = readable(files)
    assert stranger.name not in said
    assert str(other.id) not in said
    here = {belongings.given.head, belongings.given.chair, belongings.given.teacher, belongings.colleague}
    parts = [files[name] for name in files if re.fullmatch(r"people/person(-after-.*)?\.json", name)]
    assert len(parts) > 1
    assert sorted(one["name"] for part in parts for one in json.loads(part)) == sorted(
        one.name for one in here
    )
    assert len([name for name in files if name.startswith("audit/trail-")]) > 1
    assert f"policies/texts/{belongings.given.slug}/version-1.json" in files
    assert (
        f"policies/editions/{belongings.given.slug}/{belongings.given.school.slug}/edition-1.1.pdf" in files
    )


def test_two_people_agree_to_case_records(belongings: Belongings, client_for: Clients) -> None:
    given, world = belongings.given, belongings.world
    case_id = belongings.concern(given.teacher)
    belongings.work_on(case_id)
    about_dpo = belongings.concern(belongings.dpo, "She lost the Wentworth folder.")
    about_board = belongings.concern(belongings.board, "She lost the Umberton ledger.")
    manager, dpo, board = (client_for(one) for one in (world.manager, belongings.dpo, belongings.board))
    archive_id = belongings.ask(manager, with_cases=True)
    assert belongings.state(archive_id) == "waiting"
    assert "Both have to agree" in manager.get(belongings.url(f"/{archive_id}")).get_data(as_text=True)
    # One at a time; and whoever asked, or was not asked, answers nothing.
    again = manager.post(belongings.url(), data={"place": "trust", "with_cases": "yes", "reason": "Again."})
    assert again.status_code == 422
    assert belongings.answer(manager, archive_id).status_code == 403
    assert belongings.answer(client_for(given.trustees[0]), archive_id).status_code == 403
    assert belongings.take(dpo, archive_id).status_code == 404
    for client in (dpo, board):
        assert "Decide about an archive" in client.get(world.url()).get_data(as_text=True)
        page = client.get(world.url("archives")).get_data(as_text=True)
        assert "We change the supplier." in page
        assert not [word for word in PLANTED if word in page]
    # One agreement makes nothing.
    assert belongings.answer(dpo, archive_id).status_code == 303
    assert belongings.answer(dpo, archive_id).status_code == 422
    assert belongings.state(archive_id) == "waiting"
    with belongings.behind():
        assert queries.written(archive_id) == (0, 0)
    assert belongings.take(dpo, archive_id).status_code == 404
    # Two do; and the data protection officer collects it, nobody else.
    assert belongings.answer(board, archive_id).status_code == 303
    assert belongings.state(archive_id) == "ready"
    for client in (manager, board, client_for(given.head)):
        assert belongings.take(client, archive_id).status_code in {403, 404}
    assert "The data protection officer collects it" in manager.get(
        belongings.url(f"/{archive_id}")
    ).get_data(as_text=True)
    with world.app.app_context(), unit_of_work():
        account = db.session.scalars(select(Account).where(Account.id == belongings.dpo.account_id)).one()
        account.password = sealing.hash_password("three words together")
    with time_machine.travel(now() + timedelta(minutes=20), tick=False):
        asked_again = belongings.take(dpo, archive_id)
        assert asked_again.status_code == 303
        proving = asked_again.headers["Location"]
        assert "/account/prove" in proving
        assert "confidential" in dpo.get(proving).get_data(as_text=True)
        proved = dpo.post(proving, data={"password": "three words together"})
        assert (proved.status_code, proved.headers["Location"]) == (303, world.url("archives"))
    files = opened(belongings.take(dpo, archive_id).get_data())
    with belongings.behind():
        references = {one.id: one.reference for one in db.session.scalars(select(WorkflowCase))}
    (name,) = [one for one in files if one.endswith("case.json")]
    assert references[case_id] in name
    case = json.loads(files[name])
    assert WORDS in {one["answer"] for one in case["form"]}
    assert case["records"][0]["says"]["what"] == RECORDED
    assert case["notes"][0]["text"] == NOTED
    assert given.head.name in case["names"].values()
    previous = b""
    for link in case["chain"]:
        previous = link_hash(previous, link["position"], link["entry"])
        assert previous.hex() == link["hash"]
        payload = hashlib.sha256(bytes.fromhex(link["salt"]) + link["payload"].encode()).hexdigest()
        assert payload == json.loads(link["entry"])["payload"]
    assert case["chain_ends"]["hash"] == previous.hex()
    assert case["chain_faults"] == []
    readable_case = files[name.replace(".json", ".txt")].decode()
    assert WORDS in readable_case
    assert RECORDED in readable_case
    # What is about one of the two is with neither of them, and nothing says that it is there.
    said = readable(files)
    for word in ("Wentworth", "Umberton", references[about_dpo], references[about_board]):
        assert word not in said
    for one in (about_dpo, about_board):
        assert str(one) not in said
    # Whoever goes on in another post collects nothing more, also where that post agrees to archives too.
    with world.acting(world.manager) as actor:
        (held,) = tenants.list_memberships(belongings.dpo.id)
        services.begin_membership(
            actor,
            person_id=belongings.dpo.id,
            role=Role.CHAIR_OF_TRUST_BOARD,
            school_id=None,
            from_on=today(),
        )
        services.end_membership(
            actor, membership_id=held.id, to_on=today() - timedelta(days=1), today=today()
        )
    moved = client_for(belongings.dpo)
    assert moved.post(world.url(f"archives/{archive_id}/file")).status_code == 404
    assert "Ready for you" not in moved.get(world.url("archives")).get_data(as_text=True)
    with world.acting(world.manager) as actor:
        services.begin_membership(
            actor, person_id=belongings.dpo.id, role=Role.DPO, school_id=None, from_on=today()
        )
    dpo = client_for(belongings.dpo)
    # What was taken can be removed at once.
    assert dpo.post(world.url(f"archives/{archive_id}/discard")).status_code == 303
    assert belongings.take(dpo, archive_id).status_code == 422
    with belongings.behind():
        assert queries.written(archive_id) == (0, 0)
        actions = list(db.session.scalars(select(AuditEvent.action)))
    assert actions.count("archive.answered") == 2
    assert actions.count("archive.taken") == 1


def test_a_refusal_ends_it_and_so_does_time(belongings: Belongings, client_for: Clients) -> None:
    world = belongings.world
    manager, dpo, board = (client_for(one) for one in (world.manager, belongings.dpo, belongings.board))
    refused = belongings.ask(manager, with_cases=True)
    assert belongings.answer(dpo, refused).status_code == 303
    assert belongings.answer(board, refused, "refuse").status_code == 422
    assert belongings.answer(board, refused, "refuse", "There is no need.").status_code == 303
    assert belongings.state(refused) == "refused"
    assert "refused" in manager.get(belongings.url(f"/{refused}")).get_data(as_text=True)
    # Whoever asked may take it back, and then nobody is asked any more.
    back = belongings.ask(manager, with_cases=True)
    assert manager.post(belongings.url(f"/{back}/withdraw")).status_code == 303
    assert manager.post(belongings.url(f"/{back}/withdraw")).status_code == 422
    assert belongings.answer(dpo, back).status_code == 422
    assert "taken back" in manager.get(belongings.url(f"/{back}")).get_data(as_text=True)
    # Agreements are bound to one request: another asks both again, and lapses in its time.
    late = belongings.ask(manager, with_cases=True)
    assert belongings.answer(board, late).status_code == 303
    with belongings.behind():
        making.sweep(now=now() + timedelta(days=15))
    assert belongings.state(late) == "lapsed"
    assert belongings.answer(dpo, late).status_code == 422
    # Whoever lost the post in between agreed to nothing.
    between = belongings.ask(manager, with_cases=True)
    assert belongings.answer(dpo, between).status_code == 303
    with world.acting(world.manager) as actor:
        (held,) = tenants.list_memberships(belongings.dpo.id)
        services.end_membership(
            actor, membership_id=held.id, to_on=today() - timedelta(days=1), today=today()
        )
    world.run_jobs()
    assert belongings.answer(board, between).status_code == 303
    assert belongings.state(between) == "lapsed"
    # And without a data protection officer nobody can be asked.
    answer = manager.post(belongings.url(), data={"place": "trust", "with_cases": "yes", "reason": "Again."})
    assert answer.status_code == 422
    assert "Fill both posts first" in answer.get_data(as_text=True)
    # What cannot be made is given up after a day, and stands in nobody's way.
    response = manager.post(belongings.url(), data={"place": "trust", "with_cases": "no", "reason": "Never."})
    never = UUID(response.headers["Location"].rpartition("/")[2])
    with belongings.behind():
        making.sweep(now=now() + timedelta(days=2))
    assert belongings.state(never) == "failed"
    assert "could not be made" in manager.get(belongings.url(f"/{never}")).get_data(as_text=True)
    # An archive without cases is removed when its time is over.
    plain = belongings.ask(manager)
    assert belongings.take(manager, plain).status_code == 200
    with belongings.behind():
        making.sweep(now=now() + timedelta(days=15))
        assert not db.session.scalars(select(ArchivePiece.id)).all()
        assert not db.session.scalars(select(ArchiveFile.id)).all()
    assert belongings.state(plain) == "removed"
    assert belongings.take(manager, plain).status_code == 422


def test_of_several_who_ask_at_once_one_gets_an_archive(belongings: Belongings) -> None:
    world = belongings.world

    def ask(_: int) -> str:
        with world.acting(world.manager) as actor:
            try:
                asking.ask(actor, school_id=None, with_cases=False, reason="We move.", now=now())
            except RuleBroken as refused:
                return str(refused)
            return "asked"

    with ThreadPoolExecutor(4) as pool:
        said = sorted(pool.map(ask, range(4)))
    assert said == ["An archive is being made already. Wait until it is there."] * 3 + ["asked"]


def test_services_and_database_both_ask_for_two(belongings: Belongings) -> None:
    world = belongings.world
    with world.acting(belongings.board) as actor, pytest.raises(Forbidden):
        asking.ask(actor, school_id=None, with_cases=False, reason="Mine.", now=now())
    # Whoever asks and holds one of the posts agrees to nothing; whoever holds both agrees once.
    with world.acting(world.manager) as actor:
        for role in (Role.DPO, Role.CHAIR_OF_TRUST_BOARD):
            services.begin_membership(
                actor, person_id=world.manager.id, role=role, school_id=None, from_on=today(), to_on=None
            )
    with world.acting(world.manager) as actor:
        archive = asking.ask(actor, school_id=None, with_cases=True, reason="We move.", now=now())
        archive_id = archive.id
    world.run_jobs()
    with belongings.behind():
        asked = {one.seat: one.person_id for one in queries.list_consents(archive_id)}
    assert asked == {"dpo": belongings.dpo.id, "chair": belongings.board.id}
    with world.acting(world.manager) as actor, pytest.raises(NotFound):
        asking.answer(actor, archive_id=archive_id, agree=True, reason="", now=now())

    def begin(collector: UUID) -> None:
        db.session.execute(
            update(Archive).where(Archive.id == archive_id).values(state="making", collector_id=collector)
        )

    # The application's filters aside: neither role begins it, whatever a line of code says.
    with belongings.behind(), pytest.raises(DBAPIError, match="two people have to agree"), unit_of_work():
        begin(belongings.dpo.id)
    with (
        world.acting(world.manager),
        pytest.raises(DBAPIError, match="two people have to agree"),
        unit_of_work(),
    ):
        begin(world.manager.id)
    with (
        world.acting(world.manager) as actor,
        pytest.raises(DBAPIError, match="waits for two people"),
        unit_of_work(),
    ):
        db.session.add(_born_ready(actor))
    with belongings.behind(), pytest.raises(DBAPIError, match="nothing is written"), unit_of_work():
        db.session.add(
            ArchivePiece(
                id=uuid4(), archive_id=archive_id, person_id=belongings.dpo.id, number=0, size=1, sealed=b"x"
            )
        )
    # Nobody answers for somebody else, a job neither; an answer is given once.
    with belongings.behind(), pytest.raises(DBAPIError, match="answers for themselves"), unit_of_work():
        db.session.execute(
            update(ArchiveConsent)
            .where(ArchiveConsent.archive_id == archive_id)
            .values(answer="agreed", answered_at=now())
        )
    with world.acting(world.manager), unit_of_work():
        assert db.session.scalars(select(ArchiveConsent)).all() == []
    with world.acting(belongings.dpo) as actor:
        asking.answer(actor, archive_id=archive_id, agree=True, reason="", now=now())
    with world.acting(belongings.dpo), pytest.raises(DBAPIError, match="given once"), unit_of_work():
        db.session.execute(
            update(ArchiveConsent)
            .where(ArchiveConsent.archive_id == archive_id)
            .values(answer="refused", answered_at=now())
        )
    with belongings.behind(), pytest.raises(DBAPIError, match="two people have to agree"), unit_of_work():
        begin(belongings.dpo.id)
    # One person twice is one person.
    with belongings.behind(), pytest.raises(DBAPIError, match="uq_archive_consent"), unit_of_work():
        db.session.add(
            ArchiveConsent(
                id=uuid4(), archive_id=archive_id, person_id=belongings.dpo.id, seat="chair", asked_at=now(),
                answer="", reason="",
            )
        )  # fmt: skip
    with belongings.behind(), pytest.raises(DBAPIError, match="never changes"), unit_of_work():
        db.session.execute(update(Archive).where(Archive.id == archive_id).values(reason="Something else"))
    # With both, what they agreed to begins, for the one who collects it and nobody else.
    with world.acting(belongings.board) as actor:
        asking.answer(actor, archive_id=archive_id, agree=True, reason="", now=now())
    with belongings.behind(), pytest.raises(DBAPIError, match="two people have to agree"), unit_of_work():
        begin(world.manager.id)
    world.run_jobs()
    assert belongings.state(archive_id) == "ready"
    for person in (world.manager, belongings.board):
        with world.acting(person):
            assert db.session.scalars(select(ArchivePiece.id)).all() == []
            assert db.session.scalars(select(ArchiveFile.id)).all() == []
    with world.acting(belongings.dpo):
        assert db.session.scalars(select(ArchiveFile.id)).all()


def _born_ready(actor: Actor) -> Archive:
    return Archive(
        id=uuid4(),
        with_cases=True,
        reason="Now.",
        asked_by=actor.person_id,
        asked_at=now(),
        decide_until=now() + timedelta(days=1),
        state="ready",
        total=1,
        collector_id=actor.person_id,
    )
