"""Who is asked about case records; a ZIP that is written in steps; who receives what is about a head."""

from __future__ import annotations

import io
import zipfile
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustportal.access import Role
from trustportal.archives.domain import choose_two
from trustportal.packing import Member, Steps, csv_bytes, slug, sums, whole
from trustportal.workflows.domain.recipients import Line, Table, about_head, with_line
from trustportal.workflows.domain.routing import Post, Roster, Tie

PEOPLE = [UUID(int=number) for number in range(4)]
several = st.lists(st.sampled_from(PEOPLE), max_size=3, unique=True)


@given(several, several, st.sampled_from(PEOPLE))
def test_two_different_people_are_asked_and_never_who_asks(
    dpos: list[UUID], chairs: list[UUID], asked_by: UUID
) -> None:
    two = choose_two(dpos, chairs, asked_by)
    possible = [(one, other) for one in dpos for other in chairs if len({one, other, asked_by}) == 3]
    assert two == (possible[0] if possible else None)


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["txt", "pdf", "json"]), st.binary(max_size=3000)), max_size=3),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 5000),
)
def test_a_zip_in_steps_is_one_zip(steps: list[list[tuple[str, bytes]]], piece: int) -> None:
    written, members = b"", list[Member]()
    wanted: dict[str, bytes] = {}
    for number, files in enumerate(steps):
        with Steps(len(written)) as out:
            for at, (ending, content) in enumerate(files):
                name = f"folder-{number}/früh-{at}.{ending}"
                wanted[name] = content
                out.add(name, content)
            if number == len(steps) - 1:
                out.finish(members)
        members += out.members
        pieces = list(out.pieces(piece))
        assert all(len(one) <= piece for one in pieces)
        written += b"".join(pieces)
    with zipfile.ZipFile(io.BytesIO(written)) as packed:
        assert packed.testzip() is None
        assert {name: packed.read(name) for name in packed.namelist()} == wanted
    assert [one.name for one in members] == list(wanted)


def test_a_step_that_fails_leaves_nothing() -> None:
    out = Steps(0)

    def fails() -> None:
        with out, out.open("half.txt") as write:
            write(b"some")
            raise RuntimeError("half")

    with pytest.raises(RuntimeError, match="half"):
        fails()
    assert out.members == []


def test_lists_and_names_can_be_opened_anywhere() -> None:
    assert slug("Zoë’s “Policy” / 2") == "zo-s-policy-2"
    assert csv_bytes(("A",), [("=1+1",)]) == b"\xef\xbb\xbfA\r\n'=1+1\r\n"
    assert whole({"a": b"1"}) == whole({"a": b"1"})
    assert sums({"a": b""}).endswith(b"  a\n")


def test_who_receives_what_is_about_a_head() -> None:
    school, head, chair, deputy, board = (uuid4() for _ in range(5))
    at_school = [Post(head, Role.HEADTEACHER, school), Post(deputy, Role.DEPUTY_HEADTEACHER, school)]
    with_chair = [*at_school, Post(chair, Role.CHAIR_OF_GOVERNORS, school)]
    with_board = [*with_chair, Post(board, Role.CHAIR_OF_TRUST_BOARD, None)]

    def found(posts: list[Post], table: Table | None = None, **beside: object) -> set[UUID]:
        roster = Roster(tuple(posts), **beside)  # type: ignore[arg-type]
        return set(about_head(table or Table(), roster, school))

    assert found([Post(chair, Role.CHAIR_OF_GOVERNORS, school)]) == set()
    assert found(at_school) == set()
    assert found(with_chair) == {chair}
    assert found(with_board) == {chair, board}
    assert found(with_chair, ties=(Tie(head, chair),)) == set()
    assert found(with_board, ties=(Tie(head, chair),)) == {board}
    assert found(with_chair, absent=frozenset({chair})) == set()
    # Two heads share a school: neither is the other's recipient, and each needs one.
    job_share = [*with_chair, Post(chair, Role.HEADTEACHER, school)]
    assert found(job_share) == set()
    assert found([*at_school, Post(head, Role.CHAIR_OF_GOVERNORS, school)]) == set()
    only_board = with_line(Table(), Line.HEAD, (Role.CHAIR_OF_TRUST_BOARD,))
    assert found(with_chair, only_board) == set()
    assert found(with_board, only_board) == {board}
