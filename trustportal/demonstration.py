"""The demonstration trust: invented people and schools, made through the services that real trusts use.

`python -m trustportal.demonstration` loads it once and prints who may sign in. Nobody in it has a password: in
demonstration mode the sign-in page lets a visitor in with one click.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

import click
from flask import current_app

from trustportal import jobs
from trustportal.acceptance import services as acceptance
from trustportal.acceptance.queries import mine
from trustportal.access import ROLE_LABELS, Actor, Role
from trustportal.app import create_app
from trustportal.db import Scope, db, scope
from trustportal.policies import queries as policies
from trustportal.policies.domain.approval import VoteChoice
from trustportal.policies.domain.changes import marks_from_json
from trustportal.policies.services import approvals, documents, drafts, local, publishing
from trustportal.policies.starter.loading import (
    Demonstration,
    SchoolAnswers,
    StarterTemplate,
    load_demonstration,
    load_template,
    read_builtin,
)
from trustportal.tenants import queries as tenants
from trustportal.tenants import services
from trustportal.tenants.domain import NAMED_BY_SCHOOLS
from trustportal.times import LONDON, now, today
from trustportal.workflows import demonstration as requests

#: The school where most people have signed, by its number in the story, and how many of them have not yet.
SIGNING_SCHOOL, STILL_TO_SIGN = 1, 3


class Loader:
    """Loads the demonstration, step by step, each in the scope that a person or job would have."""

    def __init__(self, story: Demonstration, template: StarterTemplate, on: date) -> None:
        self.story, self.template, self.today = story, template, on
        self.trust_id = uuid4()
        self.schools: dict[str, UUID] = {}
        self.people: dict[str, UUID] = {}
        self.policy_id = UUID(int=0)
        #: The policy came into force at the beginning of the academic year.
        self.began = date(on.year if on >= date(on.year, 9, 8) else on.year - 1, 9, 1)

    @contextmanager
    def acting(self, name: str) -> Iterator[Actor]:
        """A person acting, as if signed in."""
        with scope(Scope.job(self.trust_id)):
            actor = tenants.get_actor(self.people[name], on=self.today)
        with scope(Scope.of(actor)):
            yield actor

    def holder(self, role: Role, school: str | None = None) -> str:
        """Who holds a post."""
        return next(
            person.name
            for person in self.story.people
            for held in person.memberships
            if held.role is role and held.school == school and held.to_on is None
        )

    def load(self) -> None:
        """Everything, in the order in which it would happen."""
        self._found()
        self._people()
        self._publish()
        for answers in self.story.answers:
            self._answer(answers)
        self._next_version()
        self._campaign()
        self._signatures()
        self._requests()

    def _run(self, *queues: str) -> None:
        with scope(Scope.job(self.trust_id)):
            jobs.run_inline(queues=queues or ("default",))

    def _found(self) -> None:
        story, manager = self.story, self.holder(Role.NETWORK_MANAGER)
        facts = next(person for person in story.people if person.name == manager)
        with scope(Scope.job(self.trust_id)):
            founded = services.create_trust(
                Actor.portal(self.trust_id),
                name=story.trust.name,
                slug=story.trust.slug,
                colour=story.trust.colour,
                manager_name=manager,
                manager_email=facts.email or "",
                now=now(),
                today=story.trust.founded_on,
            )
        self.people[manager] = founded.manager_id
        with self.acting(manager) as actor:
            services.give_account(actor, person_id=founded.manager_id, now=now())
            services.rename_central_roles(actor, labels=dict(story.trust.place.role_labels))
            services.define_placeholders(
                actor,
                definitions=[
                    {"name": one.name, "label": one.label, "hint": one.hint, "example": one.example}
                    for one in self.template.placeholders
                ],
            )
            services.fill_placeholders(actor, school_id=None, values=story.trust.place.values, now=now())
            for school in story.schools:
                made = services.create_school(
                    actor,
                    name=school.name,
                    short_name=school.short_name,
                    slug=school.slug,
                    phase=school.phase,
                    joined_on=school.joined_on,
                )
                self.schools[school.slug] = made.id
                services.rename_roles(actor, school_id=made.id, labels=_labels(school.role_labels))
                services.fill_placeholders(actor, school_id=made.id, values=school.values, now=now())

    def _people(self) -> None:
        with self.acting(self.holder(Role.NETWORK_MANAGER)) as actor:
            for person in self.story.people:
                if person.name in self.people:
                    continue
                made = services.add_person(
                    actor, name=person.name, email=person.email, job_title=person.job, now=now()
                )
                self.people[person.name] = made.id
                for held in person.memberships:
                    services.begin_membership(
                        actor,
                        person_id=made.id,
                        role=held.role,
                        school_id=self.schools[held.school] if held.school else None,
                        from_on=held.from_on,
                        to_on=held.to_on,
                        acting=held.acting,
                    )
                if person.email:
                    services.give_account(actor, person_id=made.id, now=now())
            for school_id in self.schools.values():
                services.start_school(actor, school_id=school_id, now=now())
            services.show_in_demonstration(
                actor,
                people=[
                    (self.people[person.name], person.description)
                    for person in self.story.people
                    if person.shown
                ],
            )
        self._run()

    def _publish(self) -> None:
        start = self.began - timedelta(days=60)
        header = replace(self.template.header, organisation=self.story.trust.name)
        with self.acting(self.holder(Role.NETWORK_MANAGER)) as actor:
            version = drafts.create_policy(
                actor,
                header=header,
                numbering=self.template.numbering,
                tree=self.template.tree,
                trust_is_a_place=True,
                source="the starter template",
                now=_at(start),
            )
            self.policy_id = version.policy_id
            run = approvals.submit_version(
                actor,
                version_id=version.id,
                reason="One policy for all our schools, in place of four that had drifted apart.",
                marks={},
                now=_at(start + timedelta(days=7)),
            )
        for number, name in enumerate(self._trustees()[:2]):
            day = start + timedelta(days=9 + number)
            with self.acting(name) as actor:
                approvals.decide(
                    actor,
                    run_id=run.id,
                    choice=VoteChoice.APPROVE,
                    comment="",
                    content_hash=run.content_hash,
                    now=_at(day),
                    today=day,
                )
        with self.acting(self.holder(Role.NETWORK_MANAGER)) as actor:
            day = start + timedelta(days=14)
            publishing.publish_version(
                actor, version_id=version.id, effective_on=self.began, now=_at(day), today=day
            )
        self._run()

    def _trustees(self) -> list[str]:
        return [
            person.name
            for person in self.story.people
            if any(held.role is Role.TRUSTEE for held in person.memberships)
        ]

    def _answer(self, answers: SchoolAnswers) -> None:
        school_id = self.schools[answers.school]
        day = self.began + timedelta(days=1)
        with self.acting(self.holder(Role.HEADTEACHER, answers.school)) as actor:
            for override in answers.overrides(self.template.tree).values():
                local.answer_clause(
                    actor,
                    policy_id=self.policy_id,
                    school_id=school_id,
                    key=override.clause_key,
                    answer=override.answer,
                    heading=override.heading,
                    text=override.text,
                    reason=override.reason,
                    weight=override.weight,
                    row_version=0,
                    now=_at(day),
                )
            keys: dict[str, str] = {}
            for added in answers.added():
                keys[added.key] = local.add_clause(
                    actor,
                    policy_id=self.policy_id,
                    school_id=school_id,
                    after=keys.get(added.after, added.after),
                    heading=added.heading,
                    text=added.text,
                    reason=added.reason,
                    weight=added.weight,
                    now=_at(day),
                )
            edition = local.submit_edition(
                actor,
                policy_id=self.policy_id,
                school_id=school_id,
                reason="What is different at our school, agreed with our governors.",
                now=_at(day),
            )
            edition_id, content_hash = edition.id, edition.content_hash
        day = self.began + timedelta(days=3)
        with self.acting(self.holder(Role.CHAIR_OF_GOVERNORS, answers.school)) as actor:
            run = policies.find_pending_run(edition_id=edition_id)
            assert run is not None
            approvals.decide(
                actor,
                run_id=run.id,
                choice=VoteChoice.APPROVE,
                comment="",
                content_hash=content_hash,
                now=_at(day),
                today=day,
            )
        self._run()

    def _next_version(self) -> None:
        """The trust's next version waits for the trustees: their home page has something to do."""
        second = self.story.second_version
        with self.acting(self.holder(Role.NETWORK_MANAGER)) as actor:
            version = drafts.start_draft(actor, policy_id=self.policy_id, now=now())
            drafts.replace_tree(
                actor, version_id=version.id, tree=second.apply(self.template.tree), now=now()
            )
            approvals.submit_version(
                actor,
                version_id=version.id,
                reason=second.reason,
                marks=marks_from_json(second.marks()),
                now=now(),
            )
        self._run()

    def _campaign(self) -> None:
        with self.acting(self.holder(Role.NETWORK_MANAGER)) as actor:
            # Whoever looks at the demonstration on a Sunday evening wants to see its mail all the same.
            acceptance.set_schedule(actor, now=now(), quiet_from=0, quiet_to=0, weekends=True)
            suggested = acceptance.suggest_campaign(actor, today=self.today)
            acceptance.open_campaign(
                actor, **{**suggested, "policy_ids": [self.policy_id]}, now=now(), today=self.today
            )
        self._run()

    def _signatures(self) -> None:
        """Most people of one school have signed already: the pages of progress, certificates and evidence show life.

        None of those whom a visitor can be, so that each of them still has something to do.
        """
        slug = self.story.schools[SIGNING_SCHOOL].slug
        school_id, settings = self.schools[slug], current_app.config["PORTAL"]
        with scope(Scope.job(self.trust_id)):
            edition = policies.find_edition_in_force(self.policy_id, school_id, self.today, whole=False)
            assert edition is not None
            documents.make_edition_pdf(edition_id=edition.id, public_url=settings.public_url)
        self._run()
        here = [
            person.name
            for person in self.story.people
            if not person.shown
            and any(one.school == slug and one.to_on is None for one in person.memberships)
        ]
        for name in here[:-STILL_TO_SIGN]:
            self._sign(name)
        self._run()

    def _sign(self, name: str) -> None:
        """Somebody signs all that they are asked, in the portal."""
        with scope(Scope.job(self.trust_id)):
            actor = tenants.get_actor(
                self.people[name], on=self.today, method="password", at=now().isoformat()
            )
        with scope(Scope.of(actor)):
            for asked in mine.list_open(self.people[name]):
                shown = acceptance.to_read(actor, assignment_id=asked.id, today=self.today)
                acceptance.sign(
                    actor,
                    assignment_id=asked.id,
                    edition_id=shown.edition_id,
                    statement_seen=shown.statement_version,
                    confirmed=True,
                    now=now(),
                    today=self.today,
                    user_agent="Demonstration",
                )

    def _requests(self) -> None:
        """Two accounts in a school's register, and one that its head is asked about."""
        requests.load(
            acting_as=self.acting,
            run=self._run,
            people=self.people,
            school_id=self.schools["ashgrove"],
            today=self.today,
            at=_at,
        )

    def accounts(self) -> list[str]:
        """Who may sign in, a line each."""
        lines = [f"{self.story.trust.name}: sign in with one click as"]
        width = max(len(person.name) for person in self.story.people if person.shown)
        for person in self.story.people:
            if person.shown:
                held = person.memberships[0]
                lines.append(f"  {person.name:<{width}}  {person.description or ROLE_LABELS[held.role]}")
        return lines


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of posts that a school names."""
    return {role: label for role, label in labels.items() if Role(role) in NAMED_BY_SCHOOLS}


def _at(day: date) -> datetime:
    """Ten in the morning, in England."""
    return datetime.combine(day, time(10), tzinfo=LONDON)


def load() -> Loader:
    """Load the demonstration trust into the portal's database. Raises RuleBroken when it is there already."""
    loader = Loader(
        load_demonstration(read_builtin("demonstration")),
        load_template(read_builtin("social_media")),
        today(),
    )
    loader.load()
    return loader


def main() -> None:
    """Load it and print who may sign in."""
    app = create_app(role="worker")
    with app.app_context():
        story = load_demonstration(read_builtin("demonstration"))
        if tenants.find_trust_id(story.trust.slug) is None:
            db.session.remove()
            loader = load()
        else:
            loader = Loader(story, load_template(read_builtin("social_media")), today())
        click.echo("\n".join(loader.accounts()))


if __name__ == "__main__":
    main()
