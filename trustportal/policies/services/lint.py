"""Letting findings stand, keeping a text with errors from being submitted, and reviews of superseded guidance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID, uuid4

from trustportal import audit
from trustportal.access import Actor, Permission
from trustportal.audit import Action
from trustportal.db import db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.policies import linting, queries
from trustportal.policies.dictionary.loading import load_dictionary
from trustportal.policies.domain.lint.dictionary import RecordState
from trustportal.policies.domain.lint.model import Finding, Severity
from trustportal.policies.lint_models import GuidanceReview, LintAnswer
from trustportal.policies.linting import Report
from trustportal.policies.services.drafts import get_open_draft
from trustportal.words import plural

#: The shortest reason that says something.
_SHORTEST_REASON = 10


def answer_findings(
    actor: Actor, *, version_id: UUID, answers: Mapping[str, str], now: datetime, today: date
) -> int:
    """Let findings of a draft stand: mark -> reason. A warning needs none, an error that can be waived needs one.

    Returns how many were kept. Marks of findings that are not there any more are passed over: the words changed.
    """
    actor.require(Permission.TEMPLATE_EDIT)
    with unit_of_work():
        version = get_open_draft(version_id)
        policy = queries.get_policy_by_id(version.policy_id)
        report = linting.report_of_version(policy, version, today)
        return len(keep_answers(actor, report, policy.id, None, answers, now))


def keep_answers(
    actor: Actor,
    report: Report,
    policy_id: UUID,
    school_id: UUID | None,
    answers: Mapping[str, str],
    now: datetime,
) -> frozenset[str]:
    """Keep what was said about findings; returns the marks that are answered. Inside a unit of work."""
    kept = set(report.answers)
    for finding in report.findings:
        if finding.mark not in answers or finding.mark in kept:
            continue
        reason = answers[finding.mark].strip()
        _refuse_answer(finding, reason)
        if finding.severity is Severity.INFORMATION:
            continue
        assert actor.person_id is not None
        db.session.add(
            LintAnswer(
                policy_id=policy_id,
                school_id=school_id,
                mark=finding.mark,
                rule=finding.rule,
                severity=finding.severity.value,
                clause_key=finding.key,
                clause_label=report.label(finding)[:80],
                message=finding.message,
                reason=reason,
                person_id=actor.person_id,
                person_name=actor.name,
                answered_at=now,
            )
        )
        audit.record(
            actor,
            Action.FINDING_ANSWERED,
            policy_id=policy_id,
            school_id=school_id,
            rule=finding.rule,
            severity=finding.severity.value,
            clause_key=finding.key or None,
            mark=finding.mark,
        )
        kept.add(finding.mark)
    db.session.flush()
    return frozenset(kept)


def _refuse_answer(finding: Finding, reason: str) -> None:
    if finding.severity is not Severity.ERROR:
        return
    if not linting.is_waivable(finding):
        raise RuleBroken("This error cannot be let stand. Correct the words.", f"waive-{finding.mark}")
    if len(reason) < _SHORTEST_REASON:
        raise RuleBroken(
            "Say in a sentence why this policy may be without it: the approvers see your reason.",
            f"waive-{finding.mark}",
        )


def require_clean(
    actor: Actor,
    report: Report,
    *,
    policy_id: UUID,
    school_id: UUID | None,
    answers: Mapping[str, str],
    now: datetime,
) -> None:
    """Refuse a submission while there are errors, or warnings that nobody acknowledged. Inside a unit of work.

    `answers` came with the submission, and are kept if it goes through.
    """
    kept = keep_answers(actor, report, policy_id, school_id, answers, now)
    for severity, words in (
        (Severity.ERROR, "It cannot be sent yet: put {count} right first. {first}"),
        (
            Severity.WARNING,
            "Look at {count} first: correct the words, or tick that they are to stay. {first}",
        ),
    ):
        left = [one for one in report.findings if one.severity is severity and one.mark not in kept]
        if left:
            label = report.label(left[0])
            place = f"{label}: " if label else ""
            raise RuleBroken(
                words.format(count=plural(len(left), severity.value), first=f"{place}{left[0].message}"),
                f"finding-{left[0].mark[:16]}",
            )


# -- guidance that was superseded --------------------------------------------------------------------------------


def look_at_guidance(*, trust_id: UUID, now: datetime, today: date) -> int:
    """Open a review for each record that is superseded and still named in force; close those that nothing names.

    Runs daily. A record is reviewed once: when its review was closed, naming it again shows on its page. Returns how
    many were opened.
    """
    dictionary = load_dictionary()
    actor = Actor.portal(trust_id)
    with unit_of_work() as uow:
        known = {review.record: review for review in queries.list_guidance_reviews()}
        superseded = dictionary.superseded(today)
        asked = [one for one in superseded if one.id not in known or known[one.id].state == "open"]
        found = linting.citations(asked, today)
        opened = 0
        for record in asked:
            cited = [one for one in found if one.record == record.id]
            review = known.get(record.id)
            if review is not None and not cited:
                review.state, review.closed_at = "closed", now
                review.closing_note = "Nothing in force names it any more."
                audit.record(actor, Action.GUIDANCE_REVIEW_CLOSED, review_id=review.id, record=record.id)
            elif review is None and cited:
                assert record.until is not None
                made = GuidanceReview(
                    id=uuid4(),
                    record=record.id,
                    superseded_on=record.until,
                    state="open",
                    opened_at=now,
                    roles=[
                        str(role) for role in linting.responsible_roles(one.place.policy_id for one in cited)
                    ],
                    clauses=len({(one.place.policy_id, one.place.key) for one in cited}),
                    places=len({one.place.school_id for one in cited}),
                )
                db.session.add(made)
                db.session.flush()
                audit.record(
                    actor,
                    Action.GUIDANCE_REVIEW_OPENED,
                    review_id=made.id,
                    record=record.id,
                    clauses=made.clauses,
                    places=made.places,
                )
                uow.announce(Event.GUIDANCE_REVIEW_OPENED, review_id=made.id)
                opened += 1
    return opened


def close_guidance_review(actor: Actor, *, record: str, note: str, now: datetime, today: date) -> None:
    """Say that a superseded law or guidance was dealt with, and how. What still names it stays listed."""
    actor.require(Permission.TEMPLATE_EDIT)
    if not note.strip():
        raise RuleBroken("Say what was done about it: corrected, or why it may stay.", "note")
    with unit_of_work():
        review = queries.find_guidance_review(record, lock=True)
        if review is None or load_dictionary().by_id[record].state(today) is not RecordState.SUPERSEDED:
            raise RuleBroken("There is no review of this.", "note")
        if review.state == "closed":
            raise RuleBroken("This review was closed meanwhile.", "note")
        review.state, review.closed_at, review.closed_by = "closed", now, actor.person_id
        review.closing_note = note.strip()
        audit.record(actor, Action.GUIDANCE_REVIEW_CLOSED, review_id=review.id, record=record)
