"""What the check of a printed paper finds: which edition its code belongs to, and whether that is in force."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import url_for
from sqlalchemy import text

from trustportal.db import Scope, db, enter_scope
from trustportal.policies import place_queries, queries, reading
from trustportal.policies.models import Edition
from trustportal.tenants import queries as tenants


@dataclass(frozen=True, slots=True)
class Verdict:
    """A printed paper that is ours.

    `state`: in_force, to_come, superseded, withdrawn (the policy is), left (the school is no longer of the trust), or
    template (the trust's own text).
    """

    state: str
    title: str
    label: str
    place: str
    trust_name: str
    since: date | None
    #: From when another edition holds, and which.
    until: date | None
    newer_label: str
    #: Where the present text can be read; "" where it is not public.
    read_at: str
    #: Why it is withdrawn, or where the school went.
    notice: str = ""


def verdict_on(digest: str, on: date) -> Verdict | None:
    """What a code means on a day; None where it is not ours. Enters the scope of the trust and school it belongs to."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        return None
    rows = db.session.execute(
        text("SELECT trust_id, school_id, kind, id FROM find_printed(:digest)"),
        {"digest": digest},
        execution_options={"unscoped_because": "no trust is known yet; the function returns ids"},
    ).all()
    db.session.rollback()
    if not rows:
        return None
    first = min(rows, key=lambda row: row.kind != "edition")
    rows = [row for row in rows if (row.trust_id, row.school_id) == (first.trust_id, first.school_id)]
    enter_scope(Scope(first.trust_id, school_ids=frozenset({first.school_id} if first.school_id else ())))
    editions = [queries.get_edition(row.id) for row in rows if row.kind == "edition"]
    return _on_editions(editions, on) if editions else _on_version(first)


def _on_editions(editions: Sequence[Edition], on: date) -> Verdict:
    """Several editions of a place can say the same; the newest that has begun counts."""
    begun = [one for one in editions if one.effective_on and one.effective_on <= on]
    edition = max(begun or editions, key=lambda one: (one.major, one.minor or 0))
    policy = queries.get_policy_by_id(edition.policy_id)
    in_force = place_queries.find_in_force(policy.id, edition.school_id, on)
    if in_force is not None and in_force.content_hash == edition.content_hash:
        state = "in_force"
    else:
        state = "superseded" if begun else "to_come"
    trust, school = tenants.get_trust(), None
    if edition.school_id is not None:
        school = tenants.get_school(edition.school_id)
    superseding = _superseding(edition) if state == "superseded" else None
    until, notice = superseding.effective_on if superseding else None, ""
    # What ended the policy as a whole says more than what followed an older edition, where it came first.
    next_on = superseding.effective_on if superseding and superseding.effective_on else date.max
    withdrawn, left = policy.withdrawn_on, school.closes_on if school else None
    if begun and withdrawn is not None and withdrawn <= on and withdrawn < next_on:
        state, until, notice = "withdrawn", withdrawn, policy.withdrawn_because or ""
    elif begun and (ending := queries.find_ending(policy.id, edition.school_id, on)) is not None:
        state, until = "ended", ending.ended_on
    elif begun and school is not None and left is not None and left <= on and left <= next_on:
        state, until, notice = "left", left, school.went_to
    address: dict[str, Any] = {
        "trust": trust.slug,
        "school": school.slug if school else "",
        "policy": policy.slug,
    }
    return Verdict(
        state=state,
        title=reading.header_of(edition).title,
        label=reading.edition_label(edition),
        place=school.name if school else trust.name,
        trust_name=trust.name if school else "",
        since=edition.effective_on,
        until=until,
        newer_label=reading.edition_label(in_force) if in_force else "",
        read_at=url_for("public_pages.policy", **address) if policy.public and school and in_force else "",
        notice=notice,
    )


def superseded_on(edition: Edition, editions: Sequence[Edition]) -> date | None:
    """From when on another edition of its place held in the stead of one."""
    later = [
        one.effective_on
        for one in editions
        if (one.major, one.minor or 0) > (edition.major, edition.minor or 0) and one.effective_on is not None
    ]
    return min(later, default=None)


def _superseding(edition: Edition) -> Edition | None:
    """The first edition after this one that took its place."""
    later = [
        one
        for one in queries.list_editions(edition.policy_id, edition.school_id)
        if (one.major, one.minor or 0) > (edition.major, edition.minor or 0) and one.effective_on is not None
    ]
    return min(later, key=lambda one: (one.effective_on or date.max, one.major, one.minor or 0), default=None)


def _on_version(row: Any) -> Verdict:
    version = queries.get_version(row.id)
    trust = tenants.get_trust()
    latest = queries.find_latest_version(version.policy_id)
    return Verdict(
        state="template",
        title=reading.header_of(version).title,
        label=str(version.number),
        place=trust.name,
        trust_name="",
        since=version.effective_on,
        until=None,
        newer_label=str(latest.number) if latest and latest.id != version.id else "",
        read_at="",
    )
