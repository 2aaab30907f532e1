"""The forms of the register of accounts."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from trustportal.forms import (
    ChoiceField,
    DayField,
    LongTextField,
    PortalForm,
    TextField,
    TickField,
    choices,
)
from trustportal.workflows.forms.answers import PeopleField


class RegisterPeopleForm(PortalForm):
    """Who looks after an account."""

    administrators = PeopleField("Administrators", description="At least two different people")
    moderators = PeopleField("Moderators", description="At least two different people")
    custodian = ChoiceField(
        "Who keeps the sign-in details?",
        validate_choice=False,
        description="The person who stores them securely. The portal never stores a password.",
    )

    def offer(self, people: Mapping[UUID, str]) -> RegisterPeopleForm:
        """With who can be named."""
        pairs = [(str(one), name) for one, name in people.items()]
        self.administrators.people = [("", ""), *pairs]
        self.moderators.people = [("", ""), *pairs]
        self.custodian.choices = choices([("", ""), *pairs])
        return self


class ReviewForm(PortalForm):
    """Somebody looked at an account."""

    address = TextField("Address (optional)", description="The web address or name of the account")
    review_on = DayField("When is it looked at again?")


class CloseForm(PortalForm):
    """The end of an account."""

    archived = TickField("The content is kept or deleted, as we decided")
    access_removed = TickField("Nobody can get in any more, and the sign-in details are gone or handed over")
    note = LongTextField("What became of it, and how did it go?")
