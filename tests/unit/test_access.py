"""Who may do what: the grants as the field understands them, and what a role reaches where it is not held."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustportal.access import (
    EVERYWHERE,
    GRANTS,
    OFFICER_ROLES,
    ROLE_LABELS,
    SCHOOL_ROLES,
    TRUST_ROLES,
    UPWARDS,
    Actor,
    Permission,
    Role,
    permissions_of,
)
from trustportal.errors import Forbidden

ASHGROVE, BIRCHWOOD, ELSEWHERE = uuid4(), uuid4(), uuid4()
P = Permission

BOARD = {Role.TRUSTEE, Role.CHAIR_OF_TRUST_BOARD}
#: Who holds each permission, where their role is held. The one place that is read by people, and changed on purpose.
HOLDERS: dict[Permission, set[Role]] = {
    P.ACCEPTANCE_EVIDENCE: {
        Role.NETWORK_MANAGER,
        Role.CLERK,
        Role.CEO,
        Role.HR_LEAD,
        Role.DPO,
        Role.HEADTEACHER,
        Role.BUSINESS_MANAGER,
    },
    P.ACCEPTANCE_MANAGE: {Role.NETWORK_MANAGER},
    P.ACCEPTANCE_OVERSEE: {
        Role.NETWORK_MANAGER,
        Role.CEO,
        Role.HR_LEAD,
        Role.HEADTEACHER,
        Role.DSL,
        Role.BUSINESS_MANAGER,
    },
    P.ACCEPTANCE_SIGN: set(Role),
    P.ACCEPTANCE_TOTALS: {
        Role.NETWORK_MANAGER,
        Role.TRUSTEE,
        Role.CHAIR_OF_TRUST_BOARD,
        Role.CLERK,
        Role.CEO,
        Role.HR_LEAD,
        Role.DPO,
        Role.HEADTEACHER,
        Role.CHAIR_OF_GOVERNORS,
        Role.DSL,
        Role.BUSINESS_MANAGER,
    },
    P.APPROVAL_DECIDE: {Role.NETWORK_MANAGER, Role.CEO} | BOARD,
    P.APPROVAL_MINUTE: {Role.CLERK},
    P.ARCHIVE_AGREE: {Role.CHAIR_OF_TRUST_BOARD, Role.DPO},
    P.ARCHIVE_ASK: {Role.NETWORK_MANAGER},
    P.AUDIT_READ: {Role.NETWORK_MANAGER, Role.CLERK, Role.DPO},
    P.CASE_FIGURES: {Role.NETWORK_MANAGER, Role.CEO} | BOARD,
    P.DIVERGENCE_READ: set(OFFICER_ROLES),
    P.EDITION_DECIDE: {Role.CHAIR_OF_GOVERNORS},
    P.EDITION_READ: set(Role),
    P.EDITION_SUBMIT: {Role.HEADTEACHER},
    P.INTEREST_READ: {Role.CLERK, Role.DPO},
    P.JOINING_PREPARE: {Role.NETWORK_MANAGER, Role.HEADTEACHER},
    P.OVERRIDE_EDIT: {Role.HEADTEACHER},
    P.OWN_POLICY_EDIT: {Role.HEADTEACHER},
    P.PEOPLE_MANAGE: {Role.NETWORK_MANAGER},
    P.PEOPLE_READ: {
        Role.NETWORK_MANAGER,
        Role.CEO,
        Role.HR_LEAD,
        Role.HEADTEACHER,
        Role.BUSINESS_MANAGER,
    },
    P.PLACEHOLDER_EDIT: {Role.NETWORK_MANAGER, Role.HEADTEACHER},
    P.REGISTER_KEEP: {Role.HEADTEACHER, Role.BUSINESS_MANAGER},
    P.REGISTER_READ: {
        Role.NETWORK_MANAGER,
        Role.CEO,
        Role.HEADTEACHER,
        Role.DSL,
        Role.BUSINESS_MANAGER,
    },
    P.ROUTING_DECIDE: {Role.VICE_CHAIR_OF_TRUST_BOARD} | BOARD,
    P.ROUTING_PROPOSE: {Role.NETWORK_MANAGER, Role.CLERK},
    P.ROUTING_READ: {Role.NETWORK_MANAGER, Role.CLERK, Role.VICE_CHAIR_OF_TRUST_BOARD} | BOARD,
    P.SCHOOL_MANAGE: {Role.NETWORK_MANAGER},
    P.STAND_IN_NAME: {Role.CHAIR_OF_TRUST_BOARD, Role.VICE_CHAIR_OF_TRUST_BOARD},
    P.TEMPLATE_EDIT: {Role.NETWORK_MANAGER},
    P.TEMPLATE_PUBLISH: {Role.NETWORK_MANAGER},
    P.TEMPLATE_READ: TRUST_ROLES | {Role.HEADTEACHER, Role.DEPUTY_HEADTEACHER, Role.CHAIR_OF_GOVERNORS},
    P.TRUST_SETTINGS: {Role.NETWORK_MANAGER},
    P.WORKFLOW_MANAGE: {Role.NETWORK_MANAGER},
    P.WORKFLOW_OVERRIDE: {Role.HEADTEACHER},
}


def actor(*at_trust: Role, schools: dict[UUID, frozenset[Role]] | None = None) -> Actor:
    return Actor(
        trust_id=uuid4(), person_id=uuid4(), trust_roles=frozenset(at_trust), school_roles=schools or {}
    )


actors = st.builds(
    Actor,
    trust_id=st.uuids(),
    person_id=st.uuids(),
    trust_roles=st.frozensets(st.sampled_from(sorted(TRUST_ROLES)), max_size=3),
    school_roles=st.dictionaries(
        st.sampled_from([ASHGROVE, BIRCHWOOD]),
        st.frozensets(st.sampled_from(sorted(SCHOOL_ROLES)), min_size=1, max_size=3),
    ),
)


@pytest.mark.parametrize("permission", Permission)
def test_each_permission_is_held_by_these_roles_and_no_others(permission: Permission) -> None:
    assert {role for role in Role if permission in GRANTS[role]} == HOLDERS[permission]


def test_every_role_has_its_place_its_label_and_its_grants() -> None:
    assert set(Role) == TRUST_ROLES | SCHOOL_ROLES
    assert not TRUST_ROLES & SCHOOL_ROLES
    assert set(GRANTS) == set(ROLE_LABELS) == set(Role)
    assert len(set(ROLE_LABELS.values())) == len(Role)
    assert TRUST_ROLES - {Role.CENTRAL_STAFF} == OFFICER_ROLES


def test_permissions_are_in_alphabetical_order() -> None:
    names = [permission.value for permission in Permission]
    assert names == sorted(names)


def test_who_writes_does_not_approve_for_the_board_alone() -> None:
    """The network manager decides too (a school asks for the trust's agreement); only the clerk records minutes."""
    assert Permission.APPROVAL_MINUTE not in GRANTS[Role.NETWORK_MANAGER]
    assert Permission.TEMPLATE_EDIT not in GRANTS[Role.CLERK]
    assert Permission.EDITION_DECIDE not in GRANTS[Role.HEADTEACHER]
    assert Permission.OVERRIDE_EDIT not in GRANTS[Role.CHAIR_OF_GOVERNORS]


# -- what a role reaches -----------------------------------------------------------------------------------------


@given(actors, st.sampled_from(Permission))
def test_a_role_of_a_school_reaches_no_other_school(who: Actor, permission: Permission) -> None:
    without_trust = Actor(who.trust_id, who.person_id, school_roles=who.school_roles)
    assert not without_trust.can(permission, ELSEWHERE)
    for school in (ASHGROVE, BIRCHWOOD):
        assert without_trust.can(permission, school) == (permission in permissions_of(who.roles_at(school)))


@given(actors, st.sampled_from(Permission))
def test_a_role_of_a_school_gives_nothing_at_the_trust_but_reading_its_text(
    who: Actor, permission: Permission
) -> None:
    at_school = any(permission in permissions_of(roles) for roles in who.school_roles.values())
    expected = permission in permissions_of(who.trust_roles) or (permission in UPWARDS and at_school)
    assert who.can(permission) == expected


@given(actors, st.sampled_from(Permission))
def test_officers_carry_some_permissions_into_every_school(who: Actor, permission: Permission) -> None:
    carried = permission in EVERYWHERE and permission in permissions_of(who.trust_roles)
    officer = bool(who.trust_roles & OFFICER_ROLES)
    assert who.can(permission, ELSEWHERE) == (carried and officer)


@given(actors, st.sampled_from(Permission))
def test_anywhere_is_the_trust_or_a_school_where_one_serves(who: Actor, permission: Permission) -> None:
    expected = who.can(permission) or any(who.can(permission, school) for school in who.school_roles)
    assert who.can_anywhere(permission) == expected


@given(actors, st.sampled_from(Permission), st.sampled_from([None, ASHGROVE, BIRCHWOOD, ELSEWHERE]))
def test_requiring_says_what_can_says(who: Actor, permission: Permission, school: UUID | None) -> None:
    if who.can(permission, school):
        who.require(permission, school)
    else:
        with pytest.raises(Forbidden):
            who.require(permission, school)


@given(actors, actors, st.sampled_from(Permission))
def test_more_roles_never_take_a_permission_away(one: Actor, other: Actor, permission: Permission) -> None:
    both = Actor(
        one.trust_id,
        one.person_id,
        trust_roles=one.trust_roles | other.trust_roles,
        school_roles={
            school: one.roles_at(school) | other.roles_at(school)
            for school in {*one.school_roles, *other.school_roles}
        },
    )
    for school in (None, ASHGROVE, BIRCHWOOD, ELSEWHERE):
        assert both.can(permission, school) >= one.can(permission, school)


# -- nothing that writes in a school is carried there from the trust ---------------------------------------------


@pytest.mark.parametrize("permission", [P.OVERRIDE_EDIT, P.EDITION_SUBMIT, P.EDITION_DECIDE])
def test_a_schools_own_decisions_are_the_schools(permission: Permission) -> None:
    everything = actor(*TRUST_ROLES)
    assert permission not in EVERYWHERE
    assert not everything.can(permission, ASHGROVE)
    assert not everything.can_anywhere(permission)


def test_the_portal_itself_holds_no_role() -> None:
    portal = Actor.portal(uuid4())
    assert portal.person_id is None
    assert not portal.is_officer
    assert portal.school_ids == frozenset()
    for permission in Permission:
        assert not portal.can_anywhere(permission)
        with pytest.raises(Forbidden):
            portal.require(permission)


def test_the_central_team_sees_no_schools_rows() -> None:
    team = actor(Role.CENTRAL_STAFF)
    assert not team.is_officer
    assert not team.can(Permission.EDITION_READ, ASHGROVE)
    assert team.can(Permission.EDITION_READ)


def test_the_schools_of_a_person_are_those_of_their_roles() -> None:
    who = actor(schools={ASHGROVE: frozenset({Role.STAFF}), BIRCHWOOD: frozenset({Role.GOVERNOR})})
    assert who.school_ids == {ASHGROVE, BIRCHWOOD}
    assert who.roles_at(ASHGROVE) == {Role.STAFF}
    assert who.roles_at(None) == who.roles_at(ELSEWHERE) == frozenset()
