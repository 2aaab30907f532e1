"""Clauses of the policies that are in force at a school, to be chosen in a form and named in a letter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from trustportal.policies import queries as policies
from trustportal.policies import reading
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.resolve import EditionClause
from trustportal.policies.models import Edition


def editions_at(school_id: UUID, on: date) -> set[UUID]:
    """The editions in force at a school."""
    return {one.id for one in policies.editions_in_force(on, school_ids=[school_id])}


def list_choosable(school_id: UUID, on: date) -> list[tuple[str, str]]:
    """What a form offers: value and words of each clause with a number, policy by policy."""
    found = []
    editions = policies.editions_in_force(on, school_ids=[school_id], whole=True)
    for edition in sorted(editions, key=_title):
        for clause in reading.clauses_of(edition):
            if clause.label and (clause.heading or clause.text):
                found.append((f"{edition.id}~{clause.key}", f"{_title(edition)}, {_words(clause)}"))
    return found


def names_of(values: Iterable[str]) -> dict[str, str]:
    """How a letter names clauses: "Social media policy, 2.1 (Comments about others)", as the edition chosen says."""
    found: dict[str, str] = {}
    chosen = list(values)
    for edition_id in {UUID(one.partition("~")[0]) for one in chosen}:
        edition = policies.get_edition(edition_id)
        clauses = {one.key: one for one in reading.clauses_of(edition)}
        for one in chosen:
            named, _, key = one.partition("~")
            if named == str(edition_id) and key in clauses:
                found[one] = f"{_title(edition)}, {_words(clauses[key])}"
    return found


def _title(edition: Edition) -> str:
    return PolicyHeader.from_json(edition.header).title


def _words(clause: EditionClause) -> str:
    words = clause.heading or " ".join(clause.text.split())
    if len(words) > 70:
        words = f"{words[:70].rsplit(' ', 1)[0]}…"
    return f"{clause.label} ({words})"
