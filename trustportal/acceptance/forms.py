"""The forms of acceptance: shape only. Rules are in the domain, and come back to the fields by `carry_out`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from uuid import UUID

from wtforms import HiddenField, IntegerField
from wtforms.validators import Length, Optional

from trustportal.acceptance.domain.campaign import AT_TRUST, Draft
from trustportal.acceptance.domain.documents import DocumentDraft
from trustportal.acceptance.domain.years import year_label
from trustportal.access import ROLE_LABELS, Role
from trustportal.errors import Conflict
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

T = TypeVar("T")


class SignForm(PortalForm):
    """The tick, and what the page showed: the edition and the words."""

    edition_id = HiddenField()
    statement_seen = HiddenField()
    confirmed = TickField("I agree to this statement")

    #: Whether what the page showed was superseded meanwhile.
    superseded = False

    def carry_out(self, use_case: Callable[[], T]) -> T | bool:
        """As for every form; what changed meanwhile is shown on the page itself."""
        try:
            return super().carry_out(use_case)
        except Conflict as conflict:
            self.superseded = True
            self.form_errors.append(conflict.message)
            return False


class WholeNumberField(IntegerField):
    """A whole number."""

    widget = TextField.widget


class ScheduleForm(PortalForm):
    """When people are reminded, whom the late are told to, and the quiet hours."""

    before = WholeNumberField(
        "Days before the due day for the first reminder", [Given("Enter a number of days, like 7.")]
    )
    every = WholeNumberField(
        "Days between two reminders", [Given("Enter a number of days, like 7.")], description="At least 2."
    )
    line_manager_after = WholeNumberField(
        "The line manager", description="Days after the due day. Empty: never.", validators=[Optional()]
    )
    head_after = WholeNumberField(
        "The head", description="Days after the due day. Empty: never.", validators=[Optional()]
    )
    trust_after = WholeNumberField(
        "The trust’s network managers",
        description="Days after the due day. Empty: never.",
        validators=[Optional()],
    )
    quiet_from = ChoiceField("No mail from")
    quiet_to = ChoiceField("until")
    weekends = TickField("Mail may go out at weekends too")

    def offer(self) -> ScheduleForm:
        """The hours of a day."""
        hours = [(str(hour), f"{hour:02}:00") for hour in range(24)]
        self.quiet_from.choices = choices(hours)
        self.quiet_to.choices = choices(hours)
        return self

    def given(self) -> dict[str, Any]:
        """What `services.set_schedule` takes."""
        return {
            "before": self.before.data,
            "every": self.every.data,
            "line_manager_after": self.line_manager_after.data,
            "head_after": self.head_after.data,
            "trust_after": self.trust_after.data,
            "quiet_from": int(self.quiet_from.data),
            "quiet_to": int(self.quiet_to.data),
            "weekends": bool(self.weekends.data),
        }


class QuestionForm(PortalForm):
    """A question instead of a signature, or a refusal."""

    asking = RadiosField(
        "What would you like to do?",
        default="question",
        choices=choices(
            [
                ("question", "Ask a question first"),
                ("refusal", "Say that I will not sign it"),
            ]
        ),
    )
    to = RadiosField("Who should answer?", default="head")
    words = LongTextField("In your own words", [Given("Write what you want to ask or say.")])

    def offer(self, *, head: str, has_manager: bool) -> QuestionForm:
        """`head`: what the head is called here; the line manager is offered where one is noted."""
        people = [("head", head)]
        if has_manager:
            people.append(("line_manager", "My line manager"))
        self.to.choices = choices(people)
        return self


class AnswerForm(PortalForm):
    """The answer to a question, or what was agreed after a refusal."""

    answer = LongTextField("Your answer", [Given("Write an answer, or what you have agreed.")])


class AbsenceForm(PortalForm):
    """From when to when somebody is away. Not why."""

    place = HiddenField()
    from_on = DayField("First day away", [Given("Enter the first day away, like 1 11 2026.")])
    to_on = DayField("Last day away, if it is known")


class ReturnForm(PortalForm):
    """The first day back."""

    back_on = DayField("First day back", [Given("Enter the first day back, like 1 2 2027.")])


class ManagerForm(PortalForm):
    """Somebody's line manager at a place."""

    place = HiddenField()
    manager = ChoiceField("Line manager")

    def offer(self, people: Iterable[tuple[UUID, str]], *, but: UUID) -> ManagerForm:
        """Everybody who serves at the place, but for the person themself."""
        named = [(str(one), name) for one, name in people if one != but]
        self.manager.choices = choices([("", "Nobody noted"), *named])
        return self


class PaperForm(PortalForm):
    """What somebody signed on paper."""

    place = HiddenField()
    assignments = ChecksField("What was signed?", validate_choice=True)
    signed_on = DayField("Signed on", [Given("Enter the day that stands on the paper, like 14 9 2026.")])
    kept = TextField(
        "Where is the paper kept?",
        [Given("Say where the paper is kept, like “Personnel file, school office”."), Length(max=300)],
    )
    scan = UploadField("Scan of the paper, if you have one", description="PDF, PNG or JPEG, at most 8 MB.")

    def offer(self, asked: Iterable[tuple[UUID, str]]) -> PaperForm:
        """What this person owes at the place: (id, title)."""
        self.assignments.choices = choices((str(one), title) for one, title in asked)
        return self


class CheckForm(PortalForm):
    """A signature to be checked, by its evidence number."""

    number = TextField(
        "Evidence number",
        [Given("Enter the evidence number, as it stands on the certificate.")],
        description="At the foot of the certificate, like 1f0c9a4e-….",
    )
    file = UploadField("A certificate to compare, if you have one as a file")


class EvidenceForm(PortalForm):
    """Of which place and year the evidence is wanted."""

    place = ChoiceField("Place")
    year = ChoiceField("Academic year")


class CodesForm(PortalForm):
    """For how long printed codes can be used."""

    place = HiddenField()
    days = WholeNumberField(
        "Days for which the codes can be used",
        [Given("Enter a number of days, like 14.")],
        description="1 to 60. A code also ends when it has been used once, or when a new sheet is printed.",
    )


class CodeForm(PortalForm):
    """The code from a printed slip."""

    code = TextField(
        "Your code",
        [Given("Enter the code from your slip, like K7QM4-XR2DP."), Length(max=40)],
        description="Ten letters and digits, as they stand on your slip. Capitals do not matter.",
    )


class DocumentForm(PortalForm):
    """One edition of an outside document."""

    title = TextField("Title", [Given("Enter the title, as it stands on the document."), Length(max=200)])
    publisher = TextField("Who publishes it?", [Given("Enter who publishes it."), Length(max=200)])
    edition = TextField(
        "Edition",
        [Given("Enter the edition, as the publisher calls it."), Length(max=40)],
        description="As the publisher calls it, like a month and a year.",
    )
    published_on = DayField("Published on", [Given("Enter the day that stands on it.")])
    current_from = DayField(
        "People are asked from",
        [Given("Enter the day from which people are asked.")],
        description="A later day is fine: guidance often comes before it holds.",
    )
    link = TextField(
        "Address at which it can be read",
        [Given("Enter the address at which people can read it."), Length(max=500)],
        description="Begins with https://. The portal keeps no copy.",
    )
    parts = TextField(
        "What is to be read?",
        [Given("Say which parts are to be read, or “the whole”."), Length(max=200)],
        description="As it stands in the statement, like “Part one and Annex B”, or “the whole”.",
    )
    statement = LongTextField(
        "The statement that people agree to",
        [Given("Write the sentence that people agree to.")],
        description="{document}, {edition}, {publisher}, {parts} and {place} are filled in for each person.",
    )
    what = RadiosField("What is this?", default="new")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.what.choices = choices(
            [
                ("new", "A new edition: everybody is asked again"),
                ("correction", "A correction of what is recorded here: nobody is asked again"),
            ]
        )

    def draft(self) -> DocumentDraft:
        """The domain's draft."""
        published_on, current_from = self.published_on.data, self.current_from.data
        assert published_on is not None
        assert current_from is not None
        return DocumentDraft(
            title=self.title.data or "",
            publisher=self.publisher.data or "",
            edition=self.edition.data or "",
            published_on=published_on,
            current_from=current_from,
            link=self.link.data or "",
            parts=self.parts.data or "",
            statement=self.statement.data or "",
            asks_again=self.what.data != "correction",
        )


class CampaignForm(PortalForm):
    """A new campaign. `places` names schools by id, and the trust itself as "trust"."""

    title = TextField(
        "Name", [Given("Give the campaign a name, like “Annual signing 2026–27”."), Length(max=200)]
    )
    academic_year = ChoiceField("Academic year")
    policies = ChecksField("Which policies?", validate_choice=True)
    documents = ChecksField(
        "Which outside documents?",
        description="People confirm that they have read the edition that is recorded. Once, wherever they serve.",
    )
    where = RadiosField("Where?", default="all")
    places = ChecksField("Which places?")
    roles = ChecksField(
        "Who is asked?", description="Everybody who holds one of these roles, once at each place."
    )
    opens_on = DayField("Opens on", [Given("Enter the day on which people are asked, like 1 9 2026.")])
    due_on = DayField("To be signed by", [Given("Enter the last day to sign, like 30 9 2026.")])
    joiner_days = WholeNumberField(
        "Days for people who join later",
        [Given("Enter a number of days, like 14.")],
        description="Counted from their first day. Also for whoever is asked again after a change.",
    )
    statement = LongTextField(
        "The statement that people agree to",
        [Given("Write the sentence that people agree to.")],
        description="{policy}, {edition} and {place} are filled in for each person.",
    )

    def offer(
        self,
        *,
        years: Iterable[int],
        policies: Iterable[tuple[str, str]],
        documents: Iterable[tuple[str, str]],
        schools: Iterable[tuple[str, str]],
        trust_name: str,
    ) -> CampaignForm:
        """Fill the lists: `policies`, `documents` and `schools` are (id, name)."""
        self.academic_year.choices = choices((str(year), year_label(year)) for year in years)
        self.policies.choices = choices(policies)
        self.documents.choices = choices(documents)
        self.where.choices = choices(
            [("all", "All schools and the central team"), ("some", "Only some of them")]
        )
        self.places.choices = choices([(AT_TRUST, f"{trust_name} (central team)"), *schools])
        self.roles.choices = choices((str(role), ROLE_LABELS[role]) for role in Role)
        return self

    def given(self) -> dict[str, Any]:
        """What `services.open_campaign` takes."""
        return {
            "title": self.title.data or "",
            "academic_year": int(self.academic_year.data),
            "policy_ids": frozenset(UUID(one) for one in self.policies.data or ()),
            "document_ids": frozenset(UUID(one) for one in self.documents.data or ()),
            "roles": frozenset(Role(one) for one in self.roles.data or ()),
            "places": frozenset(self.places.data or ()) if self.where.data == "some" else frozenset(),
            "opens_on": self.opens_on.data,
            "due_on": self.due_on.data,
            "joiner_days": self.joiner_days.data or 0,
            "statement": self.statement.data or "",
        }

    def draft(self) -> Draft:
        """The same as the domain's draft, for the preview."""
        return Draft(**self.given())
