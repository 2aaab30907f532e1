"""The forms of the editor: deadlines, targets, approvers, steps, letters; a school's holidays."""

from __future__ import annotations

from typing import Any

from wtforms import HiddenField, IntegerField

from trustportal.access import ROLE_LABELS, SCHOOL_ROLES, TRUST_ROLES, Role
from trustportal.forms import (
    ChoiceField,
    DayField,
    LongTextField,
    PortalForm,
    TextField,
    TickField,
    choices,
)

#: A box for a small number.
_NARROW: dict[str, Any] = {"inputmode": "numeric", "params": {"classes": "govuk-input--width-4"}}


class WholeNumberField(IntegerField):
    """A whole number, in a narrow box."""

    widget = TextField.widget

    def process_formdata(self, valuelist: list[str]) -> None:
        """Empty is None; raises ValueError with words of ours."""
        self.data: int | None = None
        if valuelist and valuelist[0].strip():
            try:
                self.data = int(valuelist[0])
            except ValueError:
                raise ValueError("Enter a whole number.") from None


def role_choices(*, trust_too: bool = True) -> Any:
    """Posts to choose from."""
    roles = [one for one in Role if one in SCHOOL_ROLES or (trust_too and one in TRUST_ROLES)]
    return choices([("", ""), *((str(one), ROLE_LABELS[one]) for one in roles)])


class _Seen(PortalForm):
    seen = HiddenField()
    state = HiddenField()


class DeadlineForm(_Seen):
    """How long a step may take."""

    within = WholeNumberField("Working days", render_kw=_NARROW)
    stops_in_holidays = TickField("School holidays stop it")
    remind_before = WholeNumberField(
        "Reminder: how many working days before?", description="0 for none", render_kw=_NARROW
    )
    on_the_day = TickField("A reminder on the day too")
    escalate_to = ChoiceField("If it is late: whom does it go to?", validate_choice=False)
    escalate_after = WholeNumberField(
        "If it is late: after how many more working days?",
        description="0 for at once. Otherwise it goes on to whoever is next after as many again",
        render_kw=_NARROW,
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.escalate_to.choices = [("", "As it is now"), *role_choices()[1:]]


class LimitForm(_Seen):
    """How often something can be done in one case."""

    action = HiddenField()
    at_most = WholeNumberField("How often at most?", render_kw=_NARROW)


class TargetForm(_Seen):
    """By when to aim at something."""

    target = HiddenField()
    within = WholeNumberField("How many?", render_kw=_NARROW)


class ApproverForm(_Seen):
    """One more who has to agree."""

    role = ChoiceField("Who has to agree too?", validate_choice=False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.role.choices = role_choices()


class StepForm(PortalForm):
    """A step more."""

    seen = HiddenField()
    after = ChoiceField("After which step?", validate_choice=False)
    title = TextField(
        "What happens in it?", description="Such as “The designated safeguarding lead reads it”"
    )
    role = ChoiceField("Who does it?", validate_choice=False)
    statement = TextField(
        "What do they sign? (optional)", description="Such as “I have no safeguarding concerns about this.”"
    )
    within = WholeNumberField("Within how many working days?", render_kw=_NARROW)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.role.choices = role_choices()


class LetterForm(PortalForm):
    """The words of a letter."""

    seen = HiddenField()
    letter = HiddenField()
    body = LongTextField("The letter's words")


class SeenForm(PortalForm):
    """A button that goes with what the page showed."""

    seen = HiddenField()
    state = HiddenField()
    seat = HiddenField()


class PublishForm(PortalForm):
    """Why a new version is needed."""

    reason = TextField("Why is this change needed?")


class TryForm(PortalForm):
    """Whom a case would come from, and whom it would name."""

    school = ChoiceField("At which school?", validate_choice=False)
    starter = ChoiceField("Who starts it?", validate_choice=False)


class BreakForm(PortalForm):
    """A school holiday."""

    name = TextField("Name", description="Such as “Half term”")
    from_on = DayField("First day")
    to_on = DayField("Last day")
