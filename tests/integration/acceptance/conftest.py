"""A desk to sign at: policies with editions, and campaigns, in a few words.

Editions are written as rows, so that a test decides itself what is in force where, what is material, and whether the
PDF is made already; how they come to be is tested with the policies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from tests.integration.moments import moment
from tests.world import Place, Someone, World
from trustportal import blobs
from trustportal.acceptance import services
from trustportal.acceptance.domain.documents import USUAL_DOCUMENT_STATEMENT, DocumentDraft
from trustportal.acceptance.domain.years import academic_year
from trustportal.acceptance.models import Campaign, Signature
from trustportal.acceptance.queries import mine
from trustportal.acceptance.services import documents
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.jobs import Event
from trustportal.policies import texts
from trustportal.policies.domain.clauses import Kind, Mode
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.resolve import EditionClause, Origin, edition_hash
from trustportal.policies.models import Edition, Policy, PolicyPlace, Standing, TemplateVersion
from trustportal.tenants import queries as tenants
from trustportal.times import now, today


def text_of(sentences: Sequence[str]) -> tuple[EditionClause, ...]:
    """A section with a clause for each sentence."""
    section = EditionClause("use", None, Kind.SECTION, "1", "1", "Using it", "", Origin.TRUST, Mode.LOCKED)
    return (
        section,
        *(
            EditionClause(
                f"clause-{number}",
                "use",
                Kind.CLAUSE,
                f"1.{number}",
                f"1.{number}",
                "",
                sentence,
                Origin.TRUST,
                Mode.LOCKED,
                template_text=sentence,
            )
            for number, sentence in enumerate(sentences, 1)
        ),
    )


class Desk:
    """What the tests of signing need of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.count = 0

    def policy(self, title: str, *places: Place | None, sentences: Sequence[str] = ("Be kind.",)) -> UUID:
        """A policy with edition 1.1 in force, its PDF made, at the given places."""
        policy_id, version_id = uuid4(), uuid4()
        with self.world.looking(), unit_of_work():
            slug = title.lower().replace(" ", "-")
            db.session.add(
                Policy(
                    id=policy_id, slug=slug, title=title, numbering="decimal", places="some", created_at=now()
                )
            )
            db.session.flush()
            db.session.add(
                TemplateVersion(
                    id=version_id,
                    policy_id=policy_id,
                    state="published",
                    number=1,
                    header=PolicyHeader(title).to_json(),
                    created_at=now(),
                )
            )
        for place in places:
            self.edition(policy_id, place, sentences)
        return policy_id

    def edition(
        self,
        policy_id: UUID,
        place: Place | None,
        sentences: Sequence[str],
        *,
        material: bool = True,
        on: date | None = None,
        ready: bool = True,
        reason: str = "",
    ) -> UUID:
        """The next edition of a policy at a place, announced as in force; `ready`: its PDF is made."""
        self.count += 1
        school_id = place.id if place else None
        with self.world.looking(), unit_of_work() as uow:
            version = db.session.query(TemplateVersion).filter_by(policy_id=policy_id).one()
            title = db.session.query(Policy).filter_by(id=policy_id).one().title
            clauses, header = text_of(sentences), PolicyHeader(title)
            edition = Edition(
                id=uuid4(),
                school_id=school_id,
                policy_id=policy_id,
                template_version_id=version.id,
                state="approved",
                major=1,
                minor=self.count,
                header=header.content(),
                place_name=tenants.place_name(school_id),
                tree=texts.freeze_edition(clauses),
                answers={"overrides": [], "added": []},
                values={},
                content_hash=edition_hash(clauses, header, tenants.place_name(school_id)),
                changes=[{"key": "clause-1", "reason": reason}],
                material=material,
                reason=reason,
                submitted_at=now(),
                approved_at=now(),
                effective_on=on or today(),
            )
            if ready:
                edition.pdf_hash = blobs.put(b"%PDF-1.7 edition " + edition.id.bytes, "application/pdf")
            db.session.add(edition)
            here = (
                PolicyPlace.school_id.is_(None) if school_id is None else PolicyPlace.school_id == school_id
            )
            if not db.session.query(PolicyPlace).filter(PolicyPlace.policy_id == policy_id, here).count():
                db.session.add(PolicyPlace(id=uuid4(), policy_id=policy_id, school_id=school_id))
                db.session.add(
                    Standing(id=uuid4(), policy_id=policy_id, school_id=school_id, version_id=version.id)
                )
            uow.announce(Event.EDITION_IN_FORCE, edition_id=edition.id)
        return edition.id

    def make_pdf(self, edition_id: UUID) -> None:
        """The PDF of an edition is made."""
        with self.world.looking(), unit_of_work() as uow:
            edition = db.session.query(Edition).filter_by(id=edition_id).one()
            edition.pdf_hash = blobs.put(b"%PDF-1.7 edition " + edition_id.bytes, "application/pdf")
            uow.announce(Event.PDF_STORED, edition_id=edition_id)

    def campaign(self, *policy_ids: UUID, title: str = "Annual signing", **changes: object) -> Campaign:
        """A campaign that opens today and asks everybody at schools and the central team; its jobs are run."""
        due_on = today() + timedelta(days=20)
        fields: dict[str, object] = {
            "academic_year": academic_year(due_on),
            "roles": [role for role in Role if role is not Role.NETWORK_MANAGER],
            "opens_on": today(),
            "due_on": due_on,
            **changes,
        }
        with self.world.acting(self.world.manager) as actor:
            opened = services.open_campaign(
                actor,
                title=title,
                policy_ids=policy_ids,
                now=now(),
                today=today(),
                **fields,  # type: ignore[arg-type]
            )
        self.world.run_jobs()
        return opened

    def document(self, title: str = "Safe at work", **changes: object) -> UUID:
        """An outside document in its first edition; later ones by its id in `document_id`. Jobs are run."""
        document_id = changes.pop("document_id", None)
        draft = DocumentDraft(
            **{
                "title": title,
                "publisher": "The Inspectorate",
                "edition": "autumn edition",
                "published_on": today() - timedelta(days=30),
                "current_from": today(),
                "link": "https://inspectorate.example/safe-at-work",
                "parts": "part one",
                "statement": USUAL_DOCUMENT_STATEMENT,
                **changes,
            }  # type: ignore[arg-type]
        )
        with self.world.acting(self.world.manager) as actor:
            if isinstance(document_id, UUID):
                made = documents.record_edition(
                    actor, document_id=document_id, draft=draft, now=now(), today=today()
                )
            else:
                made = documents.record_document(actor, draft, now=now(), today=today())
        self.world.run_jobs()
        return made.document_id

    def open_of(self, person: Someone) -> list[mine.MyAssignment]:
        """What a person is asked to sign."""
        with self.world.acting(person):
            return mine.list_open(person.id)

    def sign(self, person: Someone, assignment: mine.MyAssignment) -> Signature:
        """A person reads and signs."""
        with self.world.acting(person) as actor:
            shown = services.to_read(actor, assignment_id=assignment.id, today=today())
            return services.sign(
                actor,
                assignment_id=assignment.id,
                edition_id=shown.edition_id,
                statement_seen=shown.statement_version,
                confirmed=True,
                now=now(),
                today=today(),
                user_agent="A browser",
            )


@dataclass
class Asked:
    """Ann Staff of Ashgrove is asked to sign its policy on social media, and has not signed."""

    desk: Desk
    ashgrove: Place
    ann: Someone
    social: UUID


@moment
def asking(world: World) -> Asked:
    """What most tests of signing begin with; its desk counts the editions on, so they use no other."""
    desk = Desk(world)
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    social = desk.policy("Social media", ashgrove)
    desk.campaign(social)
    return Asked(desk, ashgrove, ann, social)


@pytest.fixture
def desk(world: World) -> Desk:
    """Policies, editions and campaigns of `world`."""
    return Desk(world)
