"""The forms of a school's answers: about one clause, a clause of its own, a submission, a release, a decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from wtforms import HiddenField, IntegerField
from wtforms.validators import Length
from wtforms.widgets import HiddenInput

from trustportal.errors import Conflict
from trustportal.forms import Given, LongTextField, PortalForm, RadiosField, TextField, choices
from trustportal.policies.domain.answers import Answer
from trustportal.policies.domain.clauses import Weight
from trustportal.policies.domain.plan import Choice

T = TypeVar("T")
#: Longer than the longest clause of a real policy by far.
LONGEST_TEXT = 60_000
_ANSWERS = [
    (Answer.INHERIT.value, "Use the trust’s text"),
    (Answer.REPLACE.value, "Use our own text"),
    (Answer.LEAVE_OUT.value, "Leave this clause out"),
]
_WHY_WEIGHT = "Does this change what people have to do?"
WEIGHTS = [
    (Weight.MATERIAL.value, "Yes. Staff are asked to sign again"),
    (Weight.EDITORIAL.value, "No, only how it is worded. Nobody signs again"),
]


class WorkForm(PortalForm):
    """A form about something that two people may change at once: a clash shows both texts (409)."""

    conflict: Conflict | None = None
    row_version = IntegerField(widget=HiddenInput(), default=0)

    def carry_out(self, use_case: Callable[[], T]) -> T | bool:
        """As `PortalForm.carry_out`; somebody else's change meanwhile is kept in `conflict`."""
        try:
            return super().carry_out(use_case)
        except Conflict as clash:
            self.conflict = clash
            return False

    @property
    def status(self) -> int:
        """409 after a clash, 422 for a form that was not accepted."""
        return 409 if self.conflict else super().status

    def after_clash(self, row_version: int) -> None:
        """Sent again, the form overwrites what was just shown."""
        self.row_version.data = row_version
        self.row_version.raw_data = None

    @property
    def seen(self) -> int:
        """The row version that the page was made from."""
        return self.row_version.data or 0


class WordsForm(WorkForm):
    """A heading, a text, why, and how much the change weighs."""

    heading = TextField(
        "Heading", validators=[Length(max=300, message="A heading has up to 300 characters.")]
    )
    text = LongTextField(
        "Text", validators=[Length(max=LONGEST_TEXT, message="This text is too long for one clause.")]
    )
    reason = LongTextField(
        "Why is this different at your school?",
        description="One sentence. It is shown beside the clause, and to whoever approves it.",
        validators=[Length(max=600, message="Give the reason in up to 600 characters.")],
    )
    weight = RadiosField(_WHY_WEIGHT, choices=choices(WEIGHTS), default=Weight.MATERIAL.value)

    #: (value, words), for the page.
    weights = WEIGHTS

    @property
    def weighs(self) -> Weight:
        """The chosen weight."""
        return Weight(self.weight.data)


class AnswerForm(WordsForm):
    """A school's answer about one clause of the trust's."""

    #: What the page offers: (value, words).
    offered = _ANSWERS

    answer = RadiosField(
        "What should your policy say here?",
        choices=choices(_ANSWERS),
        default=Answer.INHERIT.value,
    )

    def forbid_leaving_out(self) -> None:
        """Offer only what the clause's mode allows; the service says so too."""
        self.offered = _ANSWERS[:2]
        self.answer.choices = choices(self.offered)

    @property
    def says(self) -> Answer:
        """The chosen answer."""
        return Answer(self.answer.data)


class AddedForm(WordsForm):
    """A clause of the school's own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reason.label.text = "Why does your school need this clause?"


class SubmitForm(PortalForm):
    """Sending a school's changes to whoever approves them."""

    reason = LongTextField(
        "Why does your school make these changes?",
        description="One or two sentences. Whoever approves them reads this first.",
        validators=[
            Given("Say in a sentence why your school makes these changes: the approver reads it first."),
            Length(max=2000, message="Use up to 2,000 characters."),
        ],
    )


class ReleaseForm(PortalForm):
    """Bringing changed values into a policy."""

    weights = WEIGHTS

    weight = RadiosField(_WHY_WEIGHT, choices=choices(WEIGHTS), default=Weight.EDITORIAL.value)


class DecisionForm(WorkForm):
    """A head's decision about one clause of a reconcile. Every choice is a button."""

    choice = HiddenField()
    heading = TextField(
        "Heading", validators=[Length(max=300, message="A heading has up to 300 characters.")]
    )
    text = LongTextField(
        "Your text", validators=[Length(max=LONGEST_TEXT, message="This text is too long for one clause.")]
    )
    reason = TextField(
        "Reason", validators=[Length(max=600, message="Give the reason in up to 600 characters.")]
    )

    @property
    def chosen(self) -> Choice | None:
        """The button that was pressed; None for anything else."""
        return Choice(self.choice.data) if self.choice.data in set(Choice) else None


class NothingForm(PortalForm):
    """A button: nothing but the token that says it came from our page."""
