"""A case about somebody's conduct, on a definition of the test's own: it fails closed, whoever it is about.

The definition is small on purpose: what is tried here is who receives a case, and who never does.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from tests.integration.conftest import PortalClient, Postbox
from tests.integration.moments import moment
from tests.integration.workflows.conftest import Office
from tests.world import Someone
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.errors import NotFound
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.workflows.domain import checking, reading
from trustportal.workflows.models import (
    Alarm,
    CaseIntake,
    CaseParticipant,
    CaseSubject,
    Tie,
    WorkflowDefinition,
    WorkflowVersion,
)
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.queries import definitions
from trustportal.workflows.sealing import Seal
from trustportal.workflows.services import routing, starting

Clients = Callable[[Someone], PortalClient]
CONCERN = """
key: concern
title: Concern
summary: Something about a colleague.
start_label: Raise a concern
safeguarding: true
subject_fields: [about]
fields:
  - {key: about, label: "Whom is it about?", kind: people, least: 1}
  - {key: what, label: "What happened?", kind: long_text}
routes:
  - {roles: [headteacher], to: [{role: chair_of_governors}]}
  - {roles: [ceo], to: [{role: chair_of_trust_board}]}
  - {roles: [network_manager, central_staff], to: [{role: ceo}]}
  - {roles: [], to: [{role: headteacher}]}
upwards: [{role: chair_of_governors}, {role: chair_of_trust_board}]
states:
  - key: manager
    title: The case manager reads it
    seats: [{key: manager, title: Case manager, rules: [{kind: route}]}]
    deadline: {within: 1, escalate: [{role: chair_of_trust_board}]}
    actions: [{key: settle, label: Settle it, to: settled, comment: required}]
  - {key: settled, title: Settled, closed: true}
"""


@moment
def concerned(office: Office) -> Office:
    """The office, with a chair of the trust board, and the workflow published."""
    office.world.person("Bea Board", Role.CHAIR_OF_TRUST_BOARD)
    office.world.run_jobs()
    definition = reading.from_yaml(CONCERN)
    assert checking.is_usable(checking.check_shape(definition))
    with office.behind(), unit_of_work():
        row = WorkflowDefinition(id=uuid4(), key="concern", position=90, in_use=True, created_at=now())
        db.session.add(row)
        db.session.flush()
        db.session.add(
            WorkflowVersion(
                id=uuid4(),
                definition_id=row.id,
                state="published",
                number=1,
                content=reading.to_data(definition),
                content_hash=reading.fingerprint(definition),
                created_at=now(),
                published_at=now(),
            )
        )
    return office


def raise_concern(office: Office, *about: Someone, by: Someone | None = None) -> UUID:
    return office.send(
        by or office.teacher, key="concern", about=[str(one.id) for one in about], what="A word."
    )


def board(office: Office) -> UUID:
    with office.behind():
        return tenants.people_with_role(Role.CHAIR_OF_TRUST_BOARD, on=today())[0]


def test_a_teacher_the_head_and_both(concerned: Office) -> None:
    office = concerned
    assert office.holders(raise_concern(office, office.third)) == {office.head.id}
    assert office.holders(raise_concern(office, office.head)) == {office.chair.id}
    assert office.holders(raise_concern(office, office.third, office.head)) == {office.chair.id}
    assert office.holders(raise_concern(office, office.ceo)) == {board(office)}
    assert office.holders(raise_concern(office, office.world.manager)) == {office.ceo.id}


def test_the_head_finds_nothing_of_a_case_about_the_head(
    concerned: Office, client_for: Clients, postbox: Postbox
) -> None:
    office = concerned
    head = client_for(office.head)
    pages = ("", "cases", f"schools/{office.school.slug}/cases", "register", "people")
    before = [head.get(office.world.url(path)).get_data() for path in pages]
    postbox.received.clear()
    case_id = raise_concern(office, office.head)
    assert [head.get(office.world.url(path)).get_data() for path in pages] == before
    assert postbox.to(str(office.head.email)) == []
    assert head.get(office.world.url(f"cases/{case_id}")).status_code == 404
    (mail,) = postbox.to(str(office.chair.email))
    assert "Concern" not in str(mail)
    assert "Hana" not in str(mail)
    # Whoever reported it has done their part.
    teacher = client_for(office.teacher)
    assert teacher.get(office.world.url(f"cases/{case_id}")).status_code == 404


def test_a_vacant_chair_and_a_chair_who_is_tied_to_the_head(concerned: Office) -> None:
    office = concerned
    with office.behind(), unit_of_work():
        db.session.add(
            Tie(
                id=uuid4(),
                person_id=office.chair.id,
                other_id=office.head.id,
                kind="related",
                declared_at=now(),
            )
        )
    tied = raise_concern(office, office.head)
    assert office.holders(tied) == {board(office)}
    office.leaves(office.chair)
    assert office.holders(raise_concern(office, office.head)) == {board(office)}


def test_nobody_at_all_raises_an_alarm_that_says_nothing(concerned: Office, postbox: Postbox) -> None:
    office = concerned
    office.leaves(office.chair)
    above_all = board(office)
    with office.behind():
        above = tenants.get_person(above_all)
    office.leaves(Someone(above.id, above.name, above.email, above.account_id))
    postbox.received.clear()
    case_id = raise_concern(office, office.head)
    assert office.holders(case_id) == set()
    assert office.participants(case_id) == set()
    with office.behind():
        assert [one.person_id for one in db.session.scalars(select(Alarm))] == [office.clerk.id]
    assert postbox.to(str(office.head.email)) == []


def test_whoever_becomes_a_subject_loses_it_at_once_and_another_gets_it(concerned: Office) -> None:
    office = concerned
    case_id = raise_concern(office, office.third)
    assert office.holders(case_id) == {office.head.id}
    with office.world.acting(office.head), unit_of_work():
        db.session.add(CaseSubject(id=uuid4(), case_id=case_id, person_id=office.head.id, added_at=now()))
    with office.world.acting(office.head), pytest.raises(NotFound):
        queries.get_case(case_id)
    with office.behind():
        routing.route_case(case_id=case_id, now=now())
    office.world.run_jobs()
    assert office.holders(case_id) == {office.chair.id}
    with office.behind():
        ended = db.session.scalars(
            select(CaseParticipant.because).where(CaseParticipant.person_id == office.head.id)
        ).all()
    assert set(ended) == {"subject"}


def test_a_report_without_a_name_is_sealed_and_keeps_nobody(concerned: Office) -> None:
    """What an anonymous intake writes: a row of nobody, which the web itself cannot read back."""
    office = concerned
    with office.world.acting(office.teacher), unit_of_work():
        current = definitions.get_current("concern")
        intake = CaseIntake(
            id=uuid4(),
            person_id=None,
            school_id=office.school.id,
            version_id=current.version_id,
            sealed=b"",
            state="sent",
            created_at=now(),
            changed_at=now(),
            sent_at=now(),
        )
        intake.sealed = Seal.of_trust().close({"about": [str(office.third.id)], "what": "A word."}, intake.id)
        db.session.add(intake)
        intake_id = intake.id
    with office.world.acting(office.teacher):
        assert db.session.scalars(select(CaseIntake)).all() == []
    with office.behind():
        starting.open_case(intake_id=intake_id, now=now())
    assert office.holders(intake_id) == {office.head.id}
    assert office.case(intake_id).row.starter_id is None
