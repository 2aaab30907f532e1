"""The forms of acceptance: shape only. Rules are in the domain, and come back to the fields by `carry_out`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from uuid import UUID

from wtforms import HiddenField, IntegerField
from wtforms.validators import Length

from trustportal.acceptance.domain.campaign import AT_TRUST, Draft
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


class CampaignForm(PortalForm):
    """A new campaign. `places` names schools by id, and the trust itself as "trust"."""

    title = TextField(
        "Name", [Given("Give the campaign a name, like “Annual signing 2026–27”."), Length(max=200)]
    )
    academic_year = ChoiceField("Academic year")
    policies = ChecksField("Which policies?", validate_choice=True)
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
        schools: Iterable[tuple[str, str]],
        trust_name: str,
    ) -> CampaignForm:
        """Fill the lists: `policies` and `schools` are (id, name)."""
        self.academic_year.choices = choices((str(year), year_label(year)) for year in years)
        self.policies.choices = choices(policies)
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
