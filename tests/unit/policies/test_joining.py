"""A school's own policy laid beside the trust's: every clause once, in order, with what the modes allow."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trustportal.policies.domain.clauses import Clause, Kind, Mode, Words
from trustportal.policies.domain.joining import Kin, OwnClause, Proposal, align, folded, likeness

TREE = (
    Clause("aims", None, Kind.SECTION, "Aims"),
    Clause("low", "aims", Kind.CLAUSE, "", "Kites are flown low over the moor by keepers.", Mode.ADAPTABLE),
    Clause("book", "aims", Kind.CLAUSE, "", "Every flight is written in the moor book at once.", Mode.LOCKED),
    Clause("string", "aims", Kind.CLAUSE, "Strings", "Strings are made of wool and are short.", Mode.EXTEND),
    Clause("ends", None, Kind.SECTION, "Ends"),
    Clause("night", "ends", Kind.CLAUSE, "", "Nobody flies at night without a lamp.", Mode.LOCKED),
)


def rows(*theirs: OwnClause) -> list[tuple[Kin, int | None, str | None, Proposal, str]]:
    return [(one.kin, one.own, one.key, one.proposal, one.anchor) for one in align(theirs, TREE)]


def test_same_similar_only_theirs_and_missing() -> None:
    found = rows(
        OwnClause("1", "Aims", ""),
        OwnClause("1.1", "", "Kites are flown **low** over the moor by keepers."),
        OwnClause("1.2", "", "Each flight is written in the big moor book at once."),
        OwnClause("1.3", "", "Goats may watch from behind the fence, if they are quiet."),
        OwnClause("1.4", "String", "Strings are made of wool or silk and are short."),
        OwnClause("2", "Ends", ""),
        OwnClause("2.1", "", "We ring the bell when the wind turns and all kites come down."),
    )
    assert found == [
        (Kin.SAME, 0, "aims", Proposal.NOTHING, ""),
        (Kin.SAME, 1, "low", Proposal.NOTHING, ""),
        (Kin.SIMILAR, 2, "book", Proposal.ADD, "low"),
        (Kin.ONLY_THEIRS, 3, None, Proposal.ADD, "low"),
        (Kin.SIMILAR, 4, "string", Proposal.ADD, "string"),
        (Kin.SAME, 5, "ends", Proposal.NOTHING, ""),
        (Kin.ONLY_THEIRS, 6, None, Proposal.NOTHING, ""),
        (Kin.MISSING, None, "night", Proposal.NOTHING, ""),
    ]


def test_an_adaptable_clause_can_be_replaced_and_a_moved_one_is_found() -> None:
    found = rows(
        OwnClause("1", "", "Nobody flies at night without a bright lamp."),
        OwnClause("2", "", "Kites are flown very low over the moor by keepers."),
    )
    assert (Kin.SIMILAR, 1, "low", Proposal.REPLACE, "low") in found
    assert (Kin.SIMILAR, 0, "night", Proposal.NOTHING, "") in found


def test_the_trusts_words_are_compared_as_they_read_at_the_school() -> None:
    tree = (Clause("a", None, Kind.CLAUSE, "", "Ask {{role.headteacher}} first.", Mode.ADAPTABLE),)
    own = [OwnClause("", "", "Ask the Head of School first.")]
    assert align(own, tree, {"a": Words("", "Ask the Head of School first.")})[0].kin is Kin.SAME


WORDS = st.lists(
    st.sampled_from(["kite", "string", "wind", "moor", "goat", "lamp", "bell", "low"]), min_size=1, max_size=6
)
TEXTS = st.lists(WORDS.map(" ".join), max_size=8)
MODES = st.sampled_from(list(Mode))


@given(TEXTS, st.lists(st.tuples(WORDS.map(" ".join), MODES), max_size=8))
def test_every_clause_of_both_stands_once_and_theirs_keep_what_modes_allow(
    theirs: list[str], trusts: list[tuple[str, Mode]]
) -> None:
    tree = tuple(
        Clause(f"c{at}", None, Kind.CLAUSE, "", text, mode) for at, (text, mode) in enumerate(trusts)
    )
    found = align([OwnClause("", "", text) for text in theirs], tree)
    assert sorted(one.own for one in found if one.own is not None) == list(range(len(theirs)))
    assert [one.key for one in found if one.key is not None] == [clause.key for clause in tree]
    modes = {clause.key: clause.mode for clause in tree}
    for one in found:
        if one.proposal is Proposal.REPLACE:
            assert one.key is not None
            assert modes[one.key] is Mode.ADAPTABLE
        if one.proposal is Proposal.ADD:
            assert modes[one.anchor] is not Mode.LOCKED
        if one.kin is Kin.SAME and one.own is not None and one.key is not None and theirs[one.own]:
            assert theirs[one.own].split() == dict(zip(modes, trusts, strict=True))[one.key][0].split()


@given(TEXTS.filter(bool))
def test_a_policy_beside_itself_is_the_same_throughout(texts: list[str]) -> None:
    tree = tuple(Clause(f"c{at}", None, Kind.CLAUSE, "", text) for at, text in enumerate(texts))
    found = align([OwnClause("", "", text) for text in texts], tree)
    assert {one.kin for one in found} == {Kin.SAME}


@given(WORDS.map(" ".join), WORDS.map(" ".join))
def test_likeness_is_the_same_both_ways_and_one_only_for_the_same(one: str, other: str) -> None:
    alike = likeness(Words("", one), Words("", other))
    assert alike == likeness(Words("", other), Words("", one))
    assert 0 <= alike <= 1
    assert (alike == 1) == (one == other)


def test_a_subheading_and_its_paragraphs_are_one_clause() -> None:
    found = folded(
        [
            OwnClause("1.", "Aims", ""),
            OwnClause("", "", "Kites fly."),
            OwnClause("", "Strings", "", 1, subheading=True),
            OwnClause("", "", "They are short."),
            OwnClause("", "", "And made of wool."),
            OwnClause("a.", "", "Red ones."),
        ]
    )
    assert [(one.label, one.heading, one.text) for one in found] == [
        ("1.", "Aims", ""),
        ("", "", "Kites fly."),
        ("", "Strings", "They are short.\n\nAnd made of wool."),
        ("a.", "", "Red ones."),
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "a."]), st.sampled_from(["", "Aims"]), WORDS.map(" ".join), st.booleans()
        )
    )
)
def test_folding_loses_no_word(parts: list[tuple[str, str, str, bool]]) -> None:
    clauses = [OwnClause(label, heading, text, 0, sub) for label, heading, text, sub in parts]
    before = " ".join(f"{one.label} {one.heading} {one.text}" for one in clauses).split()
    assert " ".join(f"{one.label} {one.heading} {one.text}" for one in folded(clauses)).split() == before
