"""Documents for lint, made of the trust's tree or of a place's resolved policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trustportal.policies.domain.clauses import Clause, NumberingStyle, labels
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.lint.model import Document, HeaderFact, LintClause, Source
from trustportal.policies.domain.resolve import EditionClause, Origin
from trustportal.policies.domain.tree_view import depth_of

__all__ = ["Surroundings", "of_edition", "of_tree"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the trust whose policy it is."""

    trust_name: str = ""
    school_names: tuple[str, ...] = ()
    placeholders: frozenset[str] | None = None
    roles: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()


_NOTHING = Surroundings()


def _facts(header: PolicyHeader) -> tuple[HeaderFact, ...]:
    days = (
        ("approved_on", "Approved on", header.approved_on),
        ("effective_on", "Effective on", header.effective_on),
        ("next_review_on", "Next review", header.next_review_on),
    )
    return (
        HeaderFact("organisation", "Organisation", header.organisation),
        HeaderFact("person_responsible", "Person responsible", header.person_responsible),
        HeaderFact("approving_body", "Approved by", header.approving_body),
        HeaderFact("review_period", "Review period", f"every {header.review_months} months"),
        *(HeaderFact(name, label, f"{day.day} {day:%B %Y}") for name, label, day in days if day),
    )


def of_tree(
    tree: Sequence[Clause],
    numbering: NumberingStyle,
    header: PolicyHeader,
    surroundings: Surroundings = _NOTHING,
    *,
    safeguarding: bool = False,
    view_only: bool = False,
) -> Document:
    """The trust's text: every clause is its own."""
    names, depths = labels(tree, numbering), depth_of(tree)
    return Document(
        title=header.title,
        source=Source.DRAFT,
        clauses=tuple(
            LintClause(
                clause.key,
                names[clause.key],
                clause.heading,
                clause.text,
                depths[clause.key] - 1,
                clause.kind,
            )
            for clause in tree
        ),
        header=_facts(header),
        safeguarding=safeguarding,
        view_only=view_only,
        related=header.related,
        placeholders=surroundings.placeholders,
        roles=surroundings.roles,
        trust_name=surroundings.trust_name,
        school_names=surroundings.school_names,
        authorities=surroundings.authorities,
        template=True,
    )


def of_edition(
    clauses: Sequence[EditionClause],
    header: PolicyHeader,
    surroundings: Surroundings = _NOTHING,
    *,
    safeguarding: bool = False,
) -> Document:
    """A school's policy as it prints, without what is left out. Only the school's own clauses are judged."""
    used = [clause for clause in clauses if clause.origin is not Origin.LEFT_OUT]
    depths: dict[str, int] = {}
    for clause in used:
        depths[clause.key] = depths.get(clause.parent or "", -1) + 1
    return Document(
        title=header.title,
        source=Source.EDITION,
        clauses=tuple(
            LintClause(
                clause.key,
                clause.label,
                clause.heading,
                clause.text,
                depths[clause.key],
                clause.kind,
                own=clause.origin in (Origin.ADAPTED, Origin.ADDED),
            )
            for clause in used
        ),
        header=_facts(header),
        safeguarding=safeguarding,
        related=header.related,
        roles=surroundings.roles,
        trust_name=surroundings.trust_name,
        authorities=surroundings.authorities,
    )
