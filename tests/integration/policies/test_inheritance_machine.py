"""The trust writes and publishes, schools answer, decide and approve, the trust forces, people sign: what always holds.

The pure machine of tests/unit plays with the core alone; this one plays with the services, the jobs and the database.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.integration.policies.given import Social
from tests.integration.policies.inheritance_play import Foreseen, Play, as_printed, frozen, soon
from tests.world import World
from trustportal.acceptance.models import Assignment, Signature
from trustportal.errors import RuleBroken
from trustportal.policies.domain.answers import Answer
from trustportal.policies.domain.approval import VoteChoice
from trustportal.policies.domain.clauses import Clause, Kind, Mode, Tree, by_key, children
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.outlook import Outcome
from trustportal.policies.domain.plan import Choice
from trustportal.policies.domain.reconcile import Decision
from trustportal.policies.domain.resolve import edition_hash
from trustportal.policies.domain.tree import change, insert, move, remove
from trustportal.policies.models import Edition, ReconcileClause
from trustportal.policies.services import local, reconciling
from trustportal.times import now, today

OURS = re.compile(r"\bours\d+\b")
WHICH = st.integers(0, 5)
ADDED_BY_TRUST = "The estate team walks the hedges in March."
#: What may happen; what there is more to see of is there more than once.
ACTS = [
    *["a_teacher_signs"] * 2,
    *["a_head_sends"] * 4,
    "a_head_replaces_a_clause",
    "a_head_leaves_a_clause_out",
    "a_head_takes_the_trusts_words_again",
    "a_head_adds_a_clause",
    "a_head_removes_an_added_clause",
    *["a_head_decides"] * 4,
    *["the_trust_publishes"] * 4,
    *["the_trust_forces_its_text"] * 2,
    "days_pass",
]
THEN = st.sampled_from(["approve", "approve", "approve", "return", "take back", "wait"])
PLACES = st.sampled_from(["start", "middle", "end", "all"])
STEPS = ["word", "word", "word", "mode", "remove", "move", "insert"]


@st.composite
def next_trees(draw: st.DrawFn, tree: Tree, adapted: list[str], turn: int) -> Tree:
    """What a trust may make of its text: words, modes, clauses taken out, moved and put in.

    `adapted`: the clauses for which schools have words of their own; half of what the trust does is about them.
    """
    new = tree
    for step in range(draw(st.integers(1, 3))):
        about = [one for one in new if one.key in adapted]
        one = draw(st.sampled_from(about if about and draw(st.booleans()) else new))
        what = draw(st.sampled_from(STEPS))
        if what == "word" and one.kind is Kind.CLAUSE:
            words = one.text.rstrip(".").split()
            at = draw(st.integers(0, len(words)))
            words[at : at + 1] = [f"theirs{turn}{step}"]
            new = change(new, one.key, text=" ".join(words) + ".")
        elif what == "mode":
            new = change(new, one.key, mode=draw(st.sampled_from(list(Mode))))
        elif what == "remove" and one.kind is Kind.CLAUSE and len(new) > 4:
            new = remove(new, one.key)
        elif what == "insert" and one.kind is Kind.SECTION:
            mode = draw(st.sampled_from(list(Mode)))
            fresh = Clause(f"new-{turn}-{step}", one.key, Kind.CLAUSE, "", ADDED_BY_TRUST, mode)
            new = insert(new, fresh)
        elif what == "move" and one.kind is Kind.CLAUSE:
            target = draw(st.sampled_from([top for top in new if top.kind is Kind.SECTION]))
            there = [sibling.key for sibling in children(new, target.key) if sibling.key != one.key]
            new = move(new, one.key, parent=target.key, after=draw(st.sampled_from([None, *there])))
    return new


def put_in(text: str, word: str, place: str) -> str:
    """The trust's sentence with a word of the school's in it."""
    words = text.rstrip(".").split()
    middle = len(words) // 2
    return {
        "start": f"{word} {text}",
        "middle": " ".join([*words[:middle], word, *words[middle + 1 :]]) + ".",
        "end": " ".join([*words, word]) + ".",
        "all": f"Here {word} does it.",
    }[place]


def words_in(text: str) -> set[str]:
    """The words of schools in it: each is typed once only."""
    return set(OURS.findall(text))


@dataclass
class Remembered:
    """What the machine knows of one school besides its rows."""

    #: Words that the school's people typed and did not take back with their own hands before anybody saw them.
    typed: set[str] = field(default_factory=set)
    #: Those of them that were sent to somebody: nobody can take them back any more.
    sent: set[str] = field(default_factory=set)

    def took_back(self, text: str) -> None:
        self.typed -= words_in(text) - self.sent


class Inheritance(RuleBasedStateMachine):
    """One policy of a trust with a few schools."""

    def __init__(self, play: Play, happened: Counter[str]) -> None:
        super().__init__()
        self.play, self.happened = play, happened
        self.clock = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
        self.words = self.versions = 0
        self.known = [Remembered() for _ in play.schools]
        self.frozen: dict[UUID, tuple[str, str]] = {}
        self.pdfs: dict[UUID, str] = {}
        self.begun = False

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The instant of one act; no two acts share one."""
        self.clock += timedelta(minutes=1)
        with time_machine.travel(self.clock, tick=False):
            yield

    @initialize()
    def the_trust_has_a_policy(self) -> None:
        with self.at_work():
            self.play.begin()
            for at in self.play.schools:
                assert self.play.sign(at) is not None
        self.begun = True

    @rule(data=st.data(), act=st.sampled_from(ACTS), which=WHICH)
    def somebody_acts(self, data: st.DataObject, act: str, which: int) -> None:
        """One rule for all: with a rule each, short games would leave most of them out."""
        getattr(self, act)(which % len(self.play.schools), data)

    def _word(self) -> str:
        self.words += 1
        return f"ours{self.words}"

    def _at(self, which: int) -> tuple[Social, Remembered]:
        return self.play.schools[which], self.known[which]

    # -- a school's people ----------------------------------------------------------------------------------------

    def a_head_replaces_a_clause(self, which: int, data: st.DataObject) -> None:
        with self.at_work():
            self._answer(which, data, Answer.REPLACE)

    def a_head_leaves_a_clause_out(self, which: int, data: st.DataObject) -> None:
        with self.at_work():
            self._answer(which, data, Answer.LEAVE_OUT)

    def a_head_takes_the_trusts_words_again(self, which: int, data: st.DataObject) -> None:
        with self.at_work():
            self._answer(which, data, Answer.INHERIT)

    def _answer(self, which: int, data: st.DataObject, answer: Answer) -> None:
        at, known = self._at(which)
        clauses = [one for one in self.play.stands_on(at) if one.kind is Kind.CLAUSE]
        # Mostly what may be changed; now and then what may not, which the server refuses.
        clause = data.draw(
            st.sampled_from([one for one in clauses if one.mode is Mode.ADAPTABLE] * 3 + clauses)
        )
        had = self.play.overrides(at).get(clause.key)
        word = self._word()
        allowed = answer is Answer.INHERIT or clause.mode is Mode.ADAPTABLE
        try:
            at.answer(
                clause.key,
                put_in(clause.text, word, data.draw(PLACES)) if answer is Answer.REPLACE else None,
                answer=answer,
                row_version=had[1] if had else 0,
            )
        except RuleBroken:
            assert not allowed or not self.play.may_change(at)
            self.happened["refused"] += 1
            return
        assert allowed
        self.happened[answer] += 1
        if had:
            known.took_back(had[2])
        if answer is Answer.REPLACE:
            known.typed.add(word)

    def a_head_adds_a_clause(self, which: int, data: st.DataObject) -> None:
        at, known = self._at(which)
        with self.at_work():
            modes = {one.key: one.mode for one in self.play.stands_on(at)}
            own = self.play.added(at)
            after = data.draw(st.sampled_from([*modes, *own]))
            word = self._word()
            try:
                at.add(after, f"Here {word} is kept.")
            except RuleBroken:
                # What was added after a clause that the trust has locked or taken out since stands, but grows no more.
                assert modes.get(after) is Mode.LOCKED or after in own or not self.play.may_change(at)
                return
            assert modes.get(after) is not Mode.LOCKED
            self.happened["added"] += 1
            known.typed.add(word)

    def a_head_removes_an_added_clause(self, which: int, data: st.DataObject) -> None:
        at, known = self._at(which)
        with self.at_work():
            own = self.play.added(at)
            if not own or not self.play.may_change(at):
                return
            key = data.draw(st.sampled_from(sorted(own)))
            with self.play.world.acting(at.head) as actor:
                local.remove_added(actor, policy_id=at.policy_id, school_id=at.school.id, key=key, now=now())
            known.took_back(own[key])

    def a_head_sends(self, which: int, data: st.DataObject) -> None:
        at, known = self._at(which)
        then = data.draw(THEN)
        with self.at_work():
            if not self.play.waits_for_approval(at):
                if self.play.open_clauses(at):
                    return
                self._answer(which, data, Answer.REPLACE)
                if not self._submit(at):
                    return
                said = [one[2] for one in self.play.overrides(at).values()]
                known.sent |= known.typed & words_in(" ".join([*said, *self.play.added(at).values()]))
            self.happened[f"sent: {then}"] += 1
            if then == "approve":
                self.play.decide_submitted(at, VoteChoice.APPROVE)
            elif then == "return":
                self.play.decide_submitted(at, VoteChoice.CHANGES)
            elif then == "take back":
                with self.play.world.acting(at.head) as actor:
                    local.withdraw_edition(actor, policy_id=at.policy_id, school_id=at.school.id, now=now())

    def _submit(self, at: Social) -> bool:
        with self.play.world.acting(at.head) as actor:
            try:
                local.submit_edition(
                    actor, policy_id=at.policy_id, school_id=at.school.id, reason="As agreed.", now=now()
                )
            except RuleBroken as refused:
                if "Nothing differs" not in str(refused):
                    raise
                return False
        return True

    def a_head_decides(self, which: int, data: st.DataObject) -> None:
        """One clause; or what is left of them, and then all is finished."""
        at, known = self._at(which)
        finish = data.draw(st.sampled_from([True, True, False]))
        with self.at_work():
            asked = self.play.open_clauses(at)
            if not asked:
                return
            for row in (
                [one for one in asked if one.choice is None]
                if finish
                else [data.draw(st.sampled_from(asked))]
            ):
                choice = Choice(data.draw(st.sampled_from(row.texts["choices"])))
                self._decide(at, known, row, choice)
                self.happened[choice] += 1
            if finish:
                with self.play.world.acting(at.head) as actor:
                    reconciling.finish(actor, policy_id=at.policy_id, school_id=at.school.id, now=now())
                self.happened["reconciled"] += 1

    def _decide(self, at: Social, known: Remembered, row: ReconcileClause, choice: Choice) -> None:
        word = self._word()
        decision = Decision(choice)
        if choice is Choice.WRITE:
            decision = Decision(
                choice, f"Written with {word} here.", row.texts["ours"]["heading"] or "Hedges"
            )
        with self.play.world.acting(at.head) as actor:
            reconciling.decide_clause(
                actor,
                policy_id=at.policy_id,
                school_id=at.school.id,
                key=row.clause_key,
                decision=decision,
                row_version=row.row_version,
                now=now(),
            )
        known.took_back(row.written_text)
        if choice is Choice.WRITE:
            known.typed.add(word)

    def a_teacher_signs(self, which: int, data: st.DataObject) -> None:
        at, _ = self._at(which)
        with self.at_work():
            signed = self.play.sign(at)
            if signed is not None:
                # What is agreed to is what is in force there at that moment, and nothing else.
                assert signed[0] == signed[1]
                self.happened["signed"] += 1

    # -- the trust --------------------------------------------------------------------------------------------------

    def the_trust_publishes(self, which: int, data: st.DataObject) -> None:
        heavy, meanwhile = data.draw(st.sampled_from([True, True, False])), data.draw(st.booleans())
        days, later = data.draw(st.sampled_from([0, 0, 2, None])), data.draw(st.sampled_from([0, 0, 0, 2]))
        with self.at_work():
            before = self.play.trust_tree()
            adapted = sorted({key for at in self.play.schools for key in self.play.overrides(at)})
            tree = data.draw(next_trees(before, adapted, self.versions))
            if tree == before:
                return
            self.versions += 1
            version_id = self.play.approve_version(tree, heavy)
        if meanwhile:
            # Somebody answers between the dry run and the publication, and the figures are asked for again.
            self.a_head_replaces_a_clause(which, data)
            with self.at_work():
                self.play.work_out_again(version_id)
        with self.at_work():
            foreseen = self.play.foreseen(version_id)
            # No version takes effect before the one before it.
            effective_on = max(soon(later), self.play.latest_day())
            self.play.publish(
                version_id, effective_on=effective_on, decide_by=None if days is None else soon(days)
            )
            self._came_true(foreseen, self.play.became(version_id), at_once=effective_on == today())

    def _came_true(self, foreseen: list[Foreseen], became: list[Foreseen], *, at_once: bool) -> None:
        for at, said, did in zip(self.play.schools, foreseen, became, strict=True):
            assert (did.outcome, did.detail) == (said.outcome, said.detail), at.school.name
            # Where the head decides first, the figure is of the trust's text; where it waits, nobody is asked yet.
            if at_once and said.detail.material is not None:
                assert did.people == said.people, at.school.name
                if did.people:
                    self.happened["asked again"] += did.people
            asked = {row.clause_key for row in self.play.open_clauses(at)}
            assert asked == {*said.detail.conflicts, *said.detail.merged, *said.detail.asks}
            assert bool(asked) is (said.outcome == Outcome.TO_DECIDE)
            self.happened[did.outcome] += 1
            if said.detail.told:
                self.happened["ended by itself"] += 1

    def the_trust_forces_its_text(self, which: int, data: st.DataObject) -> None:
        at, _ = self._at(which)
        with self.at_work():
            asked = self.play.reconcile_to_newest(at)
        if asked is not None and asked.due_on is not None and data.draw(st.booleans()):
            self._pass(max(0, (asked.due_on - self.clock.date()).days) + 1)
        with self.at_work():
            was = self.play.latest(at)
            may = (
                asked is not None
                and asked.due_on is not None
                and asked.due_on < today()
                and was.template_version_id != asked.to_version_id
            )
            with self.play.world.acting(self.play.world.manager) as actor:
                try:
                    reconciling.force(
                        actor,
                        policy_id=at.policy_id,
                        school_id=at.school.id,
                        reason="The law asks for it.",
                        now=now(),
                        today=today(),
                    )
                except RuleBroken:
                    assert not may
                    return
            assert may
            assert asked is not None
            self.play.settle()
            self._was_forced(at, asked.to_version_id)

    def _was_forced(self, at: Social, version_id: UUID) -> None:
        self.happened["forced"] += 1
        forced = self.play.latest(at)
        assert forced.template_version_id == version_id
        assert forced.approvals[-1]["method"] == "forced after the deadline"
        # Whatever is called the trust's is the new version's, word for word, and all that is locked is there.
        new = by_key(self.play.trees()[version_id])
        for key, (_, text, origin) in self.play.said(forced).items():
            if origin == "trust":
                assert text == as_printed(new[key].text, forced.values)
        assert not self.play.open_clauses(at)

    def days_pass(self, which: int, data: st.DataObject) -> None:
        self._pass(data.draw(st.integers(1, 4)))

    def _pass(self, days: int) -> None:
        self.clock += timedelta(days=days)
        with self.at_work():
            self.play.come_into_force()

    # -- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def what_always_holds(self) -> None:
        if not self.begun:
            return
        with self.at_work():
            editions = {one.id: one for one in self.play.editions()}
            trees = self.play.trees()
            for one in editions.values():
                self._never_changes(one, trees[one.template_version_id])
            assert self.frozen.keys() <= editions.keys()
            assert self.play.stored(set(self.pdfs.values())) == {one: one for one in self.pdfs.values()}
            for at, known in zip(self.play.schools, self.known, strict=True):
                found = words_in(self.play.findable(at))
                assert not (known.typed | known.sent) - found, at.school.name
            self._acceptance_refers(editions, *self.play.acceptance_rows())

    def _never_changes(self, one: Edition, tree: Tree) -> None:
        content = frozen(one), one.content_hash
        if self.frozen.setdefault(one.id, content) == content and one.id not in self.pdfs:
            self._is_what_it_says(one, tree)
        assert self.frozen[one.id] == content
        if one.pdf_hash is not None:
            assert self.pdfs.setdefault(one.id, one.pdf_hash) == one.pdf_hash
        assert one.id not in self.pdfs or one.pdf_hash is not None

    def _is_what_it_says(self, one: Edition, tree: Tree) -> None:
        """Its hash is that of its content, and what the trust has locked is the trust's, word for word."""
        clauses = self.play.clauses(one)
        assert one.content_hash == edition_hash(clauses, PolicyHeader.from_json(one.header), one.place_name)
        said = self.play.said(one)
        for clause in tree:
            if clause.mode is Mode.LOCKED:
                heading, text = as_printed(clause.heading, one.values), as_printed(clause.text, one.values)
                assert said[clause.key] == (heading, text, "trust")

    def _acceptance_refers(
        self, editions: dict[UUID, Edition], signatures: list[Signature], assignments: list[Assignment]
    ) -> None:
        for row in signatures:
            signed = editions[row.edition_id]
            assert (signed.state, signed.school_id) == ("approved", row.school_id)
            assert (row.content_hash, row.pdf_hash) == (signed.content_hash, signed.pdf_hash)
            assert signed.effective_on is not None
            assert signed.effective_on <= row.signed_at.date()
        for one in assignments:
            asked = editions[one.edition_id]
            assert (asked.state, asked.school_id) == ("approved", one.school_id)
            assert asked.effective_on is not None
            assert asked.effective_on <= today()


def let_play(world: World, *, examples: int, steps: int, schools: int, shrink: bool = False) -> Counter[str]:
    """So many games of so many acts. Returns what happened how often."""
    happened: Counter[str] = Counter()
    play = Play(world, schools=schools)
    run_state_machine_as_test(
        lambda: Inheritance(play, happened),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
    return happened


def test_what_always_holds_between_a_trust_and_its_schools(world: World) -> None:
    happened = let_play(world, examples=5, steps=26, schools=2)
    # The game is worth playing: what is rare did come about.
    assert {"to_decide", "follows", "asked again", Answer.REPLACE} <= happened.keys(), happened


@pytest.mark.slow
def test_what_always_holds_in_many_long_games(world: World) -> None:
    happened = let_play(world, examples=60, steps=50, schools=3, shrink=True)
    assert {"forced", "unchanged", "ended by itself", "asked again", *Choice} <= happened.keys(), happened
