"""Who is asked to sign what at one place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustportal.acceptance.domain.planning import (
    Asked,
    Because,
    CampaignFacts,
    Cause,
    EditionStep,
    Held,
    PlaceFacts,
    Plan,
    Signed,
    plan_assignments,
)
from trustportal.access import Role

FIRST = date(2026, 9, 1)
POLICY, OTHER_POLICY = UUID(int=901), UUID(int=902)
ANN, BEN, CARA = UUID(int=1), UUID(int=2), UUID(int=3)
ONE, TWO, THREE = UUID(int=31), UUID(int=32), UUID(int=33)
STANDING = UUID(int=500)
CAMPAIGN = CampaignFacts(
    UUID(int=700),
    2026,
    frozenset({Role.STAFF, Role.GOVERNOR}),
    frozenset({POLICY}),
    FIRST,
    date(2026, 9, 30),
    14,
)


def edition(
    ref: UUID, minor: int, *, material: bool = True, in_force: bool = True, ready: bool = True
) -> EditionStep:
    return EditionStep(ref, POLICY, (3, minor), material, in_force, ready)


def staff(person: UUID, from_on: date = date(2020, 9, 1), role: Role = Role.STAFF) -> Held:
    return Held(person, role, from_on)


def asked(person: UUID, ref: UUID = ONE, *, year: int = 2026, own_id: UUID = STANDING) -> Asked:
    return Asked(own_id, CAMPAIGN.id, year, POLICY, person, ref)


def facts(**changes: object) -> PlaceFacts:
    return replace(
        PlaceFacts(FIRST, [CAMPAIGN], [edition(ONE, 1)], [staff(ANN), staff(BEN)]),
        **changes,  # type: ignore[arg-type]
    )


def test_a_campaign_asks_everybody_of_its_audience() -> None:
    plan = plan_assignments(facts(held=[staff(ANN), staff(BEN), staff(CARA, role=Role.VOLUNTEER)]))
    assert {(one.person_id, one.cause, one.due_on) for one in plan.open} == {
        (ANN, Cause.ANNUAL, date(2026, 9, 30)),
        (BEN, Cause.ANNUAL, date(2026, 9, 30)),
    }


def test_somebody_with_two_roles_is_asked_once() -> None:
    plan = plan_assignments(facts(held=[staff(ANN), staff(ANN, role=Role.GOVERNOR)]))
    assert [one.person_id for one in plan.open] == [ANN]


def test_nobody_is_asked_before_the_campaign_opens() -> None:
    assert plan_assignments(facts(today=FIRST - timedelta(days=1))) == Plan()


def test_nobody_is_asked_before_the_pdf_is_stored() -> None:
    waiting = [edition(ONE, 1, in_force=False), edition(TWO, 2, ready=False)]
    plan = plan_assignments(facts(editions=waiting, asked=[asked(ANN)]))
    assert plan == Plan(keep=(STANDING,))


def test_a_joiner_has_a_due_day_of_their_own() -> None:
    joined = date(2027, 1, 5)
    plan = plan_assignments(facts(today=joined, held=[staff(CARA, joined)]))
    assert [(one.cause, one.due_on) for one in plan.open] == [(Cause.JOINER, date(2027, 1, 19))]


def test_a_joiner_who_was_entered_late_is_not_late_at_once() -> None:
    plan = plan_assignments(facts(today=date(2027, 2, 1), held=[staff(CARA, date(2027, 1, 5))]))
    assert plan.open[0].due_on == date(2027, 2, 15)


def test_somebody_is_asked_only_from_their_first_day_on() -> None:
    assert plan_assignments(facts(held=[staff(CARA, FIRST + timedelta(days=3))])).open == ()


def test_a_leaver_is_closed() -> None:
    plan = plan_assignments(facts(held=[staff(BEN)], asked=[asked(ANN)]))
    assert [(one.assignment_id, one.because) for one in plan.close] == [(STANDING, Because.LEFT)]


def test_an_open_assignment_moves_to_the_newest_edition() -> None:
    steps = [edition(ONE, 1, in_force=False), edition(TWO, 2, material=False)]
    plan = plan_assignments(facts(editions=steps, held=[staff(ANN)], asked=[asked(ANN, ONE)]))
    assert [(one.assignment_id, one.edition_id) for one in plan.move] == [(STANDING, TWO)]
    assert not plan.open
    assert not plan.close


@pytest.mark.parametrize(
    ("weights", "again"),
    [((False, False), False), ((True, False), True), ((False, True), True), ((True, True), True)],
)
def test_a_signature_stands_unless_an_edition_since_is_material(
    weights: tuple[bool, bool], again: bool
) -> None:
    steps = [
        edition(ONE, 1, in_force=False),
        edition(TWO, 2, material=weights[0], in_force=False),
        edition(THREE, 3, material=weights[1]),
    ]
    today = date(2027, 2, 1)
    plan = plan_assignments(
        facts(today=today, editions=steps, held=[staff(ANN)], signed=[Signed(ANN, POLICY, ONE, 2026)])
    )
    if again:
        assert [(one.cause, one.edition_id, one.due_on) for one in plan.open] == [
            (Cause.CHANGED, THREE, today + timedelta(days=14))
        ]
    else:
        assert plan.stands == ((ANN, POLICY),)
        assert not plan.open


def test_next_year_asks_again_for_the_same_text() -> None:
    signed = [Signed(ANN, POLICY, ONE, 2025)]
    assert len(plan_assignments(facts(held=[staff(ANN)], signed=signed)).open) == 1


def test_a_new_years_campaign_replaces_what_is_still_open_from_the_last() -> None:
    plan = plan_assignments(facts(held=[staff(ANN)], asked=[asked(ANN, year=2025)]))
    assert [one.because for one in plan.close] == [Because.REPLACED]
    assert len(plan.open) == 1


def test_two_campaigns_of_a_year_ask_once() -> None:
    second = replace(CAMPAIGN, id=UUID(int=701), opens_on=FIRST + timedelta(days=10))
    later = FIRST + timedelta(days=20)
    plan = plan_assignments(facts(today=later, campaigns=[CAMPAIGN, second], asked=[asked(ANN)]))
    assert [one.person_id for one in plan.open] == [BEN]
    assert plan.keep == (STANDING,)
    everybody_signed = [Signed(ANN, POLICY, ONE, 2026), Signed(BEN, POLICY, ONE, 2026)]
    assert not plan_assignments(facts(today=later, campaigns=[second], signed=everybody_signed)).open


def test_a_policy_without_an_edition_is_closed() -> None:
    plan = plan_assignments(facts(editions=[], asked=[asked(ANN)]))
    assert [one.because for one in plan.close] == [Because.WITHDRAWN]


def test_somebody_who_comes_back_is_asked_again() -> None:
    back = date(2027, 3, 1)
    plan = plan_assignments(facts(today=back, held=[staff(ANN, back)]))
    assert [(one.cause, one.due_on) for one in plan.open] == [(Cause.JOINER, date(2027, 3, 15))]


# -- a year at one place, at random ------------------------------------------------------------------------------

PEOPLE = [ANN, BEN, CARA]
EVENTS = st.one_of(
    st.tuples(st.just("join"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("leave"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("sign"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("publish"), st.booleans()),
    st.tuples(st.just("pdf"), st.none()),
    st.tuples(st.just("day"), st.integers(1, 60)),
    st.tuples(st.just("plan"), st.none()),
    st.tuples(st.just("second campaign"), st.none()),
    st.tuples(st.just("next year"), st.none()),
)


class Story:
    """A place as a database would keep it; every plan is applied."""

    def __init__(self) -> None:
        self.today = FIRST
        self.campaigns = [CAMPAIGN]
        self.editions: list[EditionStep] = []
        self.held: dict[UUID, date] = {ANN: date(2020, 9, 1), BEN: date(2020, 9, 1)}
        self.open: dict[tuple[UUID, UUID], Asked] = {}
        self.signatures: list[Signed] = []
        #: Every assignment ever made, as (person, policy, academic year, the words' number, cause).
        self.asked: list[tuple[UUID, int, int, Cause]] = []
        self.words = 0
        self.count = 1000

    def facts(self) -> PlaceFacts:
        last = {(one.person_id, one.policy_id): one for one in self.signatures}
        return PlaceFacts(
            self.today,
            self.campaigns,
            self.editions,
            [staff(person, since) for person, since in self.held.items()],
            list(self.open.values()),
            list(last.values()),
        )

    def plan(self) -> None:
        plan = plan_assignments(self.facts())
        by_id = {one.id: pair for pair, one in self.open.items()}
        for closed in plan.close:
            del self.open[by_id[closed.assignment_id]]
        for moved in plan.move:
            pair = by_id[moved.assignment_id]
            self.open[pair] = replace(self.open[pair], edition_id=moved.edition_id)
        for new in plan.open:
            pair = (new.person_id, new.policy_id)
            assert pair not in self.open, "asked twice at once"
            assert new.due_on >= self.today
            self.check_not_signed(new.person_id, new.edition_id, new.campaign_id)
            year = next(one.academic_year for one in self.campaigns if one.id == new.campaign_id)
            self.count += 1
            self.open[pair] = Asked(
                UUID(int=self.count), new.campaign_id, year, new.policy_id, new.person_id, new.edition_id
            )
        again = plan_assignments(self.facts())
        assert (again.close, again.move, again.open) == ((), (), ()), "planning twice changes something"

    def check_not_signed(self, person: UUID, edition_id: UUID, campaign_id: UUID) -> None:
        """Nobody is asked again in a year for a text that they signed in it."""
        year = next(one.academic_year for one in self.campaigns if one.id == campaign_id)
        step = next(step for step in self.editions if step.id == edition_id)
        for one in self.signatures:
            if one.person_id == person and one.academic_year == year:
                signed = next(step for step in self.editions if step.id == one.edition_id)
                assert any(s.material for s in self.editions if signed.order < s.order <= step.order)

    def sign(self, person: UUID) -> None:
        one = self.open.pop((person, POLICY), None)
        if one is None:
            return
        self.check_not_signed(person, one.edition_id, one.campaign_id)
        self.signatures.append(Signed(person, POLICY, one.edition_id, one.academic_year))

    def publish(self, material: bool) -> None:
        self.count += 1
        self.editions = [replace(step, in_force=False) for step in self.editions]
        self.editions.append(
            edition(UUID(int=self.count), len(self.editions) + 1, material=material, ready=False)
        )

    def play(self, what: str, which: object) -> None:
        if what == "join":
            assert isinstance(which, UUID)
            self.held.setdefault(which, self.today)
        elif what == "leave":
            assert isinstance(which, UUID)
            self.held.pop(which, None)
        elif what == "sign":
            assert isinstance(which, UUID)
            self.sign(which)
        elif what == "publish":
            self.publish(bool(which))
        elif what == "pdf":
            self.editions = [replace(step, ready=True) for step in self.editions]
        elif what == "day":
            assert isinstance(which, int)
            self.today += timedelta(days=which)
        elif what == "second campaign":
            self.count += 1
            self.campaigns.append(replace(CAMPAIGN, id=UUID(int=self.count)))
        elif what == "next year":
            self.count += 1
            self.campaigns.append(
                replace(CAMPAIGN, id=UUID(int=self.count), academic_year=2027, opens_on=self.today)
            )
        else:
            self.plan()


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=25), st.booleans())
def test_a_year_of_anything(events: list[tuple[str, object]], at_once: bool) -> None:
    """`at_once`: every event is followed by a plan, as its job does; otherwise plans come late."""
    story = Story()
    story.publish(True)
    story.play("pdf", None)
    story.plan()
    for what, which in events:
        before = list(story.signatures)
        story.play(what, which)
        if at_once:
            story.plan()
        assert story.signatures[: len(before)] == before, "a signature was lost"
    story.play("pdf", None)
    story.plan()
    current = story.editions[-1]
    year = max(one.academic_year for one in story.campaigns)
    for person in PEOPLE:
        standing = story.open.get((person, POLICY))
        if person not in story.held:
            assert standing is None
            continue
        mine = [one for one in story.signatures if one.person_id == person and one.academic_year == year]
        if standing is None:
            signed = next(step for step in story.editions if step.id == mine[-1].edition_id)
            assert not any(s.material for s in story.editions if signed.order < s.order <= current.order)
        else:
            assert standing.edition_id == current.id
