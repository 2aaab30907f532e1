"""What a new version does to a school's answers: every row of the table, decisions, and that no words are lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.policies.given_policies import (
    addition,
    answers,
    appendix,
    changed,
    clause,
    left_out,
    replaced,
    section,
    situations,
    subheading,
    trees,
)
from trustportal.errors import RuleBroken
from trustportal.policies.domain.answers import Added, Answer, Override
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Tree, Words, by_key
from trustportal.policies.domain.plan import Choice, Pending, Plan, Situation
from trustportal.policies.domain.rebase import nearest_anchor, rebase
from trustportal.policies.domain.reconcile import (
    Decision,
    apply_decisions,
    decided_words,
    forced,
    kept_decisions,
)
from trustportal.policies.domain.resolve import Origin, resolve
from trustportal.policies.domain.tree import insert, move, remove

A = Mode.ADAPTABLE
PHONES = "Staff must keep their phones in a locker while pupils are in the building."
TREE: Tree = (
    section("use", mode=A, heading="Use"),
    clause("intro", "use", "Why we have this policy."),
    clause("phones", "use", PHONES, A, heading="Phones"),
    clause("photos", "use", "Ask before you take a photo.", Mode.EXTEND),
    section("rooms", mode=A, heading="Rooms"),
    clause("studio", "rooms", "The studio is booked.", A),
    clause("booth", "rooms", "The booth is shut.", A),
    appendix("form"),
)
OF = by_key(TREE)
OURS = PHONES.replace("a locker", "the staff room")


def planned(new: Tree, *given_answers: Override | Added, old: Tree = TREE) -> Plan:
    return rebase(
        old,
        new,
        {one.clause_key: one for one in given_answers if isinstance(one, Override)},
        [one for one in given_answers if isinstance(one, Added)],
    )


def only(plan: Plan) -> Pending:
    assert len(plan.pending) == 1
    return plan.pending[0]


# The rows of the table


def test_no_override_takes_the_new_text() -> None:
    new = changed(TREE, "phones", text="No phones.")
    plan = planned(new)
    assert (plan.overrides, plan.added, plan.settled, plan.pending) == ({}, (), (), ())
    assert plan.follows == ("phones",)


def test_an_override_is_carried_silently_when_the_trust_left_the_clause_alone() -> None:
    plan = planned(changed(TREE, "intro", text="New words."), replaced(OF["phones"], OURS))
    assert plan.carried == (replaced(OF["phones"], OURS),)
    assert not plan.needs_decision
    assert plan.settled == ()


def test_an_override_that_equals_the_new_text_is_dropped_and_told() -> None:
    plan = planned(changed(TREE, "phones", text=OURS), replaced(OF["phones"], OURS))
    assert plan.overrides == {}
    assert [(one.key, one.ours.text) for one in plan.dropped] == [("phones", OURS)]
    assert not plan.needs_decision


def test_an_override_whose_changes_the_trust_made_too_is_dropped() -> None:
    theirs = OURS.replace("Staff", "All staff and volunteers")
    plan = planned(changed(TREE, "phones", text=theirs), replaced(OF["phones"], OURS))
    assert [one.situation for one in plan.settled] == [Situation.EQUAL]


def test_an_override_that_has_the_trusts_changes_already_is_carried_on_the_new_text() -> None:
    theirs = PHONES.replace("building", "school")
    ours = theirs.replace("Staff", "Staff and volunteers")
    plan = planned(changed(TREE, "phones", text=theirs), replaced(OF["phones"], ours))
    assert plan.carried == (replace(replaced(OF["phones"], ours), base_text=theirs),)


def test_changes_apart_are_merged_and_wait_for_the_head_to_confirm() -> None:
    new = changed(TREE, "phones", text=PHONES.replace("building", "building or on a trip"))
    plan = planned(new, replaced(OF["phones"], OURS))
    merged = only(plan)
    assert (merged.situation, plan.merged) == (Situation.MERGED, (merged,))
    assert merged.merged == Words("Phones", OURS.replace("building", "building or on a trip"))
    overrides, _ = apply_decisions(plan, {"phones": Decision(Choice.CONFIRM)})
    assert overrides["phones"].text == merged.merged.text
    assert overrides["phones"].base_text == by_key(new)["phones"].text


def test_a_heading_and_a_text_changed_by_one_side_each_merge() -> None:
    plan = planned(changed(TREE, "phones", heading="Mobile phones"), replaced(OF["phones"], OURS))
    assert only(plan).merged == Words("Mobile phones", OURS)


CONFLICTING = changed(TREE, "phones", text=PHONES.replace("a locker", "the car"))


@pytest.mark.parametrize(
    ("decision", "text", "extra"),
    [
        (Decision(Choice.KEEP_OURS), OURS, []),
        (Decision(Choice.TAKE_THEIRS), None, []),
        (Decision(Choice.KEEP_BOTH), None, [OURS]),
        (Decision(Choice.WRITE, "Neither.", "Phones"), "Neither.", []),
        (Decision(Choice.WRITE, PHONES.replace("a locker", "the car"), "Phones"), None, []),
    ],
)
def test_changes_of_the_same_place_conflict(decision: Decision, text: str | None, extra: list[str]) -> None:
    plan = planned(CONFLICTING, replaced(OF["phones"], OURS))
    conflict = only(plan)
    assert (conflict.situation, conflict.base.text, conflict.ours.text) == (Situation.CONFLICT, PHONES, OURS)
    assert conflict.theirs == by_key(CONFLICTING)["phones"].words
    assert plan.overrides == {}
    overrides, added = apply_decisions(plan, {"phones": decision})
    assert (overrides["phones"].text if "phones" in overrides else None) == text
    assert [(one.after, one.text) for one in added] == [("phones", one) for one in extra]
    for one in overrides.values():
        assert one.base_text == by_key(CONFLICTING)["phones"].text


def test_headings_conflict_too_and_a_section_cannot_keep_both() -> None:
    plan = planned(
        changed(TREE, "use", heading="Using it"), replaced(OF["use"], None, heading="How we use it")
    )
    conflict = only(plan)
    assert conflict.situation is Situation.CONFLICT
    assert Choice.KEEP_BOTH not in conflict.choices
    with pytest.raises(RuleBroken, match="needs a heading"):
        apply_decisions(plan, {"use": Decision(Choice.WRITE, text="Text")})


def test_an_override_follows_its_key_when_the_clause_moves() -> None:
    new = move(TREE, "phones", parent="rooms", after="booth")
    plan = planned(new, replaced(OF["phones"], OURS))
    assert plan.overrides == {"phones": replaced(OF["phones"], OURS)}
    assert plan.moved == ("phones",)
    assert not plan.needs_decision


@pytest.mark.parametrize("mode", [Mode.LOCKED, Mode.EXTEND])
def test_a_clause_that_is_locked_now_has_the_trusts_text_and_the_words_are_kept(mode: Mode) -> None:
    new = changed(TREE, "phones", mode=mode)
    plan = planned(new, replaced(OF["phones"], OURS), addition("own", "phones"))
    assert plan.overrides == {}
    assert not plan.needs_decision
    told = [(one.key, one.ours.text) for one in plan.relocked]
    assert ("phones", OURS) in told
    # What is added after it may stay where the trust still allows additions.
    assert [one.key for one in plan.added] == (["own"] if mode is Mode.EXTEND else [])
    assert (("own", "Our own own.") in told) is (mode is Mode.LOCKED)


def test_a_clause_deleted_by_the_trust_is_kept_as_an_added_one_or_dropped() -> None:
    new = remove(TREE, "phones")
    plan = planned(new, replaced(OF["phones"], OURS), addition("own", "photos"))
    gone = only(plan)
    assert (gone.situation, gone.theirs, gone.anchor) == (Situation.DELETED, None, "intro")
    assert plan.deleted == (gone,)
    overrides, added = apply_decisions(plan, {"phones": Decision(Choice.KEEP_AS_ADDED)})
    assert overrides == {}
    assert {one.key: (one.after, one.heading, one.text) for one in added}["phones"] == (
        "intro",
        "Phones",
        OURS,
    )
    kept = resolve(new, NumberingStyle.DECIMAL, overrides, added, {})
    assert [(one.key, one.number, one.origin) for one in kept.clauses][1:3] == [
        ("intro", "1.1", Origin.TRUST),
        ("phones", "1.2", Origin.ADDED),
    ]
    assert [one.key for one in apply_decisions(plan, {"phones": Decision(Choice.DROP)})[1]] == ["own"]
    # Kept beside a locked clause, it stays there in the next version.
    assert rebase(new, new, overrides, added).added == added


# Beside the table


def test_what_was_left_out_is_carried_asked_about_or_locked() -> None:
    out = left_out(OF["studio"])
    assert planned(changed(TREE, "intro", text="New."), out).carried == (out,)
    new = changed(TREE, "studio", text="The studio may be used.")
    asked = only(planned(new, out))
    assert (asked.situation, asked.choices[0]) == (Situation.LEFT_OUT_CHANGED, Choice.KEEP_OURS)
    overrides, _ = apply_decisions(planned(new, out), {"studio": Decision(Choice.KEEP_OURS)})
    assert overrides["studio"] == replace(out, base_text="The studio may be used.")
    assert apply_decisions(planned(new, out), {"studio": Decision(Choice.TAKE_THEIRS)}) == ({}, ())
    written, _ = apply_decisions(planned(new, out), {"studio": Decision(Choice.WRITE, "Ours now.")})
    assert (written["studio"].answer, written["studio"].text) == (Answer.REPLACE, "Ours now.")
    locked = planned(changed(TREE, "studio", mode=Mode.LOCKED), out)
    assert [one.situation for one in locked.settled] == [Situation.RELOCKED]
    assert [one.situation for one in planned(remove(TREE, "studio"), out).settled] == [Situation.GONE]


def test_a_part_left_out_is_asked_about_when_it_grows_changes_or_loses_a_clause_to_another_part() -> None:
    out = left_out(OF["rooms"])
    grown = insert(TREE, clause("hall", "rooms", mode=A), after="booth")
    assert only(planned(grown, out)).situation is Situation.LEFT_OUT_CHANGED
    assert only(planned(changed(TREE, "booth", text="Open."), out)).situation is Situation.LEFT_OUT_CHANGED
    assert only(planned(move(TREE, "booth", parent="use"), out)).situation is Situation.LEFT_OUT_CHANGED
    assert planned(remove(TREE, "booth"), out).carried == (out,)
    locked = planned(insert(TREE, clause("hall", "rooms"), after="booth"), out)
    assert [one.situation for one in locked.settled] == [Situation.RELOCKED]
    assert "part" in locked.settled[0].message


def test_an_addition_whose_clause_is_deleted_is_asked_about_with_the_nearest_place() -> None:
    new = remove(TREE, "phones")
    plan = planned(new, addition("own", "phones"), addition("own-2", "own"), addition("end", "use"))
    assert [one.key for one in plan.added] == ["end"]
    assert {one.key: (one.situation, one.anchor) for one in plan.pending} == {
        "own": (Situation.ANCHOR_DELETED, "intro"),
        "own-2": (Situation.ANCHOR_DELETED, "own"),
    }
    keep, drop = Decision(Choice.KEEP_AS_ADDED), Decision(Choice.DROP)
    _, added = apply_decisions(plan, {"own": drop, "own-2": keep})
    assert {one.key: one.after for one in added} == {"end": "use", "own-2": "intro"}
    _, added = apply_decisions(plan, {"own": keep, "own-2": keep})
    assert {one.key: one.after for one in added} == {"end": "use", "own": "intro", "own-2": "own"}


def test_where_a_deleted_clause_would_stand() -> None:
    tree: Tree = (section("a"), clause("a1", "a"), clause("a2", "a"), clause("a21", "a2"), section("b"))
    assert nearest_anchor(tree, remove(tree, "a2"), "a21") == "a1"
    assert nearest_anchor(tree, remove(tree, "a1"), "a1") == "a"
    assert nearest_anchor(tree, remove(tree, "b"), "b") == "a"
    assert nearest_anchor(tree, remove(tree, "a"), "a1") == "b"
    assert nearest_anchor(tree, (), "a1") == ""
    assert nearest_anchor(tree, (appendix("x"),), "a1") == "x"
    away = move(remove(tree, "a2"), "a1", parent="b")
    assert nearest_anchor(tree, away, "a2") == "a"


def test_an_addition_gets_a_new_key_when_the_trust_brings_a_deleted_clause_back() -> None:
    without = remove(TREE, "phones")
    kept = (Added("phones", "intro", "Phones", OURS, "Why"), addition("own", "phones"))
    plan = rebase(without, TREE, {}, kept)
    assert [(one.key, one.after) for one in plan.added] == [
        ("phones-added", "intro"),
        ("own", "phones-added"),
    ]


def test_an_unrecorded_or_stale_answer_is_no_answer() -> None:
    inherit = replace(left_out(OF["phones"]), answer=Answer.INHERIT)
    assert planned(CONFLICTING, inherit).follows == ("phones",)
    assert planned(CONFLICTING, addition("own", "nowhere")).added == (addition("own", "nowhere"),)


# Decisions


def test_every_clause_must_be_decided_with_a_choice_that_is_open() -> None:
    plan = planned(CONFLICTING, replaced(OF["phones"], OURS))
    with pytest.raises(RuleBroken, match="Decide every clause"):
        apply_decisions(plan, {})
    with pytest.raises(RuleBroken, match="not open"):
        apply_decisions(plan, {"phones": Decision(Choice.CONFIRM)})
    with pytest.raises(RuleBroken, match="Write the text"):
        apply_decisions(plan, {"phones": Decision(Choice.WRITE, " ")})
    with pytest.raises(RuleBroken, match="Write the text"):
        apply_decisions(plan, {"phones": Decision(Choice.WRITE, " ", "A heading alone")})


def test_a_decision_can_give_a_new_reason() -> None:
    plan = planned(CONFLICTING, replaced(OF["phones"], OURS, reason="Old"))
    overrides, _ = apply_decisions(plan, {"phones": Decision(Choice.KEEP_OURS, reason="New")})
    assert overrides["phones"].reason == "New"


def test_a_newer_version_keeps_the_decisions_whose_texts_did_not_change() -> None:
    both = (replaced(OF["phones"], OURS), left_out(OF["studio"]))
    third = changed(CONFLICTING, "studio", text="Open.")
    first = planned(third, *both)
    decided = {"phones": Decision(Choice.KEEP_OURS), "studio": Decision(Choice.KEEP_OURS)}
    fourth = changed(third, "studio", text="Open on Mondays.")
    stored = [Pending.from_json(one.to_json()) for one in first.pending]
    assert kept_decisions(stored, planned(fourth, *both), decided) == {"phones": Decision(Choice.KEEP_OURS)}
    assert kept_decisions(stored, planned(third, *both), decided) == decided
    assert Decision.from_json(decided["phones"].to_json()) == decided["phones"]


def test_forcing_takes_the_trusts_text_and_keeps_what_the_school_added() -> None:
    new = changed(remove(remove(TREE, "phones"), "photos"), "studio", text="Open.")
    plan = planned(new, replaced(OF["phones"], OURS), left_out(OF["studio"]), addition("own", "photos"))
    overrides, added = apply_decisions(plan, forced(plan))
    assert overrides == {}
    assert [(one.key, one.after) for one in added] == [("own", "intro")]


def test_what_a_decision_will_say_can_be_shown() -> None:
    conflict = only(planned(CONFLICTING, replaced(OF["phones"], OURS)))
    assert decided_words(conflict, Decision(Choice.TAKE_THEIRS)) == conflict.theirs
    assert decided_words(conflict, Decision(Choice.KEEP_OURS)).text == OURS
    assert decided_words(conflict, Decision(Choice.WRITE, "W", "H")) == Words("H", "W")
    assert decided_words(conflict, Decision(Choice.DROP)) == Words()


def test_a_clause_under_a_subheading_moves_nothing_else() -> None:
    tree = insert(TREE, subheading("mark", "use"), after="intro")
    plan = rebase(TREE, tree, {"phones": replaced(OF["phones"], OURS)}, ())
    assert (plan.moved, plan.follows) == ((), ("mark",))


# What always holds


@given(trees(), st.data())
def test_rebasing_onto_the_same_version_changes_nothing(tree: Tree, data: st.DataObject) -> None:
    overrides, added = data.draw(answers(tree))
    plan = rebase(tree, tree, overrides, added)
    changed_at_all = {key for key, one in overrides.items() if not _is_the_trusts(one, by_key(tree)[key])}
    assert plan.overrides == {key: overrides[key] for key in changed_at_all}
    assert plan.added == added
    assert (plan.pending, plan.moved, plan.follows) == ((), (), ())


def _is_the_trusts(override: Override, clause: Clause) -> bool:
    heading = clause.heading if override.heading is None else override.heading
    text = clause.text if override.text is None else override.text
    return override.answer is Answer.REPLACE and (heading, text) == (clause.heading, clause.text)


@given(situations())
def test_no_words_of_a_school_are_ever_lost(
    given_situation: tuple[Tree, Tree, dict[str, Override], tuple[Added, ...]],
) -> None:
    old, new, overrides, added = given_situation
    plan = rebase(old, new, overrides, added)
    held: list[str] = []
    for one in plan.carried:
        held += [one.heading or "", one.text or ""]
    for addition_ in plan.added:
        held += [addition_.heading, addition_.text]
    for ended in plan.settled:
        held += [ended.ours.heading, ended.ours.text]
    for waiting in plan.pending:
        held += [waiting.ours.heading, waiting.ours.text]
    found = set(held)
    for override in overrides.values():
        for text in (override.heading, override.text):
            assert not text or text in found
    for extra in added:
        assert extra.text in found
    # Every answer has exactly one end.
    ends = (
        [one.clause_key for one in plan.carried]
        + [one.key for one in plan.added]
        + [one.key for one in plan.settled]
        + [one.key for one in plan.pending]
    )
    assert sorted(ends) == sorted([*overrides, *(one.key for one in added)])


KEEPS = (Choice.CONFIRM, Choice.KEEP_OURS, Choice.KEEP_AS_ADDED)


@given(situations(), st.data())
def test_decided_answers_stand_on_the_new_version_and_locked_clauses_are_the_trusts(
    given_situation: tuple[Tree, Tree, dict[str, Override], tuple[Added, ...]], data: st.DataObject
) -> None:
    old, new, overrides, added = given_situation
    plan = rebase(old, new, overrides, added)
    decisions = {
        one.key: Decision(data.draw(st.sampled_from(one.choices)), "written words", "Written")
        for one in plan.pending
    }
    after, additions = apply_decisions(plan, decisions)
    edition = resolve(new, NumberingStyle.DECIMAL, after, additions, {})
    assert not [one for one in edition.warnings if one.kind.value in ("answer_ignored", "addition_unplaced")]
    said = {one.key: one for one in edition.clauses}
    for one in new:
        if one.mode is Mode.LOCKED:
            assert (said[one.key].heading, said[one.key].text) == (one.heading, one.text)
    shown = {one.key for one in edition.clauses if one.origin is not Origin.LEFT_OUT}
    for waiting in plan.pending:
        if decisions[waiting.key].choice in KEEPS and waiting.key in shown:
            own = {word for word in waiting.ours.text.split() if "ours-" in word}
            assert own <= set(said[waiting.key].text.split())
    # Rebased on the same version again, nothing is asked and nothing changes.
    again = rebase(new, new, after, additions)
    assert (again.overrides, again.added, again.pending) == (after, additions, ())


@given(situations())
def test_a_plan_is_the_same_every_time_and_forcing_always_works(
    given_situation: tuple[Tree, Tree, dict[str, Override], tuple[Added, ...]],
) -> None:
    old, new, overrides, added = given_situation
    plan = rebase(old, new, overrides, added)
    assert rebase(old, new, dict(reversed(overrides.items())), added) == plan
    apply_decisions(plan, forced(plan))
    assert all(Pending.from_json(one.to_json()) == one for one in plan.pending)
    assert all(one.kind is not Kind.SUBHEADING for one in new if one.key in plan.overrides)
