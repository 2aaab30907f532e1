"""How an edition to sign looks on a page: rows made ready for the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trustportal.acceptance.models import Signature
from trustportal.policies import reading
from trustportal.policies.domain.resolve import EditionClause
from trustportal.policies.models import Edition
from trustportal.policies.views import presenting


@dataclass(frozen=True, slots=True)
class ShownText:
    """The whole text with its contents."""

    contents: Sequence[presenting.ContentsLine]
    rows: Sequence[presenting.ClauseRow]


def shown_clauses(edition: Edition, clauses: Sequence[EditionClause]) -> ShownText:
    """An edition's clauses as the policy's own page shows them."""
    rows = presenting.clause_rows(clauses, edition.values, reading.answers_in(edition))
    return ShownText(presenting.contents_of(rows), rows)


def done_with(signed: Signature) -> str:
    """What somebody has just done, after «You have»: signed a policy, or confirmed an outside document."""
    return f"{'confirmed' if signed.outside_id is not None else 'signed'} {signed.policy_title}"
