"""Approval: each rule, quorum, recusal, whose vote counts, when a run ends, and minuted decisions."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustportal.errors import RuleBroken
from trustportal.policies.domain.approval import (
    ApprovalRule,
    Minute,
    MinuteOutcome,
    Outcome,
    Stage,
    Vote,
    VoteChoice,
    barred_from,
    check_minute,
    check_route,
    check_vote,
    check_withdraw,
    judge,
    judge_run,
    stages_from_json,
    stages_to_json,
)

HASH = "f" * 64
FIVE = ("ann", "ben", "cat", "dan", "eve")
YES, NO, OUT = VoteChoice.APPROVE, VoteChoice.CHANGES, VoteChoice.RECUSE
BOARD = Stage("Board of trustees", ApprovalRule.MAJORITY, FIVE)
CHAIR = Stage("Chair", ApprovalRule.NAMED, ("ann",))


def votes(**cast: VoteChoice) -> list[Vote]:
    return [
        Vote(person, choice, HASH, "Please shorten 3.1." if choice is NO else "")
        for person, choice in cast.items()
    ]


def outcome(stage: Stage, barred: frozenset[str] = frozenset(), **cast: VoteChoice) -> Outcome:
    return judge(stage, votes(**cast), barred, HASH).outcome


def test_a_named_person_decides_alone() -> None:
    assert outcome(CHAIR) is Outcome.PENDING
    assert outcome(CHAIR, ann=YES) is Outcome.APPROVED
    assert outcome(CHAIR, ann=NO) is Outcome.RETURNED
    assert outcome(CHAIR, ann=OUT) is Outcome.RETURNED


def test_n_of_a_body() -> None:
    two = Stage("Committee", ApprovalRule.N_OF, FIVE[:3], needed=2)
    assert outcome(two, ann=YES) is Outcome.PENDING
    assert outcome(two, ann=YES, ben=YES) is Outcome.APPROVED
    assert outcome(two, ann=YES, ben=NO) is Outcome.PENDING
    assert outcome(two, ann=NO, ben=NO) is Outcome.RETURNED
    assert outcome(two, ann=OUT, ben=NO) is Outcome.RETURNED


def test_a_majority_of_those_entitled_ends_the_vote_as_soon_as_it_stands() -> None:
    assert outcome(BOARD, ann=YES, ben=YES) is Outcome.PENDING
    assert outcome(BOARD, ann=YES, ben=YES, cat=YES) is Outcome.APPROVED
    assert outcome(BOARD, ann=NO, ben=NO) is Outcome.PENDING
    assert outcome(BOARD, ann=NO, ben=NO, cat=NO) is Outcome.RETURNED


def test_half_is_no_majority() -> None:
    four = Stage("Board", ApprovalRule.MAJORITY, FIVE[:4])
    assert outcome(four, ann=YES, ben=YES, cat=NO) is Outcome.PENDING
    assert outcome(four, ann=YES, ben=YES, cat=NO, dan=NO) is Outcome.RETURNED


def test_all_of_a_body() -> None:
    everybody = Stage("Board", ApprovalRule.ALL, FIVE[:3])
    assert outcome(everybody, ann=YES, ben=YES) is Outcome.PENDING
    assert outcome(everybody, ann=YES, ben=YES, cat=YES) is Outcome.APPROVED
    assert outcome(everybody, ann=NO) is Outcome.RETURNED
    assert outcome(everybody, ann=YES, ben=YES, cat=OUT) is Outcome.APPROVED


def test_a_recused_member_is_out_of_the_count() -> None:
    state = judge(BOARD, votes(ann=OUT, ben=OUT, cat=YES, dan=YES), frozenset(), HASH)
    assert (state.outcome, state.needed, state.entitled) == (Outcome.APPROVED, 2, ("cat", "dan", "eve"))
    assert state.recused == ("ann", "ben")
    assert outcome(Stage("B", ApprovalRule.ALL, ("ann",)), ann=OUT) is Outcome.RETURNED


def test_a_quorum_must_take_part_and_can_become_impossible() -> None:
    board = Stage("Board", ApprovalRule.N_OF, FIVE, needed=2, quorum=4)
    assert outcome(board, ann=YES, ben=YES, cat=NO) is Outcome.PENDING
    assert outcome(board, ann=YES, ben=YES, cat=NO, dan=NO) is Outcome.APPROVED
    assert outcome(board, ann=YES, ben=YES, cat=OUT) is Outcome.PENDING
    assert outcome(board, ann=YES, ben=YES, cat=OUT, dan=OUT) is Outcome.RETURNED


def test_the_author_is_out_of_the_count_and_cannot_vote() -> None:
    barred = barred_from(["ann"], "ben")
    assert barred == {"ann", "ben"}
    state = judge(BOARD, votes(ann=YES, ben=YES, cat=YES), barred, HASH)
    assert (state.approvals, state.needed, state.outcome) == (("cat",), 2, Outcome.PENDING)
    with pytest.raises(RuleBroken, match="wrote or submitted"):
        check_vote(BOARD, [], Vote("ann", YES, HASH), barred=barred, content_hash=HASH)


def test_a_route_that_could_never_be_met_is_refused() -> None:
    check_route([CHAIR, BOARD], frozenset({"ben"}))
    for stages, barred in (
        ([], frozenset()),
        ([BOARD, CHAIR], frozenset({"ann"})),
        ([Stage("C", ApprovalRule.N_OF, ("ann",), needed=2)], frozenset()),
        ([Stage("C", ApprovalRule.NAMED, ("ann", "ben"))], frozenset()),
        ([Stage("C", ApprovalRule.MAJORITY, ("ann", "ben"), quorum=3)], frozenset()),
        ([Stage("C", ApprovalRule.ALL, ())], frozenset()),
    ):
        with pytest.raises(RuleBroken) as refused:
            check_route(stages, barred)
        assert refused.value.field == "route"


def test_any_edit_voids_the_votes() -> None:
    edited = "e" * 64
    state = judge(CHAIR, votes(ann=YES), frozenset(), edited)
    assert state.outcome is Outcome.PENDING
    check_vote(CHAIR, votes(ann=YES), Vote("ann", YES, edited), barred=(), content_hash=edited)
    with pytest.raises(RuleBroken, match="changed after you opened it"):
        check_vote(CHAIR, [], Vote("ann", YES, HASH), barred=(), content_hash=edited)


@pytest.mark.parametrize(
    ("cast", "vote", "words"),
    [
        ({}, Vote("zoe", YES, HASH), "not one of those"),
        ({"ann": YES}, Vote("ann", NO, HASH, "Why"), "voted on this version already"),
        ({"ann": YES, "ben": YES, "cat": YES}, Vote("dan", YES, HASH), "has ended"),
        ({}, Vote("ann", NO, HASH, "  "), "what should be changed"),
    ],
)
def test_votes_that_are_refused(cast: dict[str, VoteChoice], vote: Vote, words: str) -> None:
    with pytest.raises(RuleBroken, match=words):
        check_vote(BOARD, votes(**cast), vote, barred=(), content_hash=HASH)


def test_votes_that_are_taken() -> None:
    for vote in (Vote("ann", YES, HASH), Vote("ann", NO, HASH, "Shorten it."), Vote("ann", OUT, HASH)):
        check_vote(BOARD, votes(ben=YES), vote, barred=(), content_hash=HASH)


def test_stages_come_one_after_another_and_a_return_ends_the_run() -> None:
    stages = [CHAIR, BOARD]
    run = judge_run(stages, {}, (), HASH)
    assert (run.outcome, run.stage) == (Outcome.PENDING, 0)
    run = judge_run(stages, {0: votes(ann=YES)}, (), HASH)
    assert (run.outcome, run.stage, len(run.stages)) == (Outcome.PENDING, 1, 2)
    run = judge_run(stages, {0: votes(ann=YES), 1: votes(ann=YES, ben=YES, cat=YES)}, (), HASH)
    assert (run.outcome, run.stage) == (Outcome.APPROVED, 1)
    run = judge_run(stages, {0: votes(ann=NO)}, (), HASH)
    assert (run.outcome, run.comments) == (Outcome.RETURNED, (("ann", "Please shorten 3.1."),))
    # A vote in a stage that is not open yet does not open it.
    assert judge_run(stages, {1: votes(ann=YES, ben=YES, cat=YES)}, (), HASH).stage == 0
    with pytest.raises(RuleBroken):
        judge_run([], {}, (), HASH)


def minuted(
    result: MinuteOutcome = MinuteOutcome.APPROVED,
    *,
    met_on: date = date(2025, 7, 1),
    reference: str = "2025/3, 7",
    quorum_met: bool = True,
    content_hash: str = HASH,
    comment: str = "",
    body: str = "Board",
) -> Minute:
    return Minute(body, met_on, reference, quorum_met, result, content_hash, comment)


def test_a_minuted_decision_of_the_body_ends_its_stage() -> None:
    assert judge(BOARD, (), (), HASH, minuted()).outcome is Outcome.APPROVED
    assert judge(BOARD, (), (), HASH, minuted(quorum_met=False)).outcome is Outcome.PENDING
    assert judge(BOARD, (), (), HASH, minuted(content_hash="0")).outcome is Outcome.PENDING
    returned = judge(BOARD, (), (), HASH, minuted(MinuteOutcome.RETURNED, comment="Too long."))
    assert (returned.outcome, returned.comments) == (Outcome.RETURNED, (("Board", "Too long."),))
    assert judge_run([BOARD], {}, (), HASH, {0: minuted()}).outcome is Outcome.APPROVED


@pytest.mark.parametrize(
    ("minute", "field"),
    [
        (minuted(met_on=date(2025, 7, 3)), "met_on"),
        (minuted(reference=" "), "minute_reference"),
        (minuted(quorum_met=False), "quorum_met"),
        (minuted(MinuteOutcome.RETURNED), "comment"),
        (minuted(body=""), "body"),
        (minuted(content_hash="0"), None),
    ],
)
def test_minuted_decisions_that_are_refused(minute: Minute, field: str | None) -> None:
    check_minute(BOARD, minuted(), content_hash=HASH, today=date(2025, 7, 2))
    with pytest.raises(RuleBroken) as refused:
        check_minute(BOARD, minute, content_hash=HASH, today=date(2025, 7, 2))
    assert refused.value.field == field


def test_only_the_submitter_withdraws_and_only_while_it_is_open() -> None:
    check_withdraw("ann", "ann", Outcome.PENDING)
    with pytest.raises(RuleBroken, match="Only the person"):
        check_withdraw("ben", "ann", Outcome.PENDING)
    with pytest.raises(RuleBroken, match="has ended"):
        check_withdraw("ann", "ann", Outcome.APPROVED)


def test_a_route_comes_back_from_json() -> None:
    stages = (CHAIR, Stage("B", ApprovalRule.N_OF, FIVE, 2, 3))
    assert stages_from_json(stages_to_json(stages)) == stages


stages_drawn = st.builds(
    Stage,
    st.just("Body"),
    st.sampled_from(list(ApprovalRule)),
    st.integers(1, 5).map(lambda count: FIVE[:count]),
    st.integers(1, 4),
    st.integers(0, 4),
)
orders = st.permutations(FIVE).flatmap(
    lambda people: st.lists(st.sampled_from(list(VoteChoice)), min_size=5, max_size=5).map(
        lambda choices: [
            Vote(person, choice, HASH, "c") for person, choice in zip(people, choices, strict=True)
        ]
    )
)


@given(stages_drawn, orders, st.sets(st.sampled_from(FIVE), max_size=2))
def test_a_stage_always_ends_and_what_ended_it_would_not_be_undone(
    stage: Stage, cast: list[Vote], barred: set[str]
) -> None:
    counted = [vote for vote in cast if vote.person in stage.members and vote.person not in barred]
    steps = [judge(stage, counted[:count], barred, HASH).outcome for count in range(len(counted) + 1)]
    assert steps[-1] is not Outcome.PENDING
    # Votes after the end are refused; among those of members who do not recuse themselves none would change it.
    without = [vote for vote in counted if vote.choice is not OUT]
    steps = [judge(stage, without[:count], barred, HASH).outcome for count in range(len(without) + 1)]
    ended = [step for step in steps if step is not Outcome.PENDING]
    assert len(set(ended)) <= 1
