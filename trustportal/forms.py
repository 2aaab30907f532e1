"""What every form shares: GOV.UK's fields, days in three boxes, and the rules of use cases shown at their fields.

In a view:

    form = PersonForm()
    if form.is_submitted() and (made := form.carry_out(lambda: services.add_person(actor(), name=form.name.data, …))):
        return see_other(url_for(…), "…")
    return page("…", form=form, status=form.status)

and in the template `{{ ui.error_summary(form.summary) }}` first, then `{{ form.name() }}` for each field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, TypeVar

from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import (
    GovCheckboxesInput,
    GovCheckboxInput,
    GovDateInput,
    GovFileInput,
    GovPasswordInput,
    GovRadioInput,
    GovSelect,
    GovTextArea,
    GovTextInput,
)
from jinja2 import Environment, PackageLoader, PrefixLoader
from markupsafe import Markup
from wtforms import (
    BooleanField,
    DateField,
    FileField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import StopValidation, ValidationError

from trustportal.errors import RuleBroken

T = TypeVar("T")

#: GOV.UK's macros ask for parameters that are not given, which our own templates may not: so they have their own
#: environment. (It is also quicker: no context of a page is gathered for a field.)
_MACROS = Environment(
    loader=PrefixLoader(
        {
            "govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja"),
            "govuk_frontend_wtf": PackageLoader("govuk_frontend_wtf"),
        }
    ),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


class _Drawn:
    """A widget that is drawn with GOV.UK's macros."""

    template: str

    def render(self, params: dict[str, Any]) -> Markup:
        return Markup(_MACROS.get_template(self.template).render(params=params))  # noqa: S704 - escaped by the macros


class _TextInput(_Drawn, GovTextInput):
    pass


class _TextArea(_Drawn, GovTextArea):
    pass


class _PasswordInput(_Drawn, GovPasswordInput):
    pass


class _FileInput(_Drawn, GovFileInput):
    pass


class _Select(_Drawn, GovSelect):
    pass


class _RadioInput(_Drawn, GovRadioInput):
    pass


class _CheckboxesInput(_Drawn, GovCheckboxesInput):
    pass


class _CheckboxInput(_Drawn, GovCheckboxInput):
    pass


class _DateInput(_Drawn, GovDateInput):
    pass


class PortalForm(FlaskForm):
    """A form of the portal."""

    def carry_out(self, use_case: Callable[[], T]) -> T | bool:
        """Check the fields, then do the use case. What it returns (True for None), or False with the errors noted:
        a broken rule that names a field is shown there, any other in the summary.
        """
        if not self.validate():
            return False
        try:
            done = use_case()
        except RuleBroken as broken:
            self.refuse(broken)
            return False
        return True if done is None else done

    def refuse(self, broken: RuleBroken) -> None:
        """Note a broken rule at its field, or for the form as a whole."""
        named = self._fields.get(broken.field or "")
        if named is None:
            self.form_errors.append(broken.message)
        else:
            named.errors = [*named.errors, broken.message]

    @property
    def status(self) -> int:
        """422 for a form that was not accepted."""
        return 422 if self.errors else 200

    @property
    def summary(self) -> list[tuple[str, str]]:
        """The errors for the error summary: (id of the field or "", words)."""
        found = [("", str(message)) for message in self.form_errors]
        for field in self:
            if field.name == "csrf_token" or not field.errors:
                continue
            target = f"{field.name}-day" if isinstance(field, DayField) else field.id
            found.append((target, str(field.errors[0])))
        return found


class Given:
    """The field is filled; otherwise the words say what to enter."""

    field_flags: dict[str, Any] = {}  # noqa: RUF012 (WTForms reads it from the class)

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, _form: Any, field: Any) -> None:
        if field.data is None or (isinstance(field.data, str) and not field.data.strip()):
            field.errors[:] = []
            raise StopValidation(self.message)


class TextField(StringField):
    """One line."""

    widget = _TextInput()


class LongTextField(TextAreaField):
    """Several lines."""

    widget = _TextArea()


class SecretField(PasswordField):
    """A password, with a button to show it. It is never sent back."""

    widget = _PasswordInput()


class UploadField(FileField):
    """A file."""

    widget = _FileInput()


def choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """(value, label) pairs as a field takes them."""
    return [SelectChoice(value, label) for value, label in pairs]


@contextmanager
def _saying(words: str) -> Iterator[None]:
    """Our own words where WTForms refuses a choice with its own."""
    try:
        yield
    except ValidationError:
        raise ValidationError(words) from None


class ChoiceField(SelectField):
    """One of a list."""

    widget = _Select()

    def pre_validate(self, form: Any) -> None:
        """One of those that were offered."""
        with _saying("Choose one from the list."):
            super().pre_validate(form)


class RadiosField(RadioField):
    """One of a few."""

    widget = _RadioInput()

    def pre_validate(self, form: Any) -> None:
        """One of those that were offered; where `Given` has words of its own for nothing chosen, they count."""
        with _saying("Choose one of the answers."):
            super().pre_validate(form)


class ChecksField(SelectMultipleField):
    """Any of a few."""

    widget = _CheckboxesInput()


class TickField(BooleanField):
    """Yes or no."""

    widget = _CheckboxInput()


class DayField(DateField):
    """A day, in three boxes. Empty is None; `Given` asks for it."""

    widget = _DateInput()
    formats = ("%d %m %Y", "%d %m %y", "%d %B %Y", "%d %b %Y")

    def __init__(self, label: str, validators: list[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(label, validators, format=list(self.formats), **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read day, month and year; raises ValueError with words that say how to put it right."""
        self.data: date | None = None
        # Three boxes are always sent back as three, however many came.
        self.raw_data = ([*valuelist, "", "", ""])[:3]
        parts = [part.strip() for part in valuelist]
        if len(parts) == 1 and "-" in parts[0]:
            parts = list(reversed(parts[0].split("-")))
            self.raw_data = ([*parts, "", "", ""])[:3]
        if not any(parts):
            return
        try:
            super().process_formdata([" ".join(parts)])
        except ValueError:
            self.data = None
            raise ValueError("Enter a real day, like 27 9 2026.") from None
