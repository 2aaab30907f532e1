"""Forms of the trust's side: the header, a clause of a draft, submitting, voting, the minute, publishing, importing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeVar

from flask import request
from wtforms import HiddenField
from wtforms.validators import Length

from trustportal.errors import RuleBroken
from trustportal.forms import (
    ChecksField,
    ChoiceField,
    DayField,
    Given,
    LongTextField,
    PortalForm,
    RadiosField,
    TextField,
    TickField,
    UploadField,
    choices,
)
from trustportal.policies.domain.clauses import Kind, Mode, NumberingStyle
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.places import Where

T = TypeVar("T")
MODES = [
    (Mode.LOCKED.value, "Locked: every school uses these words"),
    (Mode.EXTEND.value, "Extend: schools may add clauses after it"),
    (Mode.ADAPTABLE.value, "Adaptable: schools may change it, add to it or leave it out"),
]
KINDS = [
    (Kind.CLAUSE.value, "Clause"),
    (Kind.SECTION.value, "Section"),
    (Kind.SUBHEADING.value, "Sub-heading without a number"),
    (Kind.APPENDIX.value, "Appendix"),
]
NUMBERING = [
    (NumberingStyle.DECIMAL.value, "1, 1.1, 1.1.1"),
    (NumberingStyle.LETTERS.value, "1, a., i."),
    (NumberingStyle.MIXED.value, "4, 4.1, a)"),
    (NumberingStyle.NONE.value, "No numbers"),
]


class HeaderForm(PortalForm):
    """What a policy says about itself."""

    title = TextField("Title", [Given("Give the policy a title."), Length(max=200)])
    reference = TextField("Reference", [Length(max=80)], description="Your own code for it, if you use one.")
    audience = TextField("Who it is for", [Length(max=300)])
    person_responsible = TextField(
        "Person responsible", [Length(max=120)], description="A post, not a name: “Trust network manager”."
    )
    approving_body = TextField("Approved by", [Length(max=120)], description="The body: “Trust board”.")
    review_months = ChoiceField(
        "Reviewed every",
        choices=choices((("6", "6 months"), ("12", "Year"), ("24", "2 years"), ("36", "3 years"))),
        default="12",
    )
    related = LongTextField("Related policies", description="One on each line.")
    numbering = ChoiceField("Numbering", choices=choices(NUMBERING))
    statutory = TickField("The law requires this policy")
    public = TickField("Parents and the public may read it")
    places = RadiosField(
        "Where does it apply?",
        choices=choices((("all", "At all schools, later ones too"), ("some", "At some schools only"))),
        default="all",
        validate_choice=False,  # a header that is not asked where it applies has no such field
    )
    schools = ChecksField("Schools, if it applies at some only", choices=[])
    safeguarding = TickField(
        "It is about safeguarding",
        description="Then it must say where a concern about the head goes, name the LADO, and more.",
    )
    trust_is_a_place = TickField("It also applies to the trust’s central team")
    row_version = HiddenField(default="0")

    def fill(self, header: PolicyHeader, numbering: str) -> None:
        """Show a header."""
        self.title.data, self.reference.data, self.audience.data = (
            header.title,
            header.reference,
            header.audience,
        )
        self.person_responsible.data, self.approving_body.data = (
            header.person_responsible,
            header.approving_body,
        )
        self.review_months.data, self.related.data = str(header.review_months), "\n".join(header.related)
        self.safeguarding.data = header.safeguarding
        self.statutory.data, self.public.data, self.numbering.data = (
            header.statutory,
            header.public,
            numbering,
        )

    def offer(self, schools: Iterable[tuple[str, str]]) -> None:
        """The schools that may be chosen."""
        self.schools.choices = choices(schools)

    def show_where(self, where: Where) -> None:
        """Show where it applies."""
        self.places.data = "all" if where.schools is None else "some"
        self.schools.data = sorted(where.schools or ())
        self.trust_is_a_place.data = where.trust

    def where(self) -> Where:
        """Where it is to apply, as it was chosen."""
        some = self.places.data == "some"
        return Where(frozenset(self.schools.data or ()) if some else None, bool(self.trust_is_a_place.data))

    def header(self, organisation: str) -> PolicyHeader:
        """What was typed."""
        return PolicyHeader(
            title=(self.title.data or "").strip(),
            reference=(self.reference.data or "").strip(),
            organisation=organisation,
            audience=(self.audience.data or "").strip(),
            person_responsible=(self.person_responsible.data or "").strip(),
            approving_body=(self.approving_body.data or "").strip(),
            review_months=int(self.review_months.data or 12),
            related=tuple(line.strip() for line in (self.related.data or "").splitlines() if line.strip()),
            statutory=bool(self.statutory.data),
            public=bool(self.public.data),
            safeguarding=bool(self.safeguarding.data),
        )


class ClauseForm(PortalForm):
    """One clause of a draft."""

    heading = TextField("Heading", [Length(max=300)])
    text = LongTextField("Text", [Length(max=50_000)])
    kind = ChoiceField("What it is", choices=choices(KINDS))
    mode = RadiosField("What a school may do", choices=choices(MODES))
    needs_agreement = TickField("A school’s change here also needs the trust’s agreement")
    row_version = HiddenField(default="0")


class AddClauseForm(PortalForm):
    """A new clause of a draft."""

    heading = TextField("Heading", [Length(max=300)])
    text = LongTextField("Text", [Length(max=50_000)])
    kind = ChoiceField("What it is", choices=choices(KINDS), default=Kind.CLAUSE.value)
    mode = RadiosField("What a school may do", choices=choices(MODES), default=Mode.LOCKED.value)
    inside = TickField("Put it inside the clause, one level down")
    after = HiddenField()


class SubmitForm(PortalForm):
    """Sending a draft to its approvers; the marks of changed clauses are read beside it."""

    reason = LongTextField(
        "Why is this version needed?",
        [
            Given("Say in a sentence why this version is needed: the trustees read it first."),
            Length(max=2000),
        ],
    )


class VoteForm(PortalForm):
    """One member's decision."""

    choice = HiddenField()
    content_hash = HiddenField()
    comment = LongTextField("What should be changed?", [Length(max=4000)])


class MinuteForm(PortalForm):
    """A decision that a body took in a meeting."""

    body = TextField("Body", [Given("Say which body took the decision."), Length(max=200)])
    met_on = DayField("Date of the meeting", [Given("Enter the date of the meeting.")])
    minute_reference = TextField(
        "Minute reference",
        [Given("Give the reference of the minute, for example “TB 2026/3, minute 7”."), Length(max=120)],
    )
    quorum_met = TickField("The meeting had its quorum")
    outcome = RadiosField(
        "What was decided?",
        choices=choices((("approved", "Approved"), ("returned", "Sent back with changes"))),
        validators=[Given("Say what was decided.")],
    )
    comment = LongTextField("What the body asked to be changed", [Length(max=4000)])
    content_hash = HiddenField()


class PublishForm(PortalForm):
    """When a version takes effect, and by when schools decide."""

    effective_on = DayField("Takes effect on", [Given("Enter the day on which it takes effect.")])
    decide_by = DayField("Schools decide by")


class DeadlineForm(PortalForm):
    """By when schools decide that still have something to decide."""

    due_on = DayField("Schools decide by", [Given("Enter the day by which schools decide.")])


class ForceForm(PortalForm):
    """Taking the trust's text at a school after the deadline."""

    reason = LongTextField(
        "Why do you take the trust’s text there now?",
        [Given("Say why. The school reads it, and it stands in the change log."), Length(max=600)],
        description="The head and the chair of governors are told, with this reason.",
    )


class FileForm(PortalForm):
    """A form that brings a file; those below name it."""

    def bring(self, use_case: Callable[[bytes, str], T]) -> T | None:
        """Check the form and give the file's content and name to a use case. Returns what that returns, or None with
        the errors noted at the file.
        """
        if not self.validate():
            return None
        upload = request.files.get("file")
        try:
            if upload is None or not upload.filename:
                raise RuleBroken("Choose a file first.", "file")
            return use_case(upload.read(), upload.filename)
        except RuleBroken as refused:
            self.refuse(RuleBroken(refused.message, "file"))
            return None


class UploadForm(FileForm):
    """A file to import."""

    file = UploadField("Choose a file")


class ArchiveForm(FileForm):
    """A ZIP of many policies."""

    file = UploadField("Choose a ZIP file")


class CorrectionForm(PortalForm):
    """One correction of an import; which one says `action`."""

    action = HiddenField()
    index = HiddenField()
    offset = HiddenField()
    row_version = HiddenField(default="0")
    label = TextField("Label", [Length(max=40)])
    heading = TextField("Heading", [Length(max=300)])
    text = LongTextField("Text", [Length(max=100_000)])
    kind = ChoiceField("What it is", choices=choices(KINDS))


def given(field: DayField) -> date:
    """The day of a field that was checked to have one."""
    assert field.data is not None
    return field.data
