"""The forms of case pages: notes, handing over, disposal, ties, what is added to a report."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from wtforms import HiddenField

from trustportal.forms import (
    ChoiceField,
    LongTextField,
    PortalForm,
    RadiosField,
    TextField,
    TickField,
    choices,
)


class AddForm(PortalForm):
    """Something more for a report."""

    code = TextField("The code that you were given")
    text = LongTextField(
        "What do you want to add?", description="In words only. Never a picture or film of a child."
    )


class NoteForm(PortalForm):
    """A note in a case."""

    text = LongTextField("Write a note", description="Everybody who takes part in this case can read it.")


class HandOverForm(PortalForm):
    """To whom a task goes, and why."""

    to = ChoiceField("Who should do it?", validate_choice=False)
    reason = TextField("Why?")

    def offer(self, people: Mapping[UUID, str]) -> HandOverForm:
        """With whom it can be handed to."""
        self.to.choices = choices([("", ""), *((str(one), name) for one, name in people.items())])
        return self


class ReasonForm(PortalForm):
    """Why something is done."""

    reason = LongTextField("Why?")


class DecideForm(PortalForm):
    """A trustee's decision about a table."""

    decision = HiddenField()
    comment = TextField("Anything to say? Needed if you decline.")


class SubjectForm(PortalForm):
    """Whom a case is about too."""

    person = ChoiceField("Who?", validate_choice=False)
    reason = LongTextField("Why?", description="Those who take part in this case can read it.")

    def offer(self, people: Mapping[UUID, str]) -> SubjectForm:
        """With whom it can be about."""
        self.person.choices = choices([("", ""), *((str(one), name) for one, name in people.items())])
        return self


class StandInForm(PortalForm):
    """Who stands in for the data protection officer."""

    person = ChoiceField("Who stands in?", validate_choice=False)
    reason = TextField("Why them?", description="The trust’s audit trail keeps who was named, and when.")

    def offer(self, people: Mapping[UUID, str]) -> StandInForm:
        """Who can be named."""
        self.person.choices = choices([("", ""), *((str(one), name) for one, name in people.items())])
        return self


class DisposalForm(PortalForm):
    """Whether something is disposed of."""

    answer = HiddenField()
    reason = TextField("If it has to be kept: why?")


class StepBackForm(PortalForm):
    """Why somebody steps back."""

    reason = TextField(
        "Why do you step back?", description="The others see it. You do not see the case any more."
    )


class TieForm(PortalForm):
    """What joins me with somebody."""

    other = RadiosField("With whom?", validate_choice=False)
    kind = RadiosField("What joins you?", validate_choice=False)
    in_register = TickField("It also stands in the trust's register of interests")
    words = TextField(
        "What should the register say? (optional)",
        description="Such as “We are cousins”. Read by the governance professional and the data protection officer.",
    )

    def offer(self, people: Mapping[UUID, str], kinds: Mapping[str, str]) -> TieForm:
        """With whom, and how."""
        self.other.choices = choices((str(one), name) for one, name in people.items())
        self.kind.choices = choices(kinds.items())
        return self
