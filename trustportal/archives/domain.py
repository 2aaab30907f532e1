"""What goes into an archive and what never does, table by table; who agrees to one with cases; for how long. Pure.

Every table of a trust stands in exactly one of `SHEETS`, `ELSEWHERE`, `OF_CASES` and `LEFT_OUT`: a test compares them
with the tables that there are, so that a new one is decided about and not forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from trustportal.access import Role

#: How long the two have to agree; an agreement holds no longer.
DECIDE_WITHIN = timedelta(days=14)
#: How long an archive can be taken; one with cases for half of it.
KEPT = timedelta(days=14)
KEPT_WITH_CASES = timedelta(days=7)


class Seat(StrEnum):
    """The two who have to agree to an archive with cases."""

    DPO = "dpo"
    CHAIR = "chair"


SEATS: Mapping[Seat, Role] = {Seat.DPO: Role.DPO, Seat.CHAIR: Role.CHAIR_OF_TRUST_BOARD}


def choose_two(dpos: Sequence[UUID], chairs: Sequence[UUID], asked_by: UUID) -> tuple[UUID, UUID] | None:
    """Who is asked: the data protection officer and the chair of the trust board, in the order given.

    Two different people, neither of whom asked for it; None where posts are filled so that there are no two. Nothing
    else decides, above all no case: whoever is asked, or is not, learns nothing from it.
    """
    return next(
        ((dpo, chair) for dpo in dpos for chair in chairs if dpo != chair and asked_by not in {dpo, chair}),
        None,
    )


class Within(StrEnum):
    """Which rows of a table belong to one school."""

    OWN = "own"  # those that name it
    SELF = "self"  # the school itself
    SERVED = "served"  # people who ever served there
    POLICIES = "policies"  # policies that have, or had, an edition there
    TEXTS = "texts"  # the trust's published versions of those policies
    CAMPAIGNS = "campaigns"  # campaigns that asked somebody there
    OF_CAMPAIGNS = "of_campaigns"  # rows of those campaigns
    ALL = "all"  # the trust's, which hold for every school
    NONE = "none"  # the trust's alone


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: where its rows go, without which columns, and which of them belong to one school."""

    table: str
    folder: str
    title: str
    within: Within = Within.OWN
    omit: frozenset[str] = frozenset()
    #: Also as a list that spreadsheets open.
    listed: bool = False

    @property
    def name(self) -> str:
        """Its file, without the ending."""
        return f"{self.folder}/{self.table.replace('_', '-')}"


def _sheet(
    table: str, folder: str, title: str, within: Within = Within.OWN, *omit: str, listed: bool = False
) -> Sheet:
    return Sheet(table, folder, title, within, frozenset(omit), listed)


#: In the order in which they are written.
SHEETS: tuple[Sheet, ...] = (
    _sheet("school", "people", "Schools", Within.SELF, listed=True),
    _sheet("person", "people", "People", Within.SERVED, "account_id", listed=True),
    _sheet("membership", "people", "Roles that people held, with their days", listed=True),
    _sheet("line_management", "people", "Who leads whom"),
    _sheet("placeholder", "people", "Placeholders of the trust", Within.ALL, listed=True),
    _sheet("placeholder_value", "people", "What each place filled in", listed=True),
    _sheet("policy", "policies", "Policies", Within.POLICIES, listed=True),
    _sheet("policy_place", "policies", "Where policies apply"),
    _sheet("standing", "policies", "Where each place stands with a policy"),
    _sheet("template_version", "policies", "Versions of the trust’s texts", Within.TEXTS, "tree"),
    _sheet("draft_clause", "policies", "Clauses of drafts"),
    _sheet("override", "policies", "Working answers of schools to clauses"),
    _sheet("added_clause", "policies", "Clauses that schools added"),
    _sheet("edition", "policies", "Editions, with their change logs", Within.OWN, "tree"),
    _sheet("place_ending", "policies", "Where policies ended"),
    _sheet("reconcile", "policies", "New versions that schools had to decide about"),
    _sheet("reconcile_clause", "policies", "What they decided, clause by clause"),
    _sheet("publication", "policies", "When versions were brought to places", Within.NONE),
    _sheet("publication_place", "policies", "What became of each place"),
    _sheet("joining", "policies", "Old policies laid beside the trust’s"),
    _sheet("joining_pair", "policies", "What was taken over from them"),
    _sheet("import_batch", "policies", "Files that were brought together", Within.NONE),
    _sheet("import_entry", "policies", "What each of them was", Within.NONE, "content"),
    _sheet("import_reading", "policies", "What was read in files", Within.NONE),
    _sheet("lint_answer", "policies", "Findings that were let stand, with reasons"),
    _sheet("guidance_review", "policies", "Reviews after guidance changed", Within.NONE),
    _sheet("review_reminder", "policies", "Reminders of reviews"),
    _sheet("consultation", "policies", "Drafts that were open for comment", Within.NONE),
    _sheet("draft_comment", "policies", "Comments and answers", Within.NONE),
    _sheet("approval_route", "approvals", "Who approves what"),
    _sheet("approval_run", "approvals", "What was sent for approval"),
    _sheet("approval_member", "approvals", "Who was asked"),
    _sheet("approval_decision", "approvals", "Decisions and minutes", listed=True),
    _sheet("ratification", "approvals", "Ratifications", Within.NONE),
    _sheet("campaign", "signing", "Campaigns", Within.CAMPAIGNS, listed=True),
    _sheet("campaign_policy", "signing", "Policies of campaigns", Within.OF_CAMPAIGNS),
    _sheet("campaign_document", "signing", "Outside documents of campaigns", Within.OF_CAMPAIGNS),
    _sheet("assignment", "signing", "Who was asked to sign what", listed=True),
    _sheet("signature", "signing", "Signatures", listed=True),
    _sheet("signing_certificate", "signing", "Certificates, with all that stands on them"),
    _sheet("signing_question", "signing", "Questions and refusals"),
    _sheet("absence", "signing", "Long absences, as far as they pause signing"),
    _sheet("signing_schedule", "signing", "When people are reminded", Within.ALL),
    _sheet("outside_document", "signing", "Outside documents", Within.ALL),
    _sheet("outside_edition", "signing", "Their editions", Within.ALL),
    # Without the case that approved it: a reference to a case says that there is one.
    _sheet("register_entry", "accounts", "Register of accounts", Within.OWN, "case_id", listed=True),
    _sheet("register_person", "accounts", "Their administrators and moderators", listed=True),
    _sheet("register_flag", "accounts", "What had to be seen to"),
    _sheet("workflow_definition", "workflows", "Workflows", Within.ALL),
    _sheet("workflow_version", "workflows", "Their versions", Within.ALL),
    _sheet("workflow_override", "workflows", "What schools set for themselves"),
    _sheet("school_break", "workflows", "School holidays", listed=True),
    _sheet("allegation_routing", "workflows", "Tables of recipients, as proposed and decided", Within.NONE),
)

#: Written by chapters of their own, or inside other files.
ELSEWHERE: Mapping[str, str] = {
    "trust": "trust.json",
    "clause_text": "the words stand in each version and edition under policies/texts",
    "version_pdf": "the files stand beside the versions under policies/texts",
    "audit_event": "audit/trail-….jsonl",
    "audit_payload": "audit/trail-….jsonl",
    "audit_head": "audit/head.json",
    "audit_anchor": "audit/anchors.json",
    "audit_stamp": "audit/anchors.json",
    "blob": "each stored file stands where it belongs: editions, versions, certificates, scans, the logo",
}

#: Only in an archive with cases, and then opened: the records of the cases that are in it.
OF_CASES: frozenset[str] = frozenset(
    {
        "case_anchor",
        "case_assignee",
        "case_deadline",
        "case_document",
        "case_escalation",
        "case_event",
        "case_event_payload",
        "case_head",
        "case_hold",
        "case_note",
        "case_participant",
        "case_record",
        "case_recusal",
        "case_signature",
        "case_subject",
        "case_task",
        "workflow_case",
    }
)

#: In no archive, and why.
LEFT_OUT: Mapping[str, str] = {
    "trust_key": "the key that seals cases",
    "invitation": "one-time links",
    "signing_code": "one-time codes",
    "case_stamp": "about all cases at once: kept for whoever runs the installation",
    "case_receipt": "the word with which somebody who reported adds something: it is theirs alone",
    "case_intake": "forms that were not sent yet, or wait to be routed: nobody can say yet whom they are about",
    "tie": "declared to be read by those who declared it, and by routing alone",
    "interest_entry": "comes from a case",
    "alarm": "says that there is a case",
    "case_figure": "figures of cases, each for one reader",
    "disposal_ask": "names cases",
    "stand_in": "says that there is a case about which somebody may not decide",
    "campaign_person": "counted from memberships and from who was asked, which go along",
    "demonstration_mail": "what the mailbox of a demonstration shows",
    "notice": "what people were told: it can name a case",
    "mail": "what people were told: it can name a case",
    "outbox": "work that is done or to do, with ids of cases",
    "schedule_run": "when the portal's clock ran",
    "signature_trace": "browsers, kept for a short time to look into a doubt",
    "outlook": "worked out anew whenever it is wanted",
    "outlook_place": "worked out anew whenever it is wanted",
    "redline_pdf": "made anew whenever it is wanted",
    "evidence_pack": "made anew whenever it is wanted",
    "archive": "archives that were asked for",
    "archive_consent": "who agreed to one: it stands in the audit trail",
    "archive_file": "archives that were made",
    "archive_piece": "archives that were made",
}
