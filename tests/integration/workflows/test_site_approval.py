"""A request for an account, from the teacher to the register, with everything that can go otherwise."""

from __future__ import annotations

from tests.integration.workflows.conftest import Office


def test_from_the_teacher_to_the_register(office: Office) -> None:
    case_id = office.send()
    assert office.holders(case_id) == {office.leader.id}
    office.act(office.leader, case_id, "sign")
    assert office.holders(case_id) == {office.head.id}
    office.act(office.head, case_id, "approve")
    case = office.case(case_id)
    assert case.state.title == "Approved"
    assert case.tasks == []
    entry = office.entry()
    assert (entry.name, entry.case_id, entry.custodian_id) == (
        "Year 6 at Ashgrove",
        case_id,
        office.office.id,
    )
