"""Forms of approving: delegation, chair's action, ratification, comments, withdrawal."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

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
    choices,
)


def whole_number(typed: str, message: str, field: str | None) -> int:
    """A number that was typed. Raises `RuleBroken` with `message` for anything else."""
    plain = typed.strip()
    if not plain.isdecimal() or len(plain) > 4:
        raise RuleBroken(message, field)
    return int(plain)


class DelegationForm(PortalForm):
    """Who approves a school's own changes."""

    to = RadiosField(
        "Who approves what this school changes?",
        choices=choices(
            (
                ("chair", "Its chair of governors"),
                ("officer", "A named officer of the trust"),
                ("both", "Its chair of governors, then a named officer of the trust"),
            )
        ),
        validators=[Given("Choose who approves.")],
    )
    officer = ChoiceField("Officer of the trust", choices=[])

    def offer(self, people: Iterable[tuple[UUID, str]]) -> None:
        """The officers who may be chosen."""
        self.officer.choices = choices([("", "Nobody chosen"), *((str(one), name) for one, name in people)])


class ChairsActionForm(PortalForm):
    """The chair approves alone."""

    content_hash = HiddenField()
    reason = LongTextField(
        "Why can this not wait for the next meeting?",
        [Given("Say why this cannot wait for the next meeting: the body reads it then."), Length(max=4000)],
    )


class RatifyForm(PortalForm):
    """What the body decided about its chair's action."""

    body = TextField("Body", [Given("Say which body took the decision."), Length(max=200)])
    met_on = DayField("Date of the meeting", [Given("Enter the date of the meeting.")])
    minute_reference = TextField(
        "Minute reference",
        [Given("Give the reference of the minute, for example “TB 2026/3, minute 7”."), Length(max=120)],
    )
    outcome = RadiosField(
        "What was decided?",
        choices=choices((("ratified", "Ratified"), ("not_ratified", "Not ratified"))),
        validators=[Given("Say what was decided.")],
    )
    comment = LongTextField("What the body wants to be done now", [Length(max=4000)])


class ConsultationForm(PortalForm):
    """Opening a draft for comment."""

    roles = ChecksField("Who is asked?", choices=[])
    until = DayField("Until", [Given("Enter the last day on which people can comment.")])
    question = LongTextField(
        "What would you like to know?",
        [Length(max=2000)],
        description="Optional. It stands on top of the page and in the mail.",
    )

    def offer(self, roles: Iterable[tuple[str, str]]) -> None:
        """The posts that may be asked."""
        self.roles.choices = choices(roles)


class CommentForm(PortalForm):
    """A comment on a clause."""

    key = HiddenField()
    words = LongTextField("Your comment", [Given("Write your comment."), Length(max=4000)])


class AnswerForm(PortalForm):
    """What the author says to a comment."""

    answer = LongTextField("Your answer", [Length(max=4000)])


class WithdrawForm(PortalForm):
    """Withdrawing a policy."""

    withdrawn_on = DayField(
        "Withdrawn from", [Given("Enter the first day on which it is no longer in force.")]
    )
    because = LongTextField(
        "Public notice",
        [
            Given("Say why it is withdrawn, and what holds instead: it stands on the public page."),
            Length(max=1000),
        ],
        description="Why it is withdrawn, and what people should read instead. Everybody sees it.",
    )
