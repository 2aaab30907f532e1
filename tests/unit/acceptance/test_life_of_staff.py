"""A state machine over joiners, leavers, absences, publications and signatures, on the pure plan of one place.

An outside document is planned with the policies. It is the same everywhere: some of the people serve at another place
too, are asked for it there, sign it there, or leave that place.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from trustportal.acceptance.domain.absence import Away, away_on, back_by
from trustportal.acceptance.domain.planning import (
    Asked,
    CampaignFacts,
    EditionStep,
    Held,
    PlaceFacts,
    Plan,
    Signed,
    plan_assignments,
)
from trustportal.acceptance.domain.years import academic_year
from trustportal.access import Role

PEOPLE = [UUID(int=number) for number in range(1, 6)]
POLICIES = [UUID(int=901), UUID(int=902)]
DOCUMENT = UUID(int=903)
TEXTS = [*POLICIES, DOCUMENT]
NEVER = date.max


@dataclass(frozen=True)
class Given:
    """A signature as the machine remembers it, with the day and what was in force on it."""

    signed: Signed
    on: date
    in_force: UUID


@dataclass
class Membership:
    role: Role
    from_on: date
    to_on: date = NEVER


@dataclass
class Place:
    """What the database would hold of one place."""

    today: date
    campaigns: list[CampaignFacts] = field(default_factory=list)
    editions: list[EditionStep] = field(default_factory=list)
    held: dict[UUID, list[Membership]] = field(default_factory=dict)
    away: list[Away] = field(default_factory=list)
    asked: dict[UUID, Asked] = field(default_factory=dict)
    given: list[Given] = field(default_factory=list)
    #: Who is asked for the document at another place.
    elsewhere: set[UUID] = field(default_factory=set)
    ids: int = 10_000

    def facts(self) -> PlaceFacts:
        newest: dict[tuple[UUID, UUID], Signed] = {}
        for one in self.given:
            newest[one.signed.person_id, one.signed.policy_id] = one.signed
        return PlaceFacts(
            self.today,
            self.campaigns,
            self.editions,
            [
                Held(person, one.role, one.from_on)
                for person, memberships in self.held.items()
                for one in memberships
                if one.from_on <= self.today <= one.to_on
            ],
            list(self.asked.values()),
            list(newest.values()),
            away_on(self.today, self.away),
            back_by(self.today, self.away),
            frozenset((person, DOCUMENT) for person in self.elsewhere),
        )

    def apply(self, plan: Plan) -> None:
        for close in plan.close:
            del self.asked[close.assignment_id]
        for move in plan.move:
            self.asked[move.assignment_id] = replace(
                self.asked[move.assignment_id], edition_id=move.edition_id
            )
        for one in plan.pause:
            self.asked[one] = replace(self.asked[one], paused=True)
        for resume in plan.resume:
            self.asked[resume.assignment_id] = replace(
                self.asked[resume.assignment_id], paused=False, due_on=resume.due_on
            )
        years = {campaign.id: campaign.academic_year for campaign in self.campaigns}
        for opened in plan.open:
            self.ids += 1
            own_id = UUID(int=self.ids)
            self.asked[own_id] = Asked(
                own_id,
                opened.campaign_id,
                years[opened.campaign_id],
                opened.policy_id,
                opened.person_id,
                opened.edition_id,
                opened.due_on,
            )

    def in_force(self, policy: UUID) -> EditionStep | None:
        return next((one for one in self.editions if one.policy_id == policy and one.in_force), None)


class LifeOfStaff(RuleBasedStateMachine):
    """Each rule is something that happens; afterwards the place is planned, as a job would."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Place(date(2026, 9, 1))
        self.remembered: list[Given] = []

    def plan(self) -> None:
        self.place.apply(plan_assignments(self.place.facts()))

    @initialize()
    def begin(self) -> None:
        self.open_campaign()

    @rule(person=st.sampled_from(PEOPLE), role=st.sampled_from([Role.STAFF, Role.GOVERNOR, Role.VOLUNTEER]))
    def join(self, person: UUID, role: Role) -> None:
        self.place.held.setdefault(person, []).append(Membership(role, self.place.today))
        self.plan()

    @rule(person=st.sampled_from(PEOPLE))
    def leave(self, person: UUID) -> None:
        for one in self.place.held.get(person, []):
            if one.to_on == NEVER:
                one.to_on = self.place.today - timedelta(days=1)
        self.plan()

    @rule(person=st.sampled_from(PEOPLE), days=st.integers(0, 60))
    def go_away(self, person: UUID, days: int) -> None:
        if person not in away_on(self.place.today, self.place.away):
            until = self.place.today + timedelta(days=days)
            self.place.away.append(Away(person, self.place.today, until))
        self.plan()

    @rule(days=st.integers(1, 40))
    def days_pass(self, days: int) -> None:
        self.place.today += timedelta(days=days)
        self.plan()

    @rule(policy=st.sampled_from(TEXTS), material=st.booleans(), ready=st.booleans())
    def publish(self, policy: UUID, material: bool, ready: bool) -> None:
        place = self.place
        ready = ready or policy == DOCUMENT  # of which there is no PDF to be made
        place.ids += 1
        order = (1, sum(one.policy_id == policy for one in place.editions) + 1)
        place.editions = [
            replace(one, in_force=False) if one.policy_id == policy else one for one in place.editions
        ]
        place.editions.append(EditionStep(UUID(int=place.ids), policy, order, material, True, ready))
        self.plan()

    @rule()
    def make_pdfs(self) -> None:
        self.place.editions = [replace(one, ready=True) for one in self.place.editions]
        self.plan()

    @rule()
    def open_campaign(self) -> None:
        place, year = self.place, academic_year(self.place.today)
        if all(one.academic_year != year for one in place.campaigns):
            place.ids += 1
            place.campaigns.append(
                CampaignFacts(
                    UUID(int=place.ids),
                    year,
                    frozenset({Role.STAFF, Role.GOVERNOR}),
                    frozenset(TEXTS),
                    place.today,
                    place.today + timedelta(days=30),
                    14,
                )
            )
        self.plan()

    @precondition(lambda self: self.place.asked)
    @rule(data=st.data())
    def sign(self, data: st.DataObject) -> None:
        place = self.place
        chosen = data.draw(st.sampled_from(sorted(place.asked.values(), key=lambda one: one.id)))
        edition = place.in_force(chosen.policy_id)
        if edition is None or not edition.ready:
            return  # the page says that it is being prepared
        signed = Signed(chosen.person_id, chosen.policy_id, edition.id, chosen.academic_year)
        given = Given(signed, place.today, edition.id)
        place.given.append(given)
        self.remembered.append(given)
        del place.asked[chosen.id]
        self.plan()

    @rule(person=st.sampled_from(PEOPLE))
    def be_asked_elsewhere(self, person: UUID) -> None:
        """As the plan of the other place does: whoever is asked here is not asked there, nor whose signature stands."""
        place = self.place
        here = any((one.person_id, one.policy_id) == (person, DOCUMENT) for one in place.asked.values())
        signed = any(
            (one.signed.person_id, one.signed.policy_id) == (person, DOCUMENT) for one in place.given
        )
        if not here and not signed and place.in_force(DOCUMENT) is not None:
            place.elsewhere.add(person)
        self.plan()

    @precondition(lambda self: self.place.elsewhere)
    @rule(data=st.data(), signs=st.booleans())
    def end_elsewhere(self, data: st.DataObject, signs: bool) -> None:
        """Somebody signs the document at the other place, or leaves that place without."""
        place, edition = self.place, self.place.in_force(DOCUMENT)
        person = data.draw(st.sampled_from(sorted(place.elsewhere)))
        place.elsewhere.remove(person)
        if signs and edition is not None:
            year = max(one.academic_year for one in place.campaigns)
            given = Given(Signed(person, DOCUMENT, edition.id, year), place.today, edition.id)
            place.given.append(given)
            self.remembered.append(given)
        self.plan()

    # -- what always holds ---------------------------------------------------------------------------------------

    @invariant()
    def no_signature_is_lost_or_altered(self) -> None:
        assert self.place.given == self.remembered

    @invariant()
    def a_signature_is_of_what_was_in_force(self) -> None:
        assert all(one.signed.edition_id == one.in_force for one in self.place.given)

    @invariant()
    def nobody_is_asked_twice_at_once(self) -> None:
        pairs = [(one.person_id, one.policy_id) for one in self.place.asked.values()]
        pairs += [(person, DOCUMENT) for person in self.place.elsewhere]
        assert len(pairs) == len(set(pairs))

    @invariant()
    def nobody_signs_the_same_text_twice_in_a_year(self) -> None:
        said = [
            (one.signed.person_id, one.signed.edition_id, one.signed.academic_year)
            for one in self.place.given
        ]
        assert len(said) == len(set(said))
        signed = set(said)
        for one in self.place.asked.values():
            assert (one.person_id, one.edition_id, one.academic_year) not in signed

    @invariant()
    def everybody_of_the_audience_is_asked_or_has_signed(self) -> None:
        place = self.place
        facts = place.facts()
        asked = {(one.person_id, one.policy_id) for one in place.asked.values()}
        newest = max((one.academic_year for one in place.campaigns), default=0)
        audience = {one.person_id for one in facts.held if one.role in {Role.STAFF, Role.GOVERNOR}}
        asked |= {(person, DOCUMENT) for person in place.elsewhere}
        for policy in TEXTS:
            edition = place.in_force(policy)
            if edition is None or not edition.ready or not place.campaigns:
                continue
            for person in audience - facts.away:
                stands = any(
                    one.signed.person_id == person
                    and one.signed.policy_id == policy
                    and one.signed.academic_year >= newest
                    for one in place.given
                )
                assert (person, policy) in asked or stands
        assert {one.person_id for one in place.asked.values()} <= audience

    @invariant()
    def whoever_is_away_is_waited_for(self) -> None:
        away = away_on(self.place.today, self.place.away)
        for one in self.place.asked.values():
            edition = self.place.in_force(one.policy_id)
            if edition is not None:
                assert one.paused == (one.person_id in away)

    @invariant()
    def planning_again_changes_nothing(self) -> None:
        again = plan_assignments(self.place.facts())
        assert (again.close, again.move, again.open, again.pause, again.resume) == ((), (), (), (), ())


LifeOfStaff.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLifeOfStaff = LifeOfStaff.TestCase
