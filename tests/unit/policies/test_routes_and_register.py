"""Routes as data, where a policy applies, tiers, and when a review reminds."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustportal.access import Role
from trustportal.errors import RuleBroken
from trustportal.policies.domain import routes
from trustportal.policies.domain.approval import ApprovalRule, Stage, judge
from trustportal.policies.domain.clauses import Mode
from trustportal.policies.domain.places import Where
from trustportal.policies.domain.register import Tier, post_named, reminder_slot, tier_of
from trustportal.policies.domain.routes import Step

BOARD = Step("Trust board", ApprovalRule.MAJORITY, roles=("trustee", "chair_of_trust_board"), quorum=3)
steps = st.builds(
    Step,
    body=st.text(min_size=1),
    rule=st.sampled_from(ApprovalRule),
    roles=st.lists(st.sampled_from([role.value for role in routes.VERSION_ROLES]), unique=True).map(tuple),
    people=st.lists(st.uuids().map(str), unique=True, max_size=3).map(tuple),
    needed=st.integers(1, 9),
    quorum=st.integers(0, 9),
    chair_may_act=st.booleans(),
)


@given(st.lists(steps, max_size=4))
def test_a_route_is_kept_as_it_was_set(given_steps: list[Step]) -> None:
    assert list(routes.steps_from_json(routes.steps_to_json(given_steps))) == given_steps


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"body": " "}, "stage-0-body"),
        ({"roles": ()}, "stage-0-who"),
        ({"roles": ("dpo",)}, "stage-0-who"),
        ({"people": ("stranger",)}, "stage-0-who"),
        ({"rule": ApprovalRule.NAMED}, "stage-0-rule"),
        ({"roles": ("trustee",), "chair_may_act": True}, "stage-0-chair_may_act"),
        ({"quorum": 5}, "stage-0-quorum"),
        ({"rule": ApprovalRule.N_OF, "needed": 5, "quorum": 0}, "stage-0-needed"),
    ],
)
def test_a_route_that_could_not_work_names_its_field(changed: dict[str, object], field: str) -> None:
    from dataclasses import replace

    wrong = replace(BOARD, **changed)  # type: ignore[arg-type]
    with pytest.raises(RuleBroken) as refused:
        routes.check_steps(
            [wrong],
            roles=routes.VERSION_ROLES,
            people={"a", "b", "c"},
            holders={"trustee": ["a", "b"], "chair_of_trust_board": ["c"]},
        )
    assert refused.value.field == field


def test_a_good_route_is_taken_and_an_empty_or_endless_one_is_not() -> None:
    routes.check_steps([BOARD], roles=routes.VERSION_ROLES, people=())
    for wrong in ([], [BOARD] * (routes.MOST_STAGES + 1)):
        with pytest.raises(RuleBroken):
            routes.check_steps(wrong, roles=routes.VERSION_ROLES, people=())


def test_a_member_is_one_while_the_post_or_the_name_holds() -> None:
    stage = Stage("Board", ApprovalRule.ALL, ("a", "b"), roles=("trustee",), named=("b",))
    assert stage.is_member("a", {"trustee"})
    assert not stage.is_member("a", {"ceo"})
    assert stage.is_member("b", set())
    assert not stage.is_member("c", {"trustee"})
    assert Stage.from_json(stage.to_json()) == stage
    assert judge(stage, (), (), "").needed == 2


def test_rules_are_said_in_words() -> None:
    assert routes.rule_words(BOARD) == "a majority of those entitled, with a quorum of 3"
    assert routes.rule_words(routes.CHAIR) == "one of its members"


def test_where_a_policy_applies() -> None:
    for where in (Where(), Where(frozenset({"a"}), True), Where(frozenset(), True)):
        assert Where.from_json(where.to_json()) == where
        where.check({"a"})
    for wrong in (Where(frozenset()), Where(frozenset({"elsewhere"}))):
        with pytest.raises(RuleBroken):
            wrong.check({"a"})


def test_tiers() -> None:
    assert tier_of([Mode.LOCKED, Mode.LOCKED], of_school=False) is Tier.TRUST
    assert tier_of([Mode.LOCKED, Mode.EXTEND], of_school=False) is Tier.TEMPLATE
    assert tier_of([Mode.LOCKED], of_school=True) is Tier.SCHOOL


def test_the_post_that_a_header_means() -> None:
    school = {"headteacher": "Head of School"}
    assert post_named("the head of school", [school]) is Role.HEADTEACHER
    assert post_named("Trust  Network Manager", []) is Role.NETWORK_MANAGER
    assert post_named("Company secretary", [{"clerk": "Company Secretary"}]) is Role.CLERK
    assert post_named("Site manager", [school]) is None
    assert post_named("", []) is None
    assert post_named("Headteacher", [], [Role.CEO]) is None


def test_when_a_review_reminds() -> None:
    review = date(2027, 3, 31)
    said = {
        date(2027, 1, 30): None,
        date(2027, 1, 31): date(2027, 1, 31),
        date(2027, 2, 27): date(2027, 1, 31),
        date(2027, 2, 28): date(2027, 2, 28),
        date(2027, 3, 24): date(2027, 3, 24),
        date(2027, 4, 6): date(2027, 3, 24),
        date(2027, 4, 7): date(2027, 4, 7),
        date(2027, 4, 20): date(2027, 4, 14),
    }
    assert {day: reminder_slot(review, day) for day in said} == said


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(-100, 400))
def test_slots_have_come_never_go_back_and_are_at_most_a_week_old_when_late(review: date, days: int) -> None:
    today = review + timedelta(days=days)
    slot, tomorrow = reminder_slot(review, today), reminder_slot(review, today + timedelta(days=1))
    if slot is not None:
        assert slot <= today
        assert tomorrow is not None
        assert tomorrow >= slot
    if days >= 7:
        assert slot is not None
        assert today - slot < timedelta(days=7)
