"""The trust edits and publishes, schools answer, approve, decide, the trust forces, people sign: what always holds.

A model in memory of what the services do with the same pure core, driven by Hypothesis through any order of events.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.policies.given_policies import answers, next_versions, trees
from trustportal.errors import RuleBroken
from trustportal.policies.domain.answers import Added, Override, answers_to_json
from trustportal.policies.domain.clauses import Mode, NumberingStyle, Tree
from trustportal.policies.domain.deadlines import check_force
from trustportal.policies.domain.outlook import Detail, PlacePlan, plan_place
from trustportal.policies.domain.plan import Choice, Pending, Plan
from trustportal.policies.domain.reconcile import Decision, apply_decisions, forced, kept_decisions
from trustportal.policies.domain.resolve import edition_to_json, resolve

Working = tuple[dict[str, Override], tuple[Added, ...]]
BEGIN = date(2026, 9, 1)
#: Choices that keep the school's words in its policy.
KEEPS = {Choice.KEEP_OURS, Choice.KEEP_BOTH, Choice.KEEP_AS_ADDED}


@dataclass
class Edition:
    """An approved edition: what it was made of, what it says, and its bytes as they were on the first day."""

    version: int
    answers: Working
    said: dict[str, str]
    printed: str
    at_first: str


@dataclass
class Open:
    """What a head still decides."""

    version: int
    plan: Plan
    due_on: date | None
    decisions: dict[str, Decision] = field(default_factory=dict)


@dataclass
class School:
    """One school: the version that its answers stand on, its answers, editions, open decisions, and what was kept."""

    stands_on: int
    working: Working = field(default_factory=lambda: ({}, ()))
    editions: list[Edition] = field(default_factory=list)
    opened: Open | None = None
    #: The words of everything that was asked or ended, as rows keep them.
    kept: set[str] = field(default_factory=set)
    #: Every word that the school's people ever wrote and did not take back themselves.
    wrote: set[str] = field(default_factory=set)
    signed: list[int] = field(default_factory=list)


def words_of(working: Working) -> set[str]:
    """The school's own words in answers ("ours-…")."""
    texts = [text for one in working[0].values() for text in (one.heading, one.text) if text]
    texts += [text for one in working[1] for text in (one.heading, one.text) if text]
    return {word for text in texts for word in text.split() if word.lower().startswith("ours-")}


def printed(tree: Tree, working: Working) -> tuple[dict[str, str], str]:
    """What an edition says, and its bytes."""
    resolved = resolve(tree, NumberingStyle.DECIMAL, working[0], working[1], {})
    stored: Any = edition_to_json(resolved.clauses)
    return {one.key: one.text for one in resolved.clauses}, json.dumps(stored, sort_keys=True)


class Inheritance(RuleBasedStateMachine):
    """A trust with two schools."""

    @initialize(tree=trees())
    def begin(self, tree: Tree) -> None:
        self.versions: list[Tree] = [tree]
        self.today = BEGIN
        self.schools = [School(0), School(0)]
        for school in self.schools:
            self._edition(school, 0, ({}, ()))

    def _edition(self, school: School, version: int, working: Working) -> None:
        said, text = printed(self.versions[version], working)
        school.editions.append(Edition(version, working, said, text, text))

    def _plan(self, school: School, tree: Tree) -> PlacePlan:
        latest = school.editions[-1]
        return plan_place(
            tree,
            approved=(self.versions[latest.version], latest.answers),
            working=(self.versions[school.stands_on], school.working),
        )

    # -- what people do -----------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 1), data=st.data())
    def a_school_answers(self, which: int, data: st.DataObject) -> None:
        school = self.schools[which]
        if school.opened is not None:
            return
        before = words_of(school.working)
        overrides, added = data.draw(answers(self.versions[school.stands_on]))
        school.working = (overrides, added)
        # What somebody replaces with their own hands, and never sent, is theirs to drop.
        said = set().union(*(words_of(one.answers) for one in school.editions))
        school.wrote = (school.wrote - (before - said)) | words_of(school.working)

    @rule(which=st.integers(0, 1))
    def a_school_sends_and_its_approver_approves(self, which: int) -> None:
        school = self.schools[which]
        if school.opened is None:
            self._edition(school, school.stands_on, school.working)

    @precondition(lambda self: len(self.versions) < 6)
    @rule(data=st.data(), days=st.none() | st.integers(0, 20))
    def the_trust_publishes(self, data: st.DataObject, days: int | None) -> None:
        tree = data.draw(next_versions(self.versions[-1], f"v{len(self.versions)}-"))
        foreseen = [self._foresee(school, tree) for school in self.schools]
        self.versions.append(tree)
        due_on = None if days is None else self.today + timedelta(days=days)
        for school, expected in zip(self.schools, foreseen, strict=True):
            count = len(school.editions)
            plan = self._bring(school, due_on)
            # The dry run told the truth: whether there is an edition, what it says, and what the head is asked.
            assert Detail.of(plan) == expected[0]
            assert (school.opened is not None) is plan.needs_decision
            assert [one.printed for one in school.editions[count:]] == expected[1]

    def _foresee(self, school: School, tree: Tree) -> tuple[Detail, list[str]]:
        plan = self._plan(school, tree)
        if plan.edition is None:
            return Detail.of(plan), []
        return Detail.of(plan), [printed(tree, (dict(plan.edition[0]), tuple(plan.edition[1])))[1]]

    def _bring(self, school: School, due_on: date | None) -> PlacePlan:
        version = len(self.versions) - 1
        plan = self._plan(school, self.versions[version])
        assert plan.working is not None
        if plan.edition is not None:
            self._edition(school, version, (dict(plan.edition[0]), tuple(plan.edition[1])))
        for ended in plan.ended:
            school.kept |= set(f"{ended.ours.heading} {ended.ours.text}".split())
        if plan.working.needs_decision:
            was = school.opened
            decided = kept_decisions(was.plan.pending, plan.working, was.decisions) if was else {}
            school.opened = Open(version, plan.working, due_on, decided)
            if was is not None:
                asked = {one.key: one for one in plan.working.pending}
                for before in was.plan.pending:
                    if before.key in was.decisions and before.key in asked:
                        same = asked[before.key].same_texts(before)
                        assert (before.key in decided) is same
            for waiting in plan.working.pending:
                school.kept |= set(f"{waiting.ours.heading} {waiting.ours.text}".split())
        else:
            school.opened = None
            school.working = (plan.working.overrides, plan.working.added)
            school.stands_on = version
        return plan

    @rule(which=st.integers(0, 1), data=st.data())
    def a_head_decides_one_clause(self, which: int, data: st.DataObject) -> None:
        opened = self.schools[which].opened
        if opened is None:
            return
        pending: Pending = data.draw(st.sampled_from(opened.plan.pending))
        choice = data.draw(st.sampled_from(pending.choices))
        opened.decisions[pending.key] = Decision(choice, "ours-written words", "Ours-Written")

    @rule(which=st.integers(0, 1))
    def a_head_finishes(self, which: int) -> None:
        school = self.schools[which]
        opened = school.opened
        if opened is None:
            return
        if len(opened.decisions) < len(opened.plan.pending):
            with pytest.raises(RuleBroken):
                apply_decisions(opened.plan, opened.decisions)
            return
        school.working = apply_decisions(opened.plan, opened.decisions)
        school.stands_on, school.opened = opened.version, None
        for waiting in opened.plan.pending:
            if opened.decisions[waiting.key].choice in KEEPS:
                ours = {word for word in waiting.ours.text.split() if word.startswith("ours-")}
                assert ours <= words_of(school.working)

    @rule(which=st.integers(0, 1))
    def the_trust_forces_its_text(self, which: int) -> None:
        school = self.schools[which]
        opened = school.opened
        if opened is None:
            return
        has_it = school.editions[-1].version == opened.version
        may = opened.due_on is not None and self.today > opened.due_on and not has_it
        if not may:
            with pytest.raises(RuleBroken):
                check_force(opened.due_on, self.today, has_it=has_it, reason="It is the law.")
            return
        check_force(opened.due_on, self.today, has_it=has_it, reason="It is the law.")
        plan = self._plan(school, self.versions[opened.version])
        assert plan.approved is not None
        assert plan.working is not None
        own = [one.words for one in plan.approved.added]
        made = apply_decisions(plan.approved, forced(plan.approved))
        self._edition(school, opened.version, made)
        for pending in plan.approved.pending:
            if pending.theirs is not None:
                said = school.editions[-1].said[pending.key]
                assert said == pending.theirs.text
        assert [one.words for one in made[1] if one.words in own] == own
        school.working = apply_decisions(plan.working, forced(plan.working))
        school.stands_on, school.opened = opened.version, None

    @rule(days=st.integers(1, 12))
    def days_pass(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(which=st.integers(0, 1))
    def somebody_signs(self, which: int) -> None:
        school = self.schools[which]
        school.signed.append(len(school.editions) - 1)

    # -- what always holds --------------------------------------------------------------------------------------

    @invariant()
    def an_edition_never_changes(self) -> None:
        for school in getattr(self, "schools", ()):
            for one in school.editions:
                assert one.printed == one.at_first
                assert printed(self.versions[one.version], one.answers)[1] == one.at_first

    @invariant()
    def a_locked_clause_never_differs(self) -> None:
        for school in getattr(self, "schools", ()):
            for one in school.editions:
                for clause in self.versions[one.version]:
                    if clause.mode is Mode.LOCKED:
                        assert one.said[clause.key] == clause.text

    @invariant()
    def no_words_are_lost(self) -> None:
        for school in getattr(self, "schools", ()):
            found = words_of(school.working) | school.kept
            for one in school.editions:
                found |= words_of(one.answers)
            assert school.wrote <= found

    @invariant()
    def a_signature_refers_to_an_edition(self) -> None:
        for school in getattr(self, "schools", ()):
            assert all(0 <= one < len(school.editions) for one in school.signed)

    @invariant()
    def answers_are_kept_as_they_are(self) -> None:
        for school in getattr(self, "schools", ()):
            json.dumps(answers_to_json(*school.working))


TestInheritance = Inheritance.TestCase
TestInheritance.settings = settings(
    max_examples=60, stateful_step_count=18, deadline=None, derandomize=True, database=None
)
