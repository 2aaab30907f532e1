"""Outside documents that people confirm they have read: what a dated record must say, and what it is hashed from. Pure.

The portal keeps no copy of them. A record says which edition of which document, where it lies, which parts are to be
read, and in which words people confirm it. An edition is never changed; a new one asks again unless it only corrects.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit
from uuid import UUID

from trustportal.acceptance.domain.statement import DOCUMENT_SLOTS, check_statement
from trustportal.errors import RuleBroken

USUAL_DOCUMENT_STATEMENT = (
    "I have read {parts} of {document}, {edition}, published by {publisher},"
    " and I understand what it means for my work at {place}."
)
#: Of the record's form; a later form gets a new number.
RECORD_FORM = 1


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """One edition of an outside document as somebody writes it down."""

    title: str
    publisher: str
    #: As the publisher calls it, like "September 2026".
    edition: str
    #: The day that stands on it.
    published_on: date
    #: The first day on which people are asked to have read it.
    current_from: date
    link: str
    #: Which parts are to be read, as it stands in the statement: "Part one and Annex B", "the whole".
    parts: str
    statement: str
    #: Whether everybody is asked again; False: it only corrects what was written down before.
    asks_again: bool = True


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """An edition that was recorded, with all that its hash covers."""

    trust_id: UUID
    document_id: UUID
    edition_id: UUID
    number: int
    draft: DocumentDraft


def _line(words: str, field: str, *, most: int, none: str) -> str:
    tidy = " ".join(words.split())
    if not tidy:
        raise RuleBroken(none, field)
    if len(tidy) > most:
        raise RuleBroken(f"Keep it to {most} characters.", field)
    return tidy


def check_link(link: str) -> str:
    """An address at which people can read it. Raises `RuleBroken` for anything that is no plain https address."""
    tidy = link.strip()
    if not tidy:
        raise RuleBroken("Enter the address at which people can read it.", "link")
    try:
        parts = urlsplit(tidy)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    plain = tidy.isascii() and tidy.isprintable() and " " not in tidy and not set(tidy) & set("<>\"'\\`")
    if parts.scheme != "https" or "." not in host or "@" in parts.netloc or not plain:
        raise RuleBroken("Enter a whole address that begins with https://.", "link")
    if len(tidy) > 500:
        raise RuleBroken("Keep it to 500 characters.", "link")
    return tidy


def check_document(draft: DocumentDraft, *, before: DocumentDraft | None, today: date) -> DocumentDraft:
    """An edition with its words tidied. `before`: the newest one that is recorded. Raises `RuleBroken`, naming the
    field.
    """
    tidy = DocumentDraft(
        title=_line(draft.title, "title", most=200, none="Enter the title, as it stands on the document."),
        publisher=_line(draft.publisher, "publisher", most=200, none="Enter who publishes it."),
        edition=_line(
            draft.edition, "edition", most=40, none="Enter the edition, as the publisher calls it."
        ),
        published_on=draft.published_on,
        current_from=draft.current_from,
        link=check_link(draft.link),
        parts=_line(draft.parts, "parts", most=200, none="Say which parts are to be read, or “the whole”."),
        statement=check_statement(draft.statement, DOCUMENT_SLOTS),
        asks_again=draft.asks_again,
    )
    if tidy.published_on > today:
        raise RuleBroken("The day of publication cannot be in the future.", "published_on")
    if tidy.current_from < tidy.published_on:
        raise RuleBroken("People cannot be asked before it was published.", "current_from")
    if before is None:
        return tidy
    if tidy.current_from < before.current_from:
        raise RuleBroken(
            "An edition cannot hold before the one that is recorded already does.", "current_from"
        )
    if tidy == before:
        raise RuleBroken("This is what is recorded already. Change what is new.", "edition")
    return tidy


def record_of(facts: DocumentFacts) -> str:
    """The canonical record of an edition (JSON, keys sorted, no spaces): the same facts give the same bytes."""
    draft = facts.draft
    return json.dumps(
        {
            "record": RECORD_FORM,
            "trust": str(facts.trust_id),
            "document": str(facts.document_id),
            "edition": {"id": str(facts.edition_id), "number": facts.number, "label": draft.edition},
            "title": draft.title,
            "publisher": draft.publisher,
            "published_on": draft.published_on.isoformat(),
            "current_from": draft.current_from.isoformat(),
            "link": draft.link,
            "parts": draft.parts,
            "statement": draft.statement,
            "asks_again": draft.asks_again,
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )


def document_hash(facts: DocumentFacts) -> str:
    """SHA-256 of the record, in hex: what a signature names."""
    return hashlib.sha256(record_of(facts).encode()).hexdigest()
