"""What a case manager records besides the steps of an allegation: kinds, their questions, what must come before what,
and which days follow from them. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from trustportal.errors import RuleBroken
from trustportal.workflows.domain.answers import as_day
from trustportal.workflows.domain.days import add_working_days
from trustportal.workflows.domain.definition import Field, FieldKind, Option


class Kind(StrEnum):
    """In the order in which they are offered."""

    LADO = "lado"
    WELFARE = "welfare"
    TOLD = "told"
    EMPLOYER = "employer"
    ALTERNATIVE = "alternative"
    SUSPENSION = "suspension"
    CONFIRMATION = "confirmation"
    SUSPENSION_ENDS = "suspension_ends"
    EVIDENCE = "evidence"
    REFERRAL = "referral"


@dataclass(frozen=True, slots=True)
class RecordText:
    """A kind in words, and its questions. The first answer is its headline in a list."""

    title: str
    button: str
    fields: tuple[Field, ...]
    hint: str = ""


def _text(key: str, label: str, hint: str = "", *, required: bool = True) -> Field:
    return Field(key, label, FieldKind.TEXT, hint, required=required)


def _long(key: str, label: str, hint: str = "", *, required: bool = True) -> Field:
    return Field(key, label, FieldKind.LONG_TEXT, hint, required=required)


def _day(key: str, label: str, hint: str = "", *, required: bool = True) -> Field:
    return Field(key, label, FieldKind.DAY, hint, required=required)


def _choice(key: str, label: str, *options: tuple[str, str], hint: str = "") -> Field:
    return Field(
        key, label, FieldKind.CHOICE, hint, options=tuple(Option(value, words) for value, words in options)
    )


#: What has to be considered before a suspension.
ALTERNATIVES: Mapping[str, str] = {
    "redeploy": "Other work in the school, without that child or without children",
    "assistant": "Somebody else always present",
    "move_child": "The child works elsewhere, after speaking with the parents",
    "other_site": "Work at another school or site of the trust",
}
KINDS: Mapping[Kind, RecordText] = {
    Kind.LADO: RecordText(
        "Contact with the LADO",
        "Record a contact with the LADO",
        (
            _text("officer", "With whom?", "The officer’s name"),
            _text("authority", "Of which local authority?"),
            _day("on", "On which day?"),
            _text("at", "At what time?", "Such as 14:20"),
            _text("reference", "Their reference", required=False),
            _long("advice", "What was advised?"),
            _long("actions", "Which actions were agreed, by whom and when?", required=False),
            _long("may_be_told", "Who may be told what, and when?", "The person, the parents, colleagues"),
        ),
        "Also a conversation without names. Within one working day of the report.",
    ),
    Kind.WELFARE: RecordText(
        "The child’s safety",
        "Record what was done for the child",
        (
            _long("what", "What was done?", "By the DSL, social care, the police"),
            _text("by", "By whom?"),
            _day("on", "On which day?"),
        ),
    ),
    Kind.TOLD: RecordText(
        "Somebody was told",
        "Record that somebody was told",
        (
            _choice(
                "whom",
                "Who was told?",
                ("subject", "The person whom it is about"),
                ("parents", "The child’s parents"),
                ("police", "The police"),
                ("social_care", "Children’s social care"),
                ("other", "Somebody else"),
            ),
            _day("on", "On which day?"),
            _long(
                "what", "What were they told?", "Parents too: that nothing may be published about a teacher"
            ),
            _text("agreed_with", "With whom was that agreed?", "The LADO, police or social care"),
        ),
        "Only what was agreed with the LADO. Nobody learns it from this portal.",
    ),
    Kind.EMPLOYER: RecordText(
        "The agency or employer",
        "Record a contact with the agency or employer",
        (
            _text("who", "Which agency or employer, and who there?"),
            _day("on", "On which day?"),
            _long(
                "agreed", "What was agreed?", "The school sees it through, although it is not the employer"
            ),
        ),
        "For supply teachers and contractors. Do not simply stop using somebody without finding out the facts.",
    ),
    Kind.ALTERNATIVE: RecordText(
        "An alternative to suspension",
        "Record an alternative to suspension",
        (
            _choice("which", "Which?", *ALTERNATIVES.items(), ("other", "Something else")),
            _choice(
                "decision", "What was decided?", ("taken", "It is done"), ("rejected", "It is not enough")
            ),
            _long("why", "Why?"),
        ),
    ),
    Kind.SUSPENSION: RecordText(
        "Suspension",
        "Record a suspension",
        (
            _day("on", "From which day?"),
            _long("why", "Why does no alternative do?"),
            _text("agreed_with", "Agreed with whom?", "The LADO, police or social care"),
            _text("contact", "Who is the person’s contact while away?"),
        ),
        "Never automatic: every alternative is considered first. It says nothing about guilt.",
    ),
    Kind.CONFIRMATION: RecordText(
        "Written confirmation of a suspension",
        "Record the written confirmation",
        (_day("on", "Given on which day?"), _text("how", "How?", "By hand, by post")),
        "Within one working day, with the reasons and the named contact.",
    ),
    Kind.SUSPENSION_ENDS: RecordText(
        "End of a suspension",
        "Record the end of the suspension",
        (_day("on", "On which day?"), _long("why", "How did it end, and how is the return supported?")),
    ),
    Kind.EVIDENCE: RecordText(
        "Where evidence is",
        "Record where evidence is",
        (
            _text("what", "What is there?", "In words. Nothing is copied into this portal."),
            _text("where", "Where is it?", "The device or place"),
            _text("custodian", "Who keeps it?"),
            _day("sealed_on", "Sealed on which day?", required=False),
            _text("sealed_by", "Sealed by whom?", required=False),
        ),
    ),
    Kind.REFERRAL: RecordText(
        "A referral",
        "Record a referral",
        (
            _choice(
                "to",
                "To whom?",
                ("dbs", "The Disclosure and Barring Service"),
                ("tra", "The Teaching Regulation Agency"),
                ("social_care", "Children’s social care"),
                ("police", "The police"),
            ),
            _day("on", "On which day?"),
            _text("reference", "Their reference", required=False),
            _long("why", "On what grounds?"),
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """One record: its kind, answers, and the day on which it was written."""

    kind: Kind
    says: Mapping[str, Any]
    on: date


def is_suspended(records: Iterable[Recorded]) -> bool:
    """Whether somebody is suspended now; records in the order in which they were written."""
    now = False
    for one in records:
        if one.kind in {Kind.SUSPENSION, Kind.SUSPENSION_ENDS}:
            now = one.kind is Kind.SUSPENSION
    return now


def check(kind: Kind, says: Mapping[str, Any], records: Iterable[Recorded], *, today: date) -> None:
    """Raise `RuleBroken` for a record that cannot come now."""
    there = list(records)
    for key in ("on", "sealed_on"):
        day = as_day(says.get(key))
        # A suspension can begin tomorrow; whatever was done, was done.
        if day is not None and day > today + timedelta(days=7 if kind is Kind.SUSPENSION else 0):
            raise RuleBroken("This day has not come yet.", key)
    if kind is Kind.SUSPENSION:
        if is_suspended(there):
            raise RuleBroken("A suspension is recorded already. Record its end first.", "on")
        considered = {one.says.get("which") for one in there if one.kind is Kind.ALTERNATIVE}
        missing = [words for key, words in ALTERNATIVES.items() if key not in considered]
        if missing:
            raise RuleBroken(
                f"Record first why each alternative does not do. Still missing: {'; '.join(missing)}.", "why"
            )
        if not any(one.kind is Kind.LADO for one in there):
            raise RuleBroken("Speak with the LADO first, and record it.", "agreed_with")
    if kind in {Kind.SUSPENSION_ENDS, Kind.CONFIRMATION} and not any(
        one.kind is Kind.SUSPENSION for one in there
    ):
        raise RuleBroken("There is no suspension to which this belongs.", "on")


# -- what must be there before a step -------------------------------------------------------------------------------


def blockers(action: str, values: Mapping[str, Any], records: Iterable[Recorded]) -> list[str]:
    """What keeps the case manager from a step, in words. `values`: the case's answers with those given now."""
    there = list(records)
    kinds = {one.kind for one in there}
    found = []
    if action in {"threshold", "outcome"} and Kind.LADO not in kinds:
        found.append("Record the contact with the LADO first.")
    if action == "outcome":
        if values.get("about_kind") in {"agency", "contractor"} and Kind.EMPLOYER not in kinds:
            found.append("Record the contact with the agency or employer first.")
        if Kind.SUSPENSION in kinds and Kind.CONFIRMATION not in kinds:
            found.append("Record the written confirmation of the suspension first.")
        if is_suspended(there):
            found.append("Record how the suspension ends first.")
        referred = {one.says.get("to") for one in there if one.kind is Kind.REFERRAL}
        harmed = values.get("outcome") == "substantiated" and values.get("employment") in {
            "dismissed",
            "resigned",
        }
        if harmed and values.get("dbs") == "made" and "dbs" not in referred:
            found.append("Record the referral to the Disclosure and Barring Service first.")
        if values.get("tra") == "made" and "tra" not in referred:
            found.append("Record the referral to the Teaching Regulation Agency first.")
    if action == "file":
        outcome = values.get("outcome")
        if values.get("reference") == "yes" and outcome != "substantiated":
            found.append("Only a substantiated allegation can be mentioned in a reference.")
        if values.get("consents") and outcome not in {"malicious", "false"}:
            found.append("The person’s agreement is asked only where the allegation was malicious or false.")
    return found


# -- days ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clock:
    """A day that follows from what was recorded. `done_on`: when it was met; None: not yet."""

    words: str
    due: date
    done_on: date | None = None
    #: A local authority's own, tighter rule, in its words.
    tighter: str = ""
    #: What has to be recorded for it.
    kind: Kind = Kind.LADO

    @property
    def was_met(self) -> bool:
        """In time, where it was met at all."""
        return self.done_on is not None and self.done_on <= self.due


def lado_due(came_on: date) -> date:
    """One working day; school holidays do not stop it."""
    return add_working_days(came_on, 1)


#: Where somebody has decided that the harm threshold is not met: until that is decided otherwise, nothing is due.
BELOW_THRESHOLD = frozenset({"low_level", "low_closed", "elsewhere", "elsewhere_closed"})


def clocks(
    came_on: date, records: Iterable[Recorded], *, state: str = "", local_rule: str = ""
) -> list[Clock]:
    """What is due when. `came_on`: when it came to the employer’s attention, or was taken up again; `state`: where the
    case is.
    """
    there = list(records)
    met = min(
        (
            day
            for one in there
            if one.kind is Kind.LADO and (day := as_day(one.says.get("on"))) and day >= came_on
        ),
        default=None,
    )
    found = []
    if met is not None or state not in BELOW_THRESHOLD:
        found.append(Clock("Contact with the LADO", lado_due(came_on), met, local_rule))
    since: date | None = None
    for one in there:
        day = as_day(one.says.get("on")) or one.on
        if one.kind is Kind.SUSPENSION:
            since = day
            found.append(
                Clock(
                    "Written confirmation of the suspension", add_working_days(day, 1), kind=Kind.CONFIRMATION
                )
            )
        elif one.kind is Kind.CONFIRMATION and since is not None:
            found[-1] = replace(found[-1], done_on=day)
    return found
