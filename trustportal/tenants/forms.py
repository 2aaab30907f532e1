"""The forms of this feature: shape only. Rules are in the domain, and come back to the fields by `carry_out`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms.validators import Length, Optional

from trustportal.access import ROLE_LABELS, SCHOOL_ROLES, TRUST_ROLES, Role
from trustportal.forms import (
    ChoiceField,
    DayField,
    Given,
    PortalForm,
    SecretField,
    TextField,
    TickField,
    UploadField,
    choices,
)

PHASES = choices(
    [
        ("", "Not said"),
        *(
            (phase, phase)
            for phase in (
                "Nursery",
                "Primary",
                "Secondary",
                "All-through",
                "Special",
                "Alternative provision",
                "16 to 19",
            )
        ),
    ]
)
#: The value of the place "the trust itself" in a list of schools.
AT_TRUST = "trust"


class PersonForm(PortalForm):
    """Somebody's name and address."""

    name = TextField("Full name", [Given("Enter the person’s full name."), Length(max=200)])
    email = TextField(
        "E-mail address",
        [Optional(), Length(max=320)],
        description="Leave it empty for people without one: they sign with a code or on paper.",
    )
    job_title = TextField("Job title (optional)", [Optional(), Length(max=120)])


class RoleForm(PortalForm):
    """A role at a place, from a day to a day."""

    place = ChoiceField("Where")
    role = ChoiceField("Role")
    from_on = DayField("First day", [Given("Enter the first day, like 1 9 2026.")])
    to_on = DayField("Last day (optional)", description="Leave it empty if the role has no end yet.")
    acting = TickField("Acting, until somebody is appointed")

    def offer(self, schools: Iterable[tuple[str, str]], *, trust_name: str) -> RoleForm:
        """Fill the lists: `schools` are (slug, name)."""
        self.place.choices = choices(
            [("", "Choose a place"), (AT_TRUST, f"{trust_name} (the trust itself)"), *schools]
        )
        self.place.validators = [Given("Choose a school, or the trust itself.")]
        self.role.choices = choices(
            [
                ("", "Choose a role"),
                *((str(role), f"{ROLE_LABELS[role]} (school)") for role in Role if role in SCHOOL_ROLES),
                *((str(role), f"{ROLE_LABELS[role]} (trust)") for role in Role if role in TRUST_ROLES),
            ]
        )
        self.role.validators = [Given("Choose a role.")]
        return self


class AddPersonForm(PersonForm, RoleForm):
    """Somebody new with their first role."""

    send = TickField("Send an invitation now", default=True)


class EndForm(PortalForm):
    """The last day of a role."""

    to_on = DayField("Last day", [Given("Enter the last day, like 31 8 2026.")])


class SchoolForm(PortalForm):
    """A school that joins the trust."""

    name = TextField("Full name", [Given("Enter the school’s full name."), Length(max=200)])
    short_name = TextField(
        "Short name",
        [Optional(), Length(max=80)],
        description="As people say it, like Ashgrove. It also stands in addresses, and cannot change there later.",
    )
    phase = ChoiceField(
        "Phase",
        choices=PHASES,
    )
    joined_on = DayField("Belongs to the trust from", [Given("Enter the day, like 1 9 2026.")])


class ChangeSchoolForm(PortalForm):
    """What a school is called, and until when it belongs to the trust."""

    name = TextField("Full name", [Given("Enter the school’s full name."), Length(max=200)])
    short_name = TextField("Short name", [Given("Enter a short name."), Length(max=80)])
    phase = ChoiceField("Phase", choices=PHASES)
    closes_on = DayField(
        "First day on which it no longer belongs to the trust (optional)",
        description="From then on its policies are read-only, and its public pages say where it went.",
    )
    went_to = TextField(
        "Where it went (optional)",
        [Length(max=200)],
        description="For its public pages: “Hilltop Learning Trust”.",
    )
    went_to_url = TextField(
        "Address of its new pages (optional)",
        [Length(max=300)],
        description="Like https://www.ashgrove.example/policies",
    )


class TrustForm(PortalForm):
    """The trust's name and colour."""

    name = TextField("Name of the trust", [Given("Enter the trust’s name."), Length(max=200)])
    colour = TextField(
        "Colour",
        [Given("Enter a colour, like #1f4b7a."), Length(max=7)],
        description="# and six digits or letters. White text must be readable on it; we check that.",
    )


class LogoForm(PortalForm):
    """A picture for the header."""

    logo = UploadField("Logo", description="A PNG or JPEG file, smaller than 2 MB.")


class PlaceholderForm(PortalForm):
    """A new slot."""

    name = TextField(
        "Name",
        [Given("Enter a name, like contact.lado."), Length(max=80)],
        description="Small letters and underscores, parted by a dot: contact.lado. Texts name it in double braces.",
    )
    label = TextField("What it is", [Given("Say what it is, as schools will read it."), Length(max=200)])
    hint = TextField("How to fill it (optional)", [Optional(), Length(max=400)])
    example = TextField("Example (optional)", [Optional(), Length(max=200)])


def words_form(fields: Mapping[str, tuple[str, str]], values: Mapping[str, str]) -> PortalForm:
    """A form with one line for each of `fields` (name to label and hint), filled with `values`; names may have dots."""
    lines = {
        _attribute(name): TextField(
            label,
            [Optional(), Length(max=400)],
            name=name,
            id=_attribute(name),
            description=hint,
            default=values.get(name, ""),
        )
        for name, (label, hint) in fields.items()
    }
    made: Any = type("WordsForm", (PortalForm,), lines)
    form: PortalForm = made()
    return form


def _attribute(name: str) -> str:
    return "slot-" + name.replace(".", "-").replace("_", "-")


def words_of(form: PortalForm) -> dict[str, str]:
    """What was entered into a `words_form`, by name."""
    return {field.name: field.data or "" for field in form if field.name != "csrf_token"}


class SignInForm(PortalForm):
    """Who you are."""

    email = TextField("E-mail address", [Given("Enter your e-mail address."), Length(max=320)])
    password = SecretField("Password", [Given("Enter your password.")])


class CodeForm(PortalForm):
    """The second step."""

    code = TextField("Code", [Given("Enter the code.")])


class AddressForm(PortalForm):
    """Where to send a link."""

    email = TextField("E-mail address", [Given("Enter your e-mail address."), Length(max=320)])


class NewPasswordForm(PortalForm):
    """A password that one chooses."""

    password = SecretField(
        "New password",
        [Given("Enter a password.")],
        description="At least 8 characters. Three words together are a good choice.",
    )


class ProveForm(PortalForm):
    """The present password, once more."""

    password = SecretField("Your password", [Given("Enter your password.")])


class ChangePasswordForm(NewPasswordForm):
    """Another password."""

    current = SecretField("Present password", [Given("Enter your present password.")])
