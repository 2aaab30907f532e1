"""The one statement behind a school's policy page, which is read more than any other.

Part of the queries' room. What the page shows of a policy comes in one row: the edition in force, the one to come, and
for the head what waits. Written as SQL, because asking one question after the other took most of the page's time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import column, text

from trustportal.db import current_scope, db
from trustportal.errors import NotFound
from trustportal.policies.place_queries import Approved


@dataclass(frozen=True, slots=True)
class PolicyHead:
    """A policy as its pages name it."""

    id: UUID
    slug: str
    title: str
    #: From when on it is in force nowhere, and why; None where it was not withdrawn.
    withdrawn_on: date | None = None
    withdrawn_because: str | None = None
    #: Whether the school wrote it for itself.
    own: bool = False


@dataclass(frozen=True, slots=True)
class EditionHead:
    """An approved edition without its tree: what its page shows besides the clauses."""

    id: UUID
    major: int
    minor: int | None
    content_hash: str
    header: dict[str, Any]
    approvals: list[dict[str, Any]]
    approved_at: datetime | None
    effective_on: date | None


@dataclass(frozen=True, slots=True)
class ToCome:
    """The newest edition that takes effect after today."""

    major: int
    minor: int | None
    effective_on: date


@dataclass(frozen=True, slots=True)
class Work:
    """What waits for the head on a policy's page."""

    undecided: int
    waits: bool
    unsent: bool
    release_due: bool
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """What the page of a policy at a school shows on a day. `work` is None for everybody but the head."""

    policy: PolicyHead
    in_force: EditionHead | None
    to_come: ToCome | None
    work: Work | None


_APPROVED = (
    "SELECT * FROM edition WHERE trust_id = :trust AND school_id = :school AND policy_id = p.id"
    " AND state = 'approved'"
)
_ENDED = (
    "SELECT FROM place_ending x WHERE x.trust_id = :trust AND x.school_id = :school AND x.policy_id = p.id"
    " AND x.number > edition.major"
)
_PAGE = text(
    f"""
    SELECT p.id, p.slug, p.title, p.withdrawn_on, p.withdrawn_because, p.school_id,
           e.id AS edition_id, e.major, e.minor, e.content_hash, e.header, e.approvals, e.approved_at, e.effective_on,
           c.major AS next_major, c.minor AS next_minor, c.effective_on AS next_on, w.standing_version, w.release_due,
           w.missing, w.reconcile_id, w.answers, w.template_version_id, w.undecided, w.waits, w.overrides, w.added
      FROM policy p
      LEFT JOIN LATERAL ({_APPROVED} AND effective_on <= :day AND (p.withdrawn_on IS NULL OR p.withdrawn_on > :day)
                         AND NOT EXISTS ({_ENDED} AND x.ended_on <= :day)
                         ORDER BY effective_on DESC, major DESC, minor DESC LIMIT 1) e ON true
      LEFT JOIN LATERAL ({_APPROVED} AND effective_on > :today AND NOT EXISTS ({_ENDED})
                         ORDER BY major DESC, minor DESC LIMIT 1) c ON true
      LEFT JOIN LATERAL (
        SELECT s.version_id AS standing_version, s.release_due, s.missing, r.id AS reconcile_id,
               l.answers, l.template_version_id,
               (SELECT count(*) FROM reconcile_clause
                 WHERE trust_id = :trust AND reconcile_id = r.id AND choice IS NULL) AS undecided,
               EXISTS (SELECT FROM edition WHERE trust_id = :trust AND school_id = :school AND policy_id = p.id
                          AND state = 'submitted') AS waits,
               (SELECT jsonb_agg(jsonb_build_object(
                         'clause_key', clause_key, 'answer', answer, 'heading', heading, 'text', "text",
                         'reason', reason, 'base_heading', base_heading, 'base_text', base_text, 'weight', weight))
                  FROM override
                 WHERE trust_id = :trust AND school_id = :school AND policy_id = p.id) AS overrides,
               (SELECT jsonb_agg(jsonb_build_object(
                         'key', "key", 'after', after_key, 'heading', heading, 'text', "text",
                         'reason', reason, 'weight', weight))
                  FROM added_clause
                 WHERE trust_id = :trust AND school_id = :school AND policy_id = p.id) AS added
          FROM standing s
          LEFT JOIN reconcile r ON r.trust_id = :trust AND r.school_id = :school AND r.policy_id = p.id
                               AND r.state = 'open'
          LEFT JOIN LATERAL ({_APPROVED} ORDER BY major DESC, minor DESC LIMIT 1) l ON true
         WHERE s.trust_id = :trust AND s.school_id = :school AND s.policy_id = p.id) w ON :head
     WHERE p.trust_id = :trust AND p.slug = :slug
    """  # noqa: S608 (of constants)
).columns(
    # In that order: named, so that nobody works out for each reading what came back.
    *map(
        column,
        (
            *("id", "slug", "title", "withdrawn_on", "withdrawn_because", "school_id"),
            *(
                "edition_id",
                "major",
                "minor",
                "content_hash",
                "header",
                "approvals",
                "approved_at",
                "effective_on",
            ),
            *("next_major", "next_minor", "next_on", "standing_version", "release_due"),
            *(
                "missing",
                "reconcile_id",
                "answers",
                "template_version_id",
                "undecided",
                "waits",
                "overrides",
                "added",
            ),
        ),
    )
)
_BECAUSE = {
    "unscoped_because": "every table in it is filtered by the scope's trust, and by the database besides"
}


def get_policy_page(slug: str, school_id: UUID, *, day: date, today: date, head: bool) -> PolicyPage:
    """A school's policy as its page shows it: what was in force on `day`. `head`: with what waits for the head.

    Raises `NotFound` for a policy that the trust does not have.
    """
    scope = current_scope()
    row = (
        db.session.execute(
            _PAGE,
            {
                "trust": scope.trust_id,
                "school": school_id,
                "slug": slug,
                "day": day,
                "today": today,
                "head": head,
            },
            execution_options=_BECAUSE,
        ).one_or_none()
        if scope
        else None
    )
    if row is None:
        raise NotFound()
    return PolicyPage(
        policy=PolicyHead(
            row.id, row.slug, row.title, row.withdrawn_on, row.withdrawn_because, row.school_id is not None
        ),
        in_force=EditionHead(
            row.edition_id,
            row.major,
            row.minor,
            row.content_hash,
            row.header,
            row.approvals,
            row.approved_at,
            row.effective_on,
        )
        if row.edition_id
        else None,
        to_come=ToCome(row.next_major, row.next_minor, row.next_on) if row.next_major else None,
        work=_work(row) if head and row.standing_version else None,
    )


def _work(row: Any) -> Work:
    working = {"overrides": row.overrides or (), "added": row.added or ()}
    approved = Approved(row.answers or {}, row.template_version_id)
    return Work(
        undecided=row.undecided,
        waits=row.waits,
        unsent=row.reconcile_id is None
        and not row.waits
        and approved.differs_from(working, row.standing_version),
        release_due=row.release_due,
        missing=tuple(row.missing),
    )
