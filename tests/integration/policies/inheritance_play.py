"""What the state machine of inheritance plays with: schools of one trust, and each act through the services."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from tests.integration.policies.given import Social, social, with_tree
from tests.integration.policies.several import beside
from tests.world import Someone, World
from trustportal import blobs, jobs
from trustportal.acceptance import services as acceptance
from trustportal.acceptance.domain.years import academic_year
from trustportal.acceptance.models import Assignment, Signature
from trustportal.acceptance.queries import foreseeing as asked_of
from trustportal.acceptance.queries import mine
from trustportal.access import Role
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.jobs import Event
from trustportal.policies import queries, reading
from trustportal.policies.domain import changes, placeholders
from trustportal.policies.domain.approval import VoteChoice
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Tree, Weight
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.outlook import Detail
from trustportal.policies.domain.resolve import EditionClause
from trustportal.policies.models import (
    AddedClause,
    Edition,
    Override,
    PublicationPlace,
    Reconcile,
    ReconcileClause,
)
from trustportal.policies.services import approvals, drafts, foreseeing, publishing
from trustportal.times import now, today

#: Every clause holds at least one word of the trust's, so that a school's words can be told from them.
TREE: Tree = (
    Clause("why", None, Kind.SECTION, "Why we have this policy", "Hedges at {{school.name}} are kept low."),
    Clause("keeping", None, Kind.SECTION, "Keeping", mode=Mode.ADAPTABLE),
    Clause(
        "gates", "keeping", Kind.CLAUSE, "Gates", "Every gate is shut by whoever opened it.", Mode.ADAPTABLE
    ),
    Clause(
        "paths",
        "keeping",
        Kind.CLAUSE,
        "",
        "Paths are swept on Mondays before the first bell.",
        Mode.ADAPTABLE,
    ),
    Clause(
        "tools", "keeping", Kind.CLAUSE, "Tools", "Tools hang in the shed of {{school.name}}.", Mode.EXTEND
    ),
    Clause("safety", None, Kind.SECTION, "Safety"),
    Clause("gloves", "safety", Kind.CLAUSE, "", "Nobody cuts a hedge without gloves.", Mode.LOCKED),
    Clause("visitors", "safety", Kind.CLAUSE, "Visitors", "Visitors stay on the paths.", Mode.ADAPTABLE),
)


@dataclass
class Foreseen:
    """What the dry run said of one school: its outcome, its clauses, and how many people sign again."""

    outcome: str
    detail: Detail
    people: int


class Play:
    """A few schools, their people, and what each of them does; every example plays with a policy of its own."""

    def __init__(self, world: World, *, schools: int) -> None:
        first = social(world, school="Ashgrove")
        self.world = world
        self.schools = [first, *(beside(first, name) for name in ("Beech", "Cedar")[: schools - 1])]
        self.count = 0

    @property
    def policy_id(self) -> UUID:
        return self.schools[0].policy_id

    def begin(self) -> None:
        """A new policy in force at every school, which everybody is asked to sign."""
        self.count += 1
        with self.world.acting(self.world.manager) as actor:
            version = drafts.create_policy(
                actor,
                header=PolicyHeader(
                    f"Hedge keeping policy {self.count}",
                    person_responsible="Trust network manager",
                    approving_body="Board of trustees",
                ),
                numbering=NumberingStyle.DECIMAL,
                tree=TREE,
                now=now(),
            )
            policy_id, version_id = version.policy_id, version.id
            slug = queries.get_policy_by_id(policy_id).slug
        self.schools = [replace(one, policy_id=policy_id, slug=slug) for one in self.schools]
        self._approve_version(version_id, {})
        self.publish(version_id, effective_on=today(), decide_by=None)
        due_on = soon(20)
        with self.world.acting(self.world.manager) as actor:
            acceptance.open_campaign(
                actor,
                title=f"Hedges {self.count}",
                policy_ids=[policy_id],
                academic_year=academic_year(due_on),
                roles=[Role.STAFF],
                opens_on=today(),
                due_on=due_on,
                now=now(),
                today=today(),
            )
        self.work_off()

    # -- the trust ----------------------------------------------------------------------------------------------

    def trust_tree(self) -> Tree:
        with self.world.looking():
            latest = queries.find_latest_version(self.policy_id)
            assert latest is not None
            return reading.tree_of_version(latest)

    def approve_version(self, tree: Tree, heavy: bool) -> UUID:
        """Write the next version and have it approved; the dry run is worked out with it."""
        before = self.trust_tree()
        weight = Weight.MATERIAL if heavy else Weight.EDITORIAL
        marks = {key: Mark(weight, "After the review.") for key in changes.changed_keys(before, tree)}
        with self.world.acting(self.world.manager) as actor:
            version = drafts.start_draft(actor, policy_id=self.policy_id, now=now())
            version_id = version.id
            with_tree(actor, version_id, tree)
        self._approve_version(version_id, marks)
        return version_id

    def _approve_version(self, version_id: UUID, marks: dict[str, Mark]) -> None:
        with self.world.acting(self.world.manager) as actor:
            run = approvals.submit_version(
                actor, version_id=version_id, reason="After the review.", marks=marks, now=now()
            )
            run_id, content_hash = run.id, run.content_hash
        for trustee in self.schools[0].trustees:
            self._vote(trustee, run_id, content_hash, VoteChoice.APPROVE)
        self.work_off()

    def _vote(self, person: Someone, run_id: UUID, content_hash: str, choice: VoteChoice) -> None:
        with self.world.acting(person) as actor:
            approvals.decide(
                actor,
                run_id=run_id,
                choice=choice,
                comment="" if choice is VoteChoice.APPROVE else "Say which gate.",
                content_hash=content_hash,
                now=now(),
                today=today(),
            )

    def work_out_again(self, version_id: UUID) -> None:
        with self.world.acting(self.world.manager) as actor:
            foreseeing.work_out_again(actor, version_id=version_id, now=now(), today=today())
        self.work_off()

    def foreseen(self, version_id: UUID) -> list[Foreseen]:
        with self.world.looking():
            outlook = queries.find_outlook(version_id)
            assert outlook is not None
            rows = {row.school_id: row for row in queries.outlook_places(outlook.id)}
            return [
                Foreseen(row.outcome, Detail.from_json(row.detail), row.people or 0)
                for one in self.schools
                for row in [rows[one.school.id]]
            ]

    def became(self, version_id: UUID) -> list[Foreseen]:
        """What did happen at each school, in the same words."""
        with self.world.looking():
            publication = queries.get_publication(version_id)
            rows = {row.school_id: row for row in queries.publication_places(publication.id)}
            asked = asked_of.asked(version_id)
            return [
                Foreseen(row.outcome, Detail.from_json(row.detail), asked.get(one.school.id, 0))
                for one in self.schools
                for row in [rows[one.school.id]]
            ]

    def publish(self, version_id: UUID, *, effective_on: date, decide_by: date | None) -> None:
        with self.world.acting(self.world.manager) as actor:
            publishing.publish_version(
                actor,
                version_id=version_id,
                effective_on=effective_on,
                decide_by=decide_by,
                now=now(),
                today=today(),
            )
        self.settle()

    def come_into_force(self) -> None:
        """The clock's slot of a day."""
        with self.world.looking():
            publishing.announce_in_force(now=now(), today=today())
        self.work_off()

    def work_off(self) -> None:
        """Do what waits, but for sending mail."""
        with self.world.worker_app.app_context(), scope(Scope.job(self.world.trust_id)):
            jobs.run_inline(queues=("default",))

    def settle(self) -> None:
        """Do what waits, with a stored file in the place of every PDF."""
        self.work_off()
        with self.world.looking(), unit_of_work() as uow:
            for edition in db.session.scalars(
                select(Edition).where(Edition.state == "approved", Edition.pdf_hash.is_(None))
            ):
                edition.pdf_hash = blobs.put(b"%PDF-1.7 " + edition.id.bytes, "application/pdf")
                uow.announce(Event.PDF_STORED, edition_id=edition.id)
        self.work_off()

    # -- a school -----------------------------------------------------------------------------------------------

    def overrides(self, at: Social) -> dict[str, tuple[str, int, str]]:
        """Clause -> (answer, row version, words) of what a school works on."""
        with self.world.acting(at.head):
            return {
                row.clause_key: (row.answer, row.row_version, f"{row.heading or ''} {row.text or ''}")
                for row in queries.list_overrides(at.policy_id, at.school.id)
            }

    def added(self, at: Social) -> dict[str, str]:
        with self.world.acting(at.head):
            return {
                row.key: f"{row.heading} {row.text}" for row in queries.list_added(at.policy_id, at.school.id)
            }

    def stands_on(self, at: Social) -> Tree:
        with self.world.looking():
            standing = queries.get_standing(at.policy_id, at.school.id)
            return reading.tree_of_version(queries.get_version(standing.version_id))

    def open_clauses(self, at: Social) -> list[ReconcileClause]:
        """What the head still decides; [] where nothing is open."""
        with self.world.acting(at.head):
            reconcile = queries.find_open_reconcile(at.policy_id, at.school.id)
            return list(queries.reconcile_clauses(reconcile.id)) if reconcile else []

    def reconcile_to_newest(self, at: Social) -> Reconcile | None:
        with self.world.looking():
            latest = queries.find_latest_version(at.policy_id)
            assert latest is not None
            return queries.find_reconcile_to(latest.id, at.school.id)

    def latest(self, at: Social) -> Edition:
        with self.world.looking():
            found = queries.find_latest_edition(at.policy_id, at.school.id)
            assert found is not None
            return found

    def latest_day(self) -> date:
        """The day of the newest version."""
        with self.world.looking():
            latest = queries.find_latest_version(self.policy_id)
            assert latest is not None
            assert latest.effective_on is not None
            return latest.effective_on

    def may_change(self, at: Social) -> bool:
        return not self.open_clauses(at) and not self.waits_for_approval(at)

    def waits_for_approval(self, at: Social) -> bool:
        with self.world.looking():
            return queries.find_submitted_edition(at.policy_id, at.school.id) is not None

    def decide_submitted(self, at: Social, choice: VoteChoice) -> None:
        """The chair approves, or asks for changes."""
        with self.world.acting(at.chair):
            edition = queries.find_submitted_edition(at.policy_id, at.school.id)
            assert edition is not None
            run = queries.find_pending_run(edition_id=edition.id)
            assert run is not None
        self._vote(at.chair, run.id, run.content_hash, choice)
        self.settle()

    def sign(self, at: Social) -> tuple[UUID, UUID | None] | None:
        """The teacher signs this policy, if asked: (what was signed, what was in force there at that moment)."""
        with self.world.acting(at.teacher) as actor:
            asked = [one for one in mine.list_open(at.teacher.id) if one.policy_id == at.policy_id]
            if not asked:
                return None
            in_force = queries.find_edition_in_force(at.policy_id, at.school.id, today())
            shown = acceptance.to_read(actor, assignment_id=asked[0].id, today=today())
            signature = acceptance.sign(
                actor,
                assignment_id=asked[0].id,
                edition_id=shown.edition.id,
                statement_seen=shown.statement_version,
                confirmed=True,
                now=now(),
                today=today(),
            )
            return signature.edition_id, in_force.id if in_force else None

    # -- what is looked at after every act ------------------------------------------------------------------------

    def editions(self) -> list[Edition]:
        """Every edition of this policy at any school, in whatever state."""
        with self.world.looking():
            found = db.session.scalars(select(Edition).where(Edition.policy_id == self.policy_id)).all()
            for one in found:
                db.session.expunge(one)
            return list(found)

    def trees(self) -> dict[UUID, Tree]:
        with self.world.looking():
            return {
                one.id: reading.tree_of_version(one)
                for one in queries.list_versions(self.policy_id)
                if one.number
            }

    def stored(self, hashes: set[str]) -> dict[str, str]:
        """Hash of a stored file -> the hash of its bytes as they are now."""
        with self.world.looking():
            return {one: hashlib.sha256(blobs.get(one).content).hexdigest() for one in hashes}

    def clauses(self, edition: Edition) -> tuple[EditionClause, ...]:
        """What an edition says, clause by clause."""
        with self.world.looking():
            return reading.clauses_of(edition)

    def clauses_of(self, reconcile_id: UUID) -> list[ReconcileClause]:
        with self.world.looking():
            return list(queries.reconcile_clauses(reconcile_id))

    def said(self, edition: Edition) -> dict[str, tuple[str, str, str]]:
        """Clause -> (heading, text, origin), as people read it."""
        return {one.key: (one.heading, one.text, one.origin.value) for one in self.clauses(edition)}

    def findable(self, at: Social) -> str:
        """All that the school's head can find of the school's own words: drafts, editions, decisions, what ended."""
        with self.world.acting(at.head):
            parts: list[Any] = []
            for table in (Override, AddedClause):
                parts += [
                    (row.heading, row.text)
                    for row in db.session.scalars(
                        select(table).where(table.policy_id == at.policy_id, table.school_id == at.school.id)
                    )
                ]
            parts += db.session.scalars(
                select(Edition.answers).where(
                    Edition.policy_id == at.policy_id, Edition.school_id == at.school.id
                )
            ).all()
            asked = select(Reconcile.id).where(
                Reconcile.policy_id == at.policy_id, Reconcile.school_id == at.school.id
            )
            parts += [
                (row.texts, row.written_heading, row.written_text)
                for row in db.session.scalars(
                    select(ReconcileClause).where(ReconcileClause.reconcile_id.in_(asked))
                )
            ]
            parts += db.session.scalars(
                select(PublicationPlace.detail).where(PublicationPlace.school_id == at.school.id)
            ).all()
        return json.dumps(parts, ensure_ascii=False)

    def acceptance_rows(self) -> tuple[list[Signature], list[Assignment]]:
        with self.world.looking():
            signatures = db.session.scalars(
                select(Signature).where(Signature.policy_id == self.policy_id)
            ).all()
            assignments = db.session.scalars(
                select(Assignment).where(Assignment.policy_id == self.policy_id)
            ).all()
            return list(signatures), list(assignments)


def as_printed(words: str, values: Mapping[str, str]) -> str:
    """The trust's words with the place's values in them, as an edition that may not differ prints them."""
    return placeholders.fill(words, values)[0]


def frozen(edition: Edition) -> str:
    """A hash over all of an edition that may never change."""
    content = [
        edition.policy_id.hex,
        edition.school_id.hex if edition.school_id else "",
        edition.template_version_id.hex,
        edition.place_name,
        edition.header,
        edition.tree,
        edition.answers,
        edition.values,
        edition.changes,
        edition.content_hash,
        edition.material,
        edition.reason,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def soon(days: int) -> date:
    return today() + timedelta(days=days)
