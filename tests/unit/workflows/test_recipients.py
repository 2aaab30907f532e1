"""Who receives an allegation: by the most senior of those whom it is about, and never one of them."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustportal.access import SCHOOL_ROLES, Role
from trustportal.errors import RuleBroken
from trustportal.workflows.domain import intake, reading
from trustportal.workflows.domain.recipients import (
    DEFAULTS,
    LINES,
    Contact,
    Line,
    SchoolsLine,
    Table,
    as_routes,
    check,
    differs,
    line_of,
    rules_for,
    vacant,
    with_line,
)
from trustportal.workflows.domain.routing import Circumstances, Post, Roster, Tie, barred, route

A, B = uuid4(), uuid4()
DEFINITION = reading.shipped()["allegation"]


def serving(*posts: tuple[Role, UUID | None], person: UUID | None = None) -> tuple[UUID, list[Post]]:
    """Somebody with posts."""
    person = person or uuid4()
    return person, [Post(person, role, school) for role, school in posts]


def test_the_head_of_two_schools_goes_to_the_board_wherever_it_happened() -> None:
    head, posts = serving((Role.HEADTEACHER, A), (Role.HEADTEACHER, B))
    assert line_of(Table(), Roster(tuple(posts)), [head], A) is Line.EXECUTIVE_HEAD
    assert line_of(Table(), Roster(tuple(posts)), [head], B) is Line.EXECUTIVE_HEAD


def test_a_head_of_school_goes_to_the_legal_headteacher_only_where_the_trust_says_so() -> None:
    legal, posts = serving((Role.HEADTEACHER, A))
    below, more = serving((Role.HEADTEACHER, A))
    worker, staff = serving((Role.STAFF, A))
    roster = Roster((*posts, *more, *staff))
    assert line_of(Table(), roster, [below], A) is Line.HEAD
    table = Table(schools={A: SchoolsLine(legal_head=legal)})
    assert line_of(table, roster, [below], A) is Line.HEAD_OF_SCHOOL
    assert rules_for(table, roster, [below], A)[0].person == legal
    assert line_of(table, roster, [legal], A) is Line.HEAD
    assert all(rule.person is None for rule in rules_for(table, roster, [legal], A))
    assert rules_for(table, roster, [worker], A)[0].person == legal


def test_a_head_elsewhere_who_teaches_here_is_a_teacher_here() -> None:
    both, posts = serving((Role.HEADTEACHER, A), (Role.STAFF, B))
    assert line_of(Table(), Roster(tuple(posts)), [both], B) is Line.WORKER
    assert line_of(Table(), Roster(tuple(posts)), [both], A) is Line.HEAD
    # A head who sits on the trust board is above their chair.
    member, more = serving((Role.HEADTEACHER, A), (Role.TRUSTEE, None))
    assert line_of(Table(), Roster(tuple(more)), [member, both], A) is Line.TRUSTEE


def test_a_table_that_could_reach_whom_it_is_about_is_refused() -> None:
    check(Table())
    for line, role in (
        (Line.HEAD, Role.HEADTEACHER),
        (Line.HEAD, Role.DEPUTY_HEADTEACHER),
        (Line.EXECUTIVE_HEAD, Role.HEADTEACHER),
        (Line.CEO, Role.CEO),
        (Line.CEO, Role.HR_LEAD),
        (Line.BOARD_CHAIR, Role.CEO),
        (Line.UNSAFE, Role.CHAIR_OF_GOVERNORS),
        (Line.WORKER, Role.NETWORK_MANAGER),
        (Line.WORKER, Role.DSL),
    ):
        with pytest.raises(RuleBroken):
            check(with_line(Table(), line, (role,)))
    with pytest.raises(RuleBroken, match="once"):
        check(with_line(Table(), Line.WORKER, (Role.HEADTEACHER, Role.HEADTEACHER)))
    with pytest.raises(RuleBroken, match="not in the list"):
        check(Table(schools={A: SchoolsLine("Nowhere")}))


def test_a_table_is_kept_as_it_was_written_and_says_what_it_changes() -> None:
    table = Table(
        {**DEFAULTS, Line.WORKER: (Role.HEADTEACHER, Role.DEPUTY_HEADTEACHER)},
        (Contact("Northshire", "Lana", "01632 960 117", local_rule="within 24 hours"),),
        {A: SchoolsLine("Northshire", B)},
    )
    assert Table.read(table.stored()) == table
    assert Table.read(None) == Table()
    assert table.contact(A) == table.contact(None) == table.contacts[0]
    assert "the deputy headteacher" in differs(Table(), table)[0]
    assert len(differs(Table(), table)) == 3
    assert as_routes(Table()) == DEFINITION.routes or len(as_routes(Table())) >= len(DEFINITION.routes)


def test_a_school_without_anybody_for_an_allegation_about_its_head_is_named() -> None:
    _, head = serving((Role.HEADTEACHER, A))
    assert len(vacant(Table(), Roster(tuple(head)), [(A, "Ashgrove")])) == 2
    _, board = serving((Role.CHAIR_OF_TRUST_BOARD, None))
    assert vacant(Table(), Roster((*head, *board)), [(A, "Ashgrove")]) == []


PEOPLE = [uuid4() for _ in range(7)]
POSTS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(list(Role)), st.sampled_from([A, B])),
    min_size=1,
    max_size=12,
).map(
    lambda given_: tuple(
        Post(person, role, school if role in SCHOOL_ROLES else None) for person, role, school in given_
    )
)
TIES = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.booleans()), max_size=4).map(
    lambda given_: tuple(Tie(one, other, leads) for one, other, leads in given_ if one != other)
)


@settings(max_examples=150)
@given(
    posts=POSTS,
    ties=TIES,
    absent=st.frozensets(st.sampled_from(PEOPLE), max_size=3),
    about=st.frozensets(st.sampled_from(PEOPLE), min_size=1, max_size=3),
    involved=st.sampled_from(["no", "head", "unsafe"]),
    lines=st.dictionaries(
        st.sampled_from(list(Line)), st.lists(st.sampled_from(list(Role)), max_size=4).map(tuple), max_size=4
    ),
)
def test_it_fails_closed_whatever_the_table_says(
    posts: tuple[Post, ...],
    ties: tuple[Tie, ...],
    absent: frozenset[UUID],
    about: frozenset[UUID],
    involved: str,
    lines: dict[Line, tuple[Role, ...]],
) -> None:
    """Also with a table that nobody would approve: never a subject, whom they lead or are tied to, or who is away."""
    roster = Roster(posts, ties, absent)
    table = Table({**DEFAULTS, **lines})
    rules = rules_for(table, roster, about, A, involved)
    case = Circumstances(A, None, {}, about, routed=rules)
    found = route(DEFINITION, DEFINITION.first.seats[0], roster, case)
    assert not set(found.people) & (barred(roster, about) | absent)
    assert set(found.people) <= roster.people()
    if involved == "unsafe" and Line.UNSAFE not in lines:
        assert all(any(post.person == one and post.school is None for post in posts) for one in found.people)


def test_the_words_of_a_report_keep_out_whoever_they_may_mean() -> None:
    head, posts = serving((Role.HEADTEACHER, A))
    smith, more = serving((Role.STAFF, A))
    elsewhere, others = serving((Role.STAFF, B))
    roster = Roster((*posts, *more, *others))
    names = {head: "Helen O’Marsden", smith: "Sam Smith", elsewhere: "Sue Smith"}

    def meant(words: str) -> frozenset[UUID]:
        return intake.perhaps_about(words, roster, names, A)

    assert meant("Mr Smith") == {smith}
    assert meant("mrs o’marsden") == {head}
    assert meant("the Head.") == {head}
    assert meant("the man with the beard") == frozenset()
    assert LINES
    code = intake.new_code(lambda signs: signs[3])
    assert intake.code_hash(code.lower().replace("-", " ")) == intake.code_hash(code)
