"""Lint for rows: drafts, versions and editions as documents, their findings, what was said about them. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from trustportal.access import ROLE_LABELS, TRUST_ROLES, Role
from trustportal.policies import queries, reading
from trustportal.policies.dictionary.loading import load_dictionary
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.lint import RULES, lint
from trustportal.policies.domain.lint.dictionary import Record
from trustportal.policies.domain.lint.model import Document, Finding, Severity
from trustportal.policies.domain.lint.sources import Surroundings, of_edition, of_tree
from trustportal.policies.domain.resolve import EditionClause
from trustportal.policies.importing.linting import document_of
from trustportal.policies.importing.reading import Reading
from trustportal.policies.lint_models import LintAnswer
from trustportal.policies.models import Policy, TemplateVersion
from trustportal.tenants import queries as tenants

#: The slot in which schools name their council.
AUTHORITY = "local_authority.name"


def _surroundings(school_id: UUID | None = None) -> Surroundings:
    schools = tenants.list_schools()
    values = tenants.values_for_place(school_id)
    authority = values.get(AUTHORITY, "").strip()
    return Surroundings(
        trust_name=tenants.get_trust().name,
        school_names=tuple(school.name for school in schools),
        placeholders=tenants.known_placeholders(),
        # Posts as the portal knows them, and as this place calls them.
        roles=(*ROLE_LABELS.values(), *(value for name, value in values.items() if name.startswith("role."))),
        authorities=(authority,) if authority else (),
    )


def document_of_version(policy: Policy, version: TemplateVersion) -> Document:
    """The trust's text as lint reads it."""
    header = (
        reading.header_of(version) if version.state == "published" else PolicyHeader.from_json(version.header)
    )
    return of_tree(
        reading.tree_of_version(version),
        reading.numbering_of(policy, version),
        header,
        _surroundings(),
        safeguarding=header.safeguarding,
        view_only=version.state == "published",
    )


def document_of_place(
    version: TemplateVersion, clauses: Sequence[EditionClause], school_id: UUID | None
) -> Document:
    """A place's policy as lint reads it: only its own clauses are judged."""
    header = PolicyHeader.from_json(version.header)
    return of_edition(clauses, header, _surroundings(school_id), safeguarding=header.safeguarding)


@dataclass(frozen=True, slots=True)
class Report:
    """The findings of a document, and what was said about those that can be let stand."""

    document: Document
    findings: tuple[Finding, ...]
    answers: Mapping[str, LintAnswer]

    def open(self, severity: Severity) -> list[Finding]:
        """Findings of a severity that nobody has answered."""
        return [one for one in self.findings if one.severity is severity and one.mark not in self.answers]

    @property
    def errors(self) -> list[Finding]:
        """What blocks a submission."""
        return self.open(Severity.ERROR)

    @property
    def warnings(self) -> list[Finding]:
        """What a submission asks to be acknowledged."""
        return self.open(Severity.WARNING)

    @property
    def answered(self) -> list[tuple[Finding, LintAnswer]]:
        """What was let stand, and by whom; approvers see it."""
        return [(one, self.answers[one.mark]) for one in self.findings if one.mark in self.answers]

    def by_clause(self) -> dict[int | None, list[Finding]]:
        """What there is to say of each clause, by its index; None: of the whole."""
        found: dict[int | None, list[Finding]] = {}
        for one in self.findings:
            found.setdefault(one.clause, []).append(one)
        return found

    def by_key(self) -> dict[str, list[Finding]]:
        """What there is to say beside each clause; not what was let stand."""
        found: dict[str, list[Finding]] = {}
        for one in self.findings:
            if one.clause is not None and one.mark not in self.answers:
                found.setdefault(one.key, []).append(one)
        return found

    def label(self, finding: Finding) -> str:
        """How the clause of a finding is called; "" for the policy as a whole."""
        if finding.clause is None:
            return ""
        clause = self.document.clauses[finding.clause]
        return clause.label or " ".join((clause.heading or clause.text).split())[:60]

    def excerpt(self, finding: Finding, around: int = 44) -> tuple[str, str, str]:
        """The marked words with some before and after them; three times "" where none are marked."""
        if not finding.words or finding.clause is None:
            return ("", finding.words, "")
        clause = self.document.clauses[finding.clause]
        words = {"heading": clause.heading, "text": clause.text, "label": clause.label}[finding.part]
        first, last = max(0, finding.start - around), min(len(words), finding.end + around)
        before, after = words[first : finding.start], words[finding.end : last]
        if first:
            before = "…" + before.partition(" ")[2]
        if last < len(words):
            after = after.rpartition(" ")[0] + "…"
        return _plain(before), finding.words, _plain(after)


def _plain(words: str) -> str:
    """Words around a place without the marks of tables and emphasis."""
    return re.sub(r"[\s|*]+", " ", words)


def report_of_version(policy: Policy, version: TemplateVersion, today: date) -> Report:
    """What lint says about a version or draft of the trust's text."""
    document = document_of_version(policy, version)
    return _report(document, policy.id, None, today)


def report_of_place(
    version: TemplateVersion, clauses: Sequence[EditionClause], school_id: UUID | None, today: date
) -> Report:
    """What lint says about a place's own words."""
    return _report(document_of_place(version, clauses, school_id), version.policy_id, school_id, today)


def _report(document: Document, policy_id: UUID, school_id: UUID | None, today: date) -> Report:
    found = lint(document, load_dictionary(), today)
    asks = any(one.severity is not Severity.INFORMATION for one in found)
    return Report(document, found, queries.list_lint_answers(policy_id, school_id) if asks else {})


#: What the importer says of a reading by itself, with buttons to put it right.
_TOLD_BY_THE_IMPORTER = frozenset({"L01", "L02", "L17", "L18", "L19", "L20", "L21", "L27", "L28", "L48"})


def report_of_reading(imported: Reading, today: date) -> Report:
    """What lint says about an import that is being corrected, beyond the importer's own doubts."""
    document = document_of(imported)
    found = lint(document, load_dictionary(), today)
    return Report(document, tuple(one for one in found if one.rule not in _TOLD_BY_THE_IMPORTER), {})


def is_waivable(finding: Finding) -> bool:
    """Whether an error may be let stand, with a reason that the approvers see."""
    return RULES[finding.rule].waivable


# -- guidance that was superseded --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Citation:
    """A clause in force that names a record."""

    record: str
    place: queries.ClauseInForce
    #: The words that name it, with what stands before and after.
    before: str
    words: str
    after: str


def citations(records: Iterable[Record], on: date) -> list[Citation]:
    """Every clause in force, at every visible place, that names one of these records."""
    dictionary = load_dictionary()
    wanted = {record.id: record for record in records}
    needles = {needle for record in wanted.values() for needle in dictionary.needles(record)}
    named: dict[str, list[tuple[str, str, str, str]]] = {}
    for found in queries.texts_with(needles):
        told: set[str] = set()
        for words in (found.text, found.heading):
            for mention in dictionary.mentions(words):
                if mention.record.id in wanted and mention.record.id not in told:
                    told.add(mention.record.id)
                    named.setdefault(found.hash, []).append(
                        (
                            mention.record.id,
                            _plain(words[max(0, mention.start - 50) : mention.start]),
                            words[mention.start : mention.end],
                            _plain(words[mention.end : mention.end + 50]),
                        )
                    )
    return [
        Citation(record, place, before, words, after)
        for place in queries.clauses_in_force_with(named, on)
        for record, before, words, after in named[place.words]
    ]


def responsible_roles(policy_ids: Iterable[UUID]) -> list[Role]:
    """The trust's posts that are responsible for these policies, as their headers say; else the network manager."""
    by_label = {ROLE_LABELS[role].casefold(): role for role in TRUST_ROLES}
    latest, _ = queries.versions_by_policy()
    found: set[Role] = set()
    for policy_id in set(policy_ids):
        version = latest.get(policy_id)
        post = PolicyHeader.from_json(version.header).person_responsible if version else ""
        found.add(by_label.get(post.strip().casefold(), Role.NETWORK_MANAGER))
    return sorted(found or {Role.NETWORK_MANAGER})
