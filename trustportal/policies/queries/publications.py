"""What became of each place when a version was published, and what heads still decide."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, and_, bindparam, func, select
from sqlalchemy.orm import defer

from trustportal.db import db
from trustportal.errors import NotFound
from trustportal.policies.models import (
    AddedClause,
    Edition,
    Outlook,
    OutlookPlace,
    Override,
    Policy,
    Publication,
    PublicationPlace,
    Reconcile,
    ReconcileClause,
    RedlinePdf,
    TemplateVersion,
)
from trustportal.policies.queries.places import at_place, places_of
from trustportal.tenants.models import School


def find_open_reconcile(policy_id: UUID, school_id: UUID, *, lock: bool = False) -> Reconcile | None:
    """The decisions that a school still owes about a policy."""
    statement = select(Reconcile).where(
        Reconcile.policy_id == policy_id, Reconcile.school_id == school_id, Reconcile.state == "open"
    )
    if lock:
        statement = statement.with_for_update()
    return db.session.scalars(statement).one_or_none()


_ABOUT = bindparam("policy", type_=Uuid())
_ITS_PUBLICATION = and_(
    Publication.trust_id == PublicationPlace.trust_id, Publication.id == PublicationPlace.publication_id
)
_ITS_VERSION = and_(
    TemplateVersion.trust_id == Publication.trust_id, TemplateVersion.id == Publication.version_id
)


@cache
def _undecided_of_a_policy() -> Select[UUID, int]:
    return (
        select(Reconcile.school_id, func.count(ReconcileClause.id))
        .join(
            ReconcileClause,
            and_(
                ReconcileClause.trust_id == Reconcile.trust_id, ReconcileClause.reconcile_id == Reconcile.id
            ),
        )
        .where(Reconcile.policy_id == _ABOUT, Reconcile.state == "open", ReconcileClause.choice.is_(None))
        .group_by(Reconcile.school_id)
    )


def open_reconciles_of(policy_id: UUID) -> dict[UUID | None, int]:
    """School -> how many clauses it still has to decide about a policy."""
    rows = db.session.execute(_undecided_of_a_policy(), {"policy": policy_id})
    return {row[0]: row[1] for row in rows}


@cache
def _answers_of_a_policy(table: type[Override | AddedClause]) -> Select[UUID, int]:
    return (
        select(table.school_id, func.count(table.id))
        .where(table.policy_id == _ABOUT)
        .group_by(table.school_id)
    )


def count_answers(policy_id: UUID) -> dict[UUID | None, int]:
    """School -> how many clauses it has changed, left out or added."""
    found: dict[UUID | None, int] = {}
    for table in (Override, AddedClause):
        rows = db.session.execute(_answers_of_a_policy(table), {"policy": policy_id})
        for school_id, count in rows:
            found[school_id] = found.get(school_id, 0) + count
    return found


def count_effect(policy: Policy, keys: Collection[str], on: date) -> tuple[int, int]:
    """At how many places a policy applies on a day, and how many schools have answered one of these clauses."""
    touching: set[UUID] = set()
    for table, column in ((Override, Override.clause_key), (AddedClause, AddedClause.after_key)):
        touching |= set(
            db.session.scalars(
                select(table.school_id).where(table.policy_id == policy.id, column.in_(keys)).distinct()
            )
        )
    return len(places_of(policy, on)), len(touching)


def get_reconcile(reconcile_id: UUID) -> Reconcile:
    """A reconcile by its id."""
    found = db.session.scalars(select(Reconcile).where(Reconcile.id == reconcile_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def open_reconciles(policy_id: UUID) -> Sequence[Reconcile]:
    """The open reconciles about a policy, locked."""
    return db.session.scalars(
        select(Reconcile).where(Reconcile.policy_id == policy_id, Reconcile.state == "open").with_for_update()
    ).all()


def list_open_reconciles(school_ids: Collection[UUID]) -> Sequence[Reconcile]:
    """The open reconciles of some schools."""
    return db.session.scalars(
        select(Reconcile).where(Reconcile.state == "open", Reconcile.school_id.in_(school_ids))
    ).all()


def reconcile_clauses(reconcile_id: UUID) -> Sequence[ReconcileClause]:
    """What is to be decided, in reading order."""
    return db.session.scalars(
        select(ReconcileClause)
        .where(ReconcileClause.reconcile_id == reconcile_id)
        .order_by(ReconcileClause.position)
    ).all()


def count_undecided(reconcile_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many clauses still wait, by reconcile."""
    rows = db.session.execute(
        select(ReconcileClause.reconcile_id, func.count(ReconcileClause.id))
        .where(ReconcileClause.reconcile_id.in_(reconcile_ids), ReconcileClause.choice.is_(None))
        .group_by(ReconcileClause.reconcile_id)
    )
    return {row[0]: row[1] for row in rows}


def get_reconcile_clause(reconcile_id: UUID, key: str, *, lock: bool = False) -> ReconcileClause:
    """One clause of a reconcile."""
    statement = select(ReconcileClause).where(
        ReconcileClause.reconcile_id == reconcile_id, ReconcileClause.clause_key == key
    )
    if lock:
        statement = statement.with_for_update()
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


def get_publication(version_id: UUID) -> Publication:
    """How a version is being brought to its places."""
    found = db.session.scalars(select(Publication).where(Publication.version_id == version_id)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def publication_places(publication_id: UUID) -> Sequence[PublicationPlace]:
    """What became of each place."""
    return db.session.scalars(
        select(PublicationPlace).where(PublicationPlace.publication_id == publication_id)
    ).all()


def find_publication_place(version_id: UUID, school_id: UUID | None) -> PublicationPlace | None:
    """What became of one place when a version was published."""
    return db.session.scalars(
        select(PublicationPlace)
        .join(Publication, _ITS_PUBLICATION)
        .where(Publication.version_id == version_id, at_place(PublicationPlace.school_id, school_id))
    ).one_or_none()


def ended_answers(policy_id: UUID, school_id: UUID) -> list[tuple[int, list[dict[str, Any]]]]:
    """The answers of a school that ended by themselves: (the trust's version, what ended), the newest first."""
    rows = db.session.execute(
        select(TemplateVersion.number, PublicationPlace.detail)
        .join(Publication, _ITS_PUBLICATION)
        .join(TemplateVersion, _ITS_VERSION)
        .where(TemplateVersion.policy_id == policy_id, PublicationPlace.school_id == school_id)
        .order_by(TemplateVersion.number.desc())
    )
    return [(number or 0, detail["ended"]) for number, detail in rows if detail.get("ended")]


@dataclass(frozen=True, slots=True)
class ToBring:
    """A place of a publication, with what comes to it. `school` None: the trust itself. The tree is not loaded yet."""

    place: PublicationPlace
    version: TemplateVersion
    policy: Policy
    school: School | None


def get_place_to_bring(place_id: UUID) -> ToBring:
    """A place of a publication, locked, with its version, policy and school; one query, since each school needs it."""
    row = db.session.execute(_place_to_bring(), {"place": place_id}).one_or_none()
    if row is None:
        raise NotFound()
    return ToBring(row[0], row[1], row[2], row[3])


@cache
def _place_to_bring() -> Select[PublicationPlace, TemplateVersion, Policy, School]:
    return (
        select(PublicationPlace, TemplateVersion, Policy, School)
        .join(Publication, _ITS_PUBLICATION)
        .join(TemplateVersion, _ITS_VERSION)
        .join(
            Policy,
            and_(Policy.trust_id == TemplateVersion.trust_id, Policy.id == TemplateVersion.policy_id),
        )
        .outerjoin(
            School,
            and_(School.trust_id == PublicationPlace.trust_id, School.id == PublicationPlace.school_id),
        )
        .options(defer(TemplateVersion.tree))
        .where(PublicationPlace.id == bindparam("place", type_=Uuid()))
        .with_for_update(of=PublicationPlace)
    )


def version_of_publication(publication_id: UUID) -> UUID:
    """The version that a publication brings to its places."""
    return db.session.scalars(select(Publication.version_id).where(Publication.id == publication_id)).one()


def get_publication_place(place_id: UUID, *, lock: bool = False) -> PublicationPlace:
    """One place of a publication."""
    statement = select(PublicationPlace).where(PublicationPlace.id == place_id)
    if lock:
        statement = statement.with_for_update()
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found


# -- before publishing -------------------------------------------------------------------------------------------


def find_outlook(version_id: UUID) -> Outlook | None:
    """What a version will do, if it was worked out."""
    return db.session.scalars(select(Outlook).where(Outlook.version_id == version_id)).one_or_none()


def outlook_places(outlook_id: UUID) -> Sequence[OutlookPlace]:
    """What a version will do at each place."""
    return db.session.scalars(select(OutlookPlace).where(OutlookPlace.outlook_id == outlook_id)).all()


def find_outlook_place(place_id: UUID, *, lock: bool = False) -> OutlookPlace | None:
    """One place of an outlook; None when it was replaced by a newer one."""
    statement = select(OutlookPlace).where(OutlookPlace.id == place_id)
    if lock:
        statement = statement.with_for_update()
    return db.session.scalars(statement).one_or_none()


def version_of_outlook(outlook_id: UUID) -> UUID:
    """The version that an outlook is about."""
    return db.session.scalars(select(Outlook.version_id).where(Outlook.id == outlook_id)).one()


def answers_changed_since(policy_id: UUID, instant: datetime) -> int:
    """At how many schools somebody has worked on a policy's clauses since an instant."""
    found: set[UUID] = set()
    for table in (Override, AddedClause):
        found |= set(
            db.session.scalars(
                select(table.school_id).where(table.policy_id == policy_id, table.changed_at > instant)
            )
        )
    return len(found)


# -- what a school still owes ------------------------------------------------------------------------------------


def find_reconcile_to(version_id: UUID, school_id: UUID) -> Reconcile | None:
    """What a school was asked to decide about a version, whatever became of it."""
    return db.session.scalars(
        select(Reconcile)
        .where(Reconcile.to_version_id == version_id, Reconcile.school_id == school_id)
        .order_by(Reconcile.created_at.desc())
        .limit(1)
    ).one_or_none()


def reconciles_to(version_id: UUID) -> dict[UUID, Reconcile]:
    """What each school was asked to decide about a version, by school."""
    rows = db.session.scalars(
        select(Reconcile).where(Reconcile.to_version_id == version_id).order_by(Reconcile.created_at)
    )
    return {row.school_id: row for row in rows}


def all_open_reconciles() -> Sequence[Reconcile]:
    """Every decision that a school of the trust still owes."""
    return db.session.scalars(
        select(Reconcile).where(Reconcile.state == "open").order_by(Reconcile.created_at)
    ).all()


def editions_of_version(version_id: UUID) -> frozenset[UUID | None]:
    """The places that have an approved edition made from a version."""
    return frozenset(
        db.session.scalars(
            select(Edition.school_id).where(
                Edition.template_version_id == version_id, Edition.state == "approved"
            )
        )
    )


# -- redlines on paper -------------------------------------------------------------------------------------------


def find_redline(key: str) -> RedlinePdf | None:
    """The redline of two texts, if somebody asked for it."""
    return db.session.scalars(select(RedlinePdf).where(RedlinePdf.key == key)).one_or_none()


def get_redline(redline_id: UUID, *, lock: bool = False) -> RedlinePdf:
    """A redline by its id."""
    statement = select(RedlinePdf).where(RedlinePdf.id == redline_id)
    if lock:
        statement = statement.with_for_update()
    found = db.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound()
    return found
