"""Outside documents: their records, and what planning needs to know of them.

An outside document is the same at every place, so who is asked and who has confirmed is looked up for people, wherever
that was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from trustportal.acceptance.domain.documents import DocumentDraft, DocumentFacts
from trustportal.acceptance.domain.planning import EditionStep, Signed
from trustportal.acceptance.models import Assignment, OutsideDocument, OutsideEdition, Signature
from trustportal.db import db
from trustportal.errors import NotFound

#: A place: the id of a school, or None for the trust itself.
Place = UUID | None


def draft_of(edition: OutsideEdition) -> DocumentDraft:
    """What somebody wrote down."""
    return DocumentDraft(
        title=edition.title,
        publisher=edition.publisher,
        edition=edition.edition,
        published_on=edition.published_on,
        current_from=edition.current_from,
        link=edition.link,
        parts=edition.parts,
        statement=edition.statement,
        asks_again=edition.asks_again,
    )


def facts_of(edition: OutsideEdition) -> DocumentFacts:
    """All that an edition's hash covers, from its row alone."""
    return DocumentFacts(edition.trust_id, edition.document_id, edition.id, edition.number, draft_of(edition))


def get_document(document_id: UUID, *, lock: bool = False) -> OutsideDocument:
    """An outside document of the trust; `lock` keeps others from recording an edition of it meanwhile."""
    statement = select(OutsideDocument).where(OutsideDocument.id == document_id)
    found = db.session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def editions_of(document_id: UUID) -> Sequence[OutsideEdition]:
    """All that was recorded of a document, the newest first."""
    return db.session.scalars(
        select(OutsideEdition)
        .where(OutsideEdition.document_id == document_id)
        .order_by(OutsideEdition.number.desc())
    ).all()


def get_edition(edition_id: UUID) -> OutsideEdition:
    """One recorded edition."""
    found = db.session.scalars(select(OutsideEdition).where(OutsideEdition.id == edition_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def find_current(document_id: UUID, on: date) -> OutsideEdition | None:
    """The edition of which people are asked on a day."""
    return db.session.scalars(
        select(OutsideEdition)
        .where(OutsideEdition.document_id == document_id, OutsideEdition.current_from <= on)
        .order_by(OutsideEdition.number.desc())
        .limit(1)
    ).one_or_none()


def list_newest() -> Sequence[OutsideEdition]:
    """The newest edition that is recorded of each document, by title."""
    rows = db.session.scalars(
        select(OutsideEdition)
        .ext(distinct_on(OutsideEdition.document_id))
        .order_by(OutsideEdition.document_id, OutsideEdition.number.desc())
    ).all()
    return sorted(rows, key=lambda one: (one.title.lower(), str(one.document_id)))


def current_ids(on: date) -> set[UUID]:
    """The ids of the editions of which people are asked on a day."""
    return set(
        db.session.scalars(
            select(OutsideEdition.id)
            .ext(distinct_on(OutsideEdition.document_id))
            .where(OutsideEdition.current_from <= on)
            .order_by(OutsideEdition.document_id, OutsideEdition.number.desc())
        )
    )


def titles() -> dict[UUID, str]:
    """What each document is called, by its newest edition."""
    return {one.document_id: one.title for one in list_newest()}


def asks_again_since(edition: OutsideEdition, later: OutsideEdition) -> bool:
    """Whether any edition after one, up to another, asks everybody again."""
    return any(
        one.asks_again
        for one in editions_of(edition.document_id)
        if edition.number < one.number <= later.number
    )


def count_confirmed(document_id: UUID) -> dict[UUID, int]:
    """How many people confirmed each edition of a document."""
    rows = db.session.execute(
        select(Signature.outside_edition_id, func.count(Signature.person_id.distinct()))
        .where(Signature.outside_id == document_id)
        .group_by(Signature.outside_edition_id)
    )
    return {edition_id: count for edition_id, count in rows if edition_id is not None}


@dataclass(frozen=True, slots=True)
class OutsideFacts:
    """What planning needs of the outside documents of the campaigns that run."""

    editions: Sequence[EditionStep] = ()
    signed: Sequence[Signed] = ()
    #: Where people are asked, by person and document: at one place each.
    asked: Mapping[tuple[UUID, UUID], Place] = field(default_factory=dict)

    def asked_elsewhere(self, here: Place, people: Iterable[UUID]) -> frozenset[tuple[UUID, UUID]]:
        """Which of some people are asked for which document at another place than this one."""
        documents = {step.policy_id for step in self.editions}
        pairs = [(person, document) for person in people for document in documents]
        return frozenset(pair for pair in pairs if self.asked.get(pair, here) != here)


def outside_facts(today: date, documents: Collection[UUID], people: Collection[UUID]) -> OutsideFacts:
    """The editions of some documents, who has confirmed them and who is asked, among some people."""
    if not documents:
        return OutsideFacts()
    editions = db.session.execute(
        select(
            OutsideEdition.id, OutsideEdition.document_id, OutsideEdition.number, OutsideEdition.asks_again
        )
        .where(OutsideEdition.document_id.in_(documents), OutsideEdition.current_from <= today)
        .order_by(OutsideEdition.number.desc())
    ).all()
    newest: set[UUID] = set()
    steps = []
    for edition_id, document_id, number, asks_again in editions:
        in_force = document_id not in newest
        newest.add(document_id)
        steps.append(EditionStep(edition_id, document_id, (number, 0), asks_again, in_force, ready=True))
    # Read before the signatures: one that is given meanwhile is seen as one or the other.
    rows = db.session.execute(
        select(Assignment.school_id, Assignment.person_id, Assignment.outside_id).where(
            Assignment.outside_id.in_(documents),
            Assignment.person_id.in_(people),
            Assignment.state == "open",
        )
    )
    asked = {(row.person_id, row.outside_id): row.school_id for row in rows if row.outside_id is not None}
    signed = db.session.execute(
        select(
            Signature.person_id, Signature.outside_id, Signature.outside_edition_id, Signature.academic_year
        )
        .ext(distinct_on(Signature.person_id, Signature.outside_id))
        .where(Signature.outside_id.in_(documents), Signature.person_id.in_(people))
        .order_by(Signature.person_id, Signature.outside_id, Signature.signed_at.desc(), Signature.id)
    )
    last = [
        Signed(person_id, document_id, edition_id, year)
        for person_id, document_id, edition_id, year in signed
        if document_id is not None and edition_id is not None
    ]
    return OutsideFacts(steps, last, asked)
