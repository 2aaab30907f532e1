"""A school's answers to the trust's clauses, and the editions that are made of them."""

from __future__ import annotations

from trustportal.policies.services.local.answers import (
    add_clause,
    answer_clause,
    change_added,
    discard_changes,
    note_authors,
    open_standing,
    remove_added,
    write_answers,
)
from trustportal.policies.services.local.editions import (
    Composed,
    approve_edition,
    compose,
    end_submission,
    make_edition,
    refuse_missing,
    release_edition,
    submit_edition,
    withdraw_edition,
)

__all__ = [
    "Composed",
    "add_clause",
    "answer_clause",
    "approve_edition",
    "change_added",
    "compose",
    "discard_changes",
    "end_submission",
    "make_edition",
    "note_authors",
    "open_standing",
    "refuse_missing",
    "release_edition",
    "remove_added",
    "submit_edition",
    "withdraw_edition",
    "write_answers",
]
