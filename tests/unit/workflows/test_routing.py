"""Who gets a task, and who never does."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.workflows.given_workflows import (
    SCHOOL,
    by_field,
    definitions,
    person,
    role_rule,
    roster,
    rosters,
)
from trustportal.access import Role
from trustportal.workflows.domain.definition import Definition, Route, Rule, RuleKind, Seat
from trustportal.workflows.domain.routing import (
    Circumstances,
    Post,
    Roster,
    Tie,
    barred,
    route,
    watchers,
)

HEAD, CHAIR, TEACHER, CEO, BOARD, DSL = (person(number) for number in range(1, 7))
STAFFED = roster(
    headteacher=1, chair_of_governors=2, staff=[3, 7], ceo=4, chair_of_trust_board=5, dsl=6, clerk=8
)

ABOUT_STAFF = Definition(
    key="concern",
    title="Concern",
    summary="",
    start_label="",
    states=(),
    routes=(
        Route((Role.HEADTEACHER,), (role_rule(Role.CHAIR_OF_GOVERNORS),)),
        Route((Role.CEO,), (role_rule(Role.CHAIR_OF_TRUST_BOARD),)),
        Route((Role.NETWORK_MANAGER, Role.CENTRAL_STAFF), (role_rule(Role.CEO),)),
        Route((Role.CHAIR_OF_GOVERNORS, Role.GOVERNOR), (role_rule(Role.CHAIR_OF_TRUST_BOARD),)),
        Route((), (role_rule(Role.HEADTEACHER),)),
    ),
    upwards=(role_rule(Role.CHAIR_OF_GOVERNORS), role_rule(Role.CHAIR_OF_TRUST_BOARD)),
    safeguarding=True,
)
SEAT = Seat("manager", "Case manager", (Rule(RuleKind.ROUTE),))


def about(*subjects: UUID, among: Roster = STAFFED, starter: UUID | None = None) -> tuple[UUID, ...]:
    case = Circumstances(SCHOOL, starter, {}, frozenset(subjects))
    return route(ABOUT_STAFF, SEAT, among, case).people


def test_about_a_teacher_goes_to_the_head() -> None:
    assert about(TEACHER) == (HEAD,)


def test_about_the_head_goes_to_the_chair() -> None:
    assert about(HEAD) == (CHAIR,)


def test_about_head_and_teacher_together_goes_to_the_chair() -> None:
    assert about(TEACHER, HEAD) == (CHAIR,)


def test_about_a_head_who_is_the_dsl_too_goes_to_the_chair() -> None:
    both = Roster((*STAFFED.posts, Post(HEAD, Role.DSL, SCHOOL)))
    assert about(HEAD, among=both) == (CHAIR,)


def test_without_a_chair_it_goes_up_and_never_back_to_the_head() -> None:
    vacant = roster(headteacher=1, staff=3, ceo=4, chair_of_trust_board=5, dsl=6)
    assert about(HEAD, among=vacant) == (BOARD,)


def test_a_chair_who_is_tied_to_the_head_is_passed_over() -> None:
    married = Roster(STAFFED.posts, (Tie(CHAIR, HEAD),))
    assert about(HEAD, among=married) == (BOARD,)
    alone = Roster(tuple(post for post in STAFFED.posts if post.person != BOARD), (Tie(CHAIR, HEAD),))
    assert about(HEAD, among=alone) == (), "nobody is left: the LADO directly"


def test_about_the_chief_executive_and_central_staff() -> None:
    central = Roster((*STAFFED.posts, Post(person(9), Role.NETWORK_MANAGER, None)))
    assert about(CEO, among=central) == (BOARD,)
    assert about(person(9), among=central) == (CEO,)
    assert about(CHAIR) == (BOARD,)


def test_a_head_elsewhere_who_teaches_here_is_a_teacher_here() -> None:
    elsewhere = UUID(int=2)
    both = Roster((*STAFFED.posts, Post(TEACHER, Role.HEADTEACHER, elsewhere)))
    assert about(TEACHER, among=both) == (HEAD,)


def test_an_acting_head_is_asked_before_the_one_who_is_away() -> None:
    acting = Roster((*STAFFED.posts, Post(DSL, Role.HEADTEACHER, SCHOOL, acting=True)))
    assert about(TEACHER, among=acting) == (DSL,)


def test_nobody_signs_twice_where_the_form_says_apart() -> None:
    seat = Seat(
        "head",
        "Head",
        (role_rule(Role.HEADTEACHER), role_rule(Role.CEO)),
        ("starter", "manager", "state:first"),
    )
    definition = Definition(key="k", title="", summary="", start_label="", states=())

    def who(
        starter: UUID, values: dict[str, str], signers: tuple[tuple[str, UUID], ...] = ()
    ) -> tuple[UUID, ...]:
        return route(
            definition, seat, STAFFED, Circumstances(SCHOOL, starter, values, signers=signers)
        ).people

    assert who(TEACHER, {}) == (HEAD,)
    assert who(HEAD, {}) == (CEO,)
    assert who(TEACHER, {"manager": str(HEAD)}) == (CEO,)
    assert who(TEACHER, {}, (("first", HEAD),)) == (CEO,)


def test_a_named_person_who_has_left_is_passed_over() -> None:
    definition = Definition(key="k", title="", summary="", start_label="", states=())
    seat = Seat("x", "X", (by_field("manager"), role_rule(Role.HEADTEACHER)))
    case = Circumstances(SCHOOL, TEACHER, {"manager": str(person(77))})
    assert route(definition, seat, STAFFED, case).people == (HEAD,)


@given(definitions(), rosters(), st.integers(0, 9), st.integers(0, 9))
def test_no_seat_and_no_watcher_is_ever_a_subject(
    definition: Definition, among: Roster, subject: int, starter: int
) -> None:
    about_them = frozenset({person(subject)})
    case = Circumstances(SCHOOL, person(starter), {"about": str(person(subject))}, about_them)
    never = barred(among, about_them)
    assert person(subject) in never
    for _state, seat in definition.seats():
        routed = route(definition, seat, among, case)
        assert not set(routed.people) & never
        if "starter" in seat.apart_from:
            assert person(starter) not in routed.people
    assert not watchers(definition, among, case) & never
