"""The forms that a definition describes: its questions, whole or those of an action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from markupsafe import Markup, escape
from wtforms import HiddenField, SelectMultipleField

from trustportal.errors import RuleBroken
from trustportal.forms import (
    ChecksField,
    ChoiceField,
    DayField,
    LongTextField,
    PortalForm,
    RadiosField,
    TextField,
    TickField,
    choices,
)
from trustportal.workflows.domain.answers import Fault, as_day
from trustportal.workflows.domain.definition import Action, Comment, Definition, Field, FieldKind

#: A question's key may be any word: in a form it stands behind this, so that it hides nothing of the form itself.
PREFIX = "f_"
#: Boxes to choose people in; more when more are named.
_BOXES = 4


class _PeopleBoxes:
    """One box for each person, all with the field's name: it works without scripts."""

    def __call__(self, field: PeopleField, **_: Any) -> Markup:
        given = [one for one in (field.data or []) if one]
        boxes = [*given, *[""] * max(0, _BOXES - len(given))]
        if len(given) >= _BOXES:
            boxes.append("")
        described = [f"{field.id}-hint"] if field.description else []
        error = Markup("")
        if field.errors:
            described.append(f"{field.id}-error")
            error = Markup(
                '<p id="{0}-error" class="govuk-error-message">'
                '<span class="govuk-visually-hidden">Error:</span> {1}</p>'
            ).format(field.id, field.errors[0])
        hint = (
            Markup('<div id="{0}-hint" class="govuk-hint">{1}</div>').format(field.id, field.description)
            if field.description
            else Markup("")
        )
        selects = Markup("").join(self._box(field, number, chosen) for number, chosen in enumerate(boxes, 1))
        about = Markup(' aria-describedby="{}"').format(" ".join(described)) if described else Markup("")
        return Markup(
            '<div class="govuk-form-group{0}"><fieldset class="govuk-fieldset"{1}>'
            '<legend class="govuk-fieldset__legend">{2}</legend>{3}{4}<div class="boxes">{5}</div></fieldset></div>'
        ).format(
            " govuk-form-group--error" if field.errors else "", about, field.label.text, hint, error, selects
        )

    @staticmethod
    def _box(field: PeopleField, number: int, chosen: str) -> Markup:
        options = Markup("").join(
            Markup('<option value="{}"{}>{}</option>').format(
                value, Markup(" selected") if value and value == chosen else "", label
            )
            for value, label in field.people
        )
        known = {value for value, _ in field.people}
        if chosen and chosen not in known:
            options += Markup('<option value="{}" selected>{}</option>').format(escape(chosen), field.gone)
        return Markup(
            '<label class="govuk-visually-hidden" for="{0}">{1}, {5} {2}</label>'
            '<select class="govuk-select" id="{0}" name="{3}">{4}</select>'
        ).format(
            field.id if number == 1 else f"{field.id}-{number}",
            field.label.text,
            number,
            field.name,
            options,
            field.each,
        )


class PeopleField(SelectMultipleField):
    """Several people. Whether they may be named is the definition's business."""

    widget = _PeopleBoxes()
    validate_choice = False

    def __init__(
        self,
        label: str,
        *,
        people: Sequence[tuple[str, str]] = (),
        each: str = "person",
        gone: str = "Somebody who does not serve here",
        **kwargs: Any,
    ) -> None:
        super().__init__(label, choices=[], validate_choice=False, **kwargs)
        self.people = [("", ""), *people]
        #: What one box takes, and what stands for a choice that is no longer there.
        self.each, self.gone = each, gone

    def pre_validate(self, form: Any) -> None:
        """Nothing is asked of the shape."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """What was chosen, without the boxes that were left empty."""
        self.data = [one for one in valuelist if one]


def _depends_on(field: Field, definition: Definition, asked: Sequence[Field]) -> Field | None:
    """The question of the same form on whose answer it depends whether this one has to be answered."""
    other = definition.field(field.required_if.field) if field.required_if else None
    return other if other in asked else None


def _chosen(field: Field, other: Field) -> str:
    """The answers on which a question depends, in words."""
    assert field.required_if is not None
    labels = [one.label for one in other.options if one.value in field.required_if.any_of]
    return " or ".join(f"“{one}”" for one in labels)


def _when(field: Field, other: Field | None) -> str:
    """The hint, with when a question has to be answered if it depends on another. Where it means nothing otherwise, its
    group says so.
    """
    if field.required_if is None or other is None or field.only:
        return field.hint
    quoted = _chosen(field, other)
    hint = field.hint if not field.hint or field.hint[-1] in ".!?”" else f"{field.hint}."
    return " ".join(part for part in (hint, f"Needed if you chose {quoted} above.") if part)


def _made(
    field: Field,
    definition: Definition,
    asked: Sequence[Field],
    people: Sequence[tuple[str, str]],
    accounts: Sequence[tuple[str, str]],
    clauses: Sequence[tuple[str, str]],
) -> Any:
    other = _depends_on(field, definition, asked)
    optional = not field.required and other is None and field.kind is not FieldKind.TICK
    label = f"{field.label} (optional)" if optional else field.label
    told: Any = {"description": _when(field, other)}
    if field.kind is FieldKind.LONG_TEXT:
        return LongTextField(label, **told)
    if field.kind is FieldKind.CHOICE:
        return RadiosField(label, choices=_options(field), validate_choice=False, **told)
    if field.kind is FieldKind.CHOICES:
        return ChecksField(label, choices=_options(field), validate_choice=False, **told)
    if field.kind is FieldKind.PERSON:
        return ChoiceField(label, choices=choices([("", ""), *people]), validate_choice=False, **told)
    if field.kind is FieldKind.ACCOUNT:
        return ChoiceField(label, choices=choices([("", ""), *accounts]), validate_choice=False, **told)
    if field.kind is FieldKind.PEOPLE:
        return PeopleField(label, people=people, **told)
    if field.kind is FieldKind.ACCOUNTS:
        return PeopleField(label, people=accounts, each="account", gone="An account that is closed", **told)
    if field.kind is FieldKind.CLAUSES:
        return PeopleField(label, people=clauses, each="clause", gone="A clause that has changed", **told)
    if field.kind is FieldKind.TIME:
        return TextField(label, render_kw={"params": {"classes": "govuk-input--width-5"}}, **told)
    if field.kind is FieldKind.DAY:
        return DayField(label, **told)
    return TickField(label, **told) if field.kind is FieldKind.TICK else TextField(label, **told)


def _options(field: Field) -> Any:
    return choices(
        (one.value, f"{one.label}: {one.hint}" if one.hint else one.label) for one in field.options
    )


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that stand together. `when`: the words of the answer without which they mean nothing; `field` and
    `any_of`: that question's name, and its answers.
    """

    title: str
    fields: list[Any]
    when: str = ""
    field: str = ""
    any_of: tuple[str, ...] = ()


def _asked(field: Any, words: str) -> str:
    """What is wrong with an answer, behind its question."""
    question = str(field.label.text).removesuffix(" (optional)").rstrip(".:")
    if question.endswith("?"):
        return f"{question} {words}"
    return f"{question}: {words[:1].lower()}{words[1:]}"


class AnswersForm(PortalForm):
    """A form that a definition describes. `given()` is what was sent, by the questions' keys."""

    asked: tuple[Field, ...] = ()
    definition: Definition
    intake_id = HiddenField()
    revision = HiddenField()

    def given(self) -> dict[str, Any]:
        """What was sent; a day that cannot be read is kept as it was typed, so that it is refused."""
        found = {}
        for one in self.asked:
            field = self[f"{PREFIX}{one.key}"]
            found[one.key] = field.data
            if one.kind is FieldKind.DAY and field.data is None and any(field.raw_data or ()):
                found[one.key] = " ".join(field.raw_data)
        return found

    def refuse(self, broken: RuleBroken) -> None:
        """At its question, where there is one."""
        named = f"{PREFIX}{broken.field}"
        super().refuse(RuleBroken(broken.message, named if named in self._fields else broken.field))

    @property
    def summary(self) -> list[tuple[str, str]]:
        """As for every form, with the question before what is wrong with its answer: above a long form “Fill this in”
        says little. A day's first box has an id that begins with the field's own.
        """
        found = [("", str(message)) for message in self.form_errors]
        for field in self:
            if field.errors and field.name != "csrf_token":
                target = f"{field.id}-day" if isinstance(field, DayField) else field.id
                words = str(field.errors[0])
                found.append((target, _asked(field, words) if field.name.startswith(PREFIX) else words))
        return found

    def note(self, faults: Iterable[Fault]) -> bool:
        """Note everything that is wrong; whether anything is."""
        found = list(faults)
        for one in found:
            field = self._fields.get(f"{PREFIX}{one.field}")
            # What the shape said already is not said twice.
            if field is not None and not field.errors:
                field.errors = [one.words]
        return bool(found)

    def groups(self) -> list[Group]:
        """The questions in their sections, in order; those that mean something only after one answer by themselves."""
        found: list[tuple[tuple[str, Any], Group]] = []
        for one in self.asked:
            other = _depends_on(one, self.definition, self.asked) if one.only else None
            key = (one.section, one.required_if if other else None)
            if not found or found[-1][0] != key:
                title = "" if found and found[-1][0][0] == one.section else one.section
                group = Group(title, [])
                if other is not None and one.required_if is not None:
                    depends = (_chosen(one, other), f"{PREFIX}{other.key}", one.required_if.any_of)
                    group = Group(title, [], *depends)
                found.append((key, group))
            found[-1][1].fields.append(self[f"{PREFIX}{one.key}"])
        return [group for _, group in found]

    def sections(self) -> list[tuple[str, list[Any]]]:
        """The questions in their sections, in order."""
        found: list[tuple[str, list[Any]]] = []
        for one in self.asked:
            if not found or found[-1][0] != one.section:
                found.append((one.section, []))
            found[-1][1].append(self[f"{PREFIX}{one.key}"])
        return found


T = TypeVar("T", bound=PortalForm)


def apart(form: T, prefix: str) -> T:
    """The same form with ids of its own, where a page has several of its kind."""
    for field in form:
        field.id = f"{prefix}-{field.name}"
        field.label.field_id = field.id
        if isinstance(field, (ChecksField, RadiosField, TickField)):
            # GOV.UK's macros would begin the ids of answers with the field's name.
            field.render_kw = {"params": {"idPrefix": field.id}}
    return form


def answers_form(
    definition: Definition,
    asked: Sequence[Field],
    *,
    values: Mapping[str, Any] | None = None,
    people: Sequence[tuple[str, str]] = (),
    accounts: Sequence[tuple[str, str]] = (),
    action: Action | None = None,
    around: Sequence[tuple[str, str]] = (),
    clauses: Sequence[tuple[str, str]] = (),
) -> AnswersForm:
    """The form of a definition's questions, filled with what is known. `action`: with what it asks besides; `around`:
    the people of the school and the trust, where a case is about somebody; `clauses`: those in force.
    """

    def named(one: Field) -> Sequence[tuple[str, str]]:
        return around if around and (one.apart or one.key in definition.subject_fields) else people

    fields: dict[str, Any] = {
        f"{PREFIX}{one.key}": _made(one, definition, asked, named(one), accounts, clauses) for one in asked
    }
    if action is not None and action.comment is not Comment.NONE:
        words = action.comment_label + (" (optional)" if action.comment is Comment.OPTIONAL else "")
        fields["comment"] = LongTextField(words)
    if action is not None and action.statement:
        fields["confirmed"] = TickField(action.statement)
    made = type("DefinedForm", (AnswersForm,), {**fields, "asked": tuple(asked), "definition": definition})
    known = {f"{PREFIX}{key}": _shown(definition, key, value) for key, value in (values or {}).items()}
    form: AnswersForm = made(data={key: value for key, value in known.items() if value is not None})
    return form if action is None else apart(form, action.key)


def _shown(definition: Definition, key: str, value: Any) -> Any:
    field = definition.field(key)
    return as_day(value) if field is not None and field.kind is FieldKind.DAY else value


class ReportForm(AnswersForm):
    """The form with which a concern about an adult is reported."""

    without_name = TickField(
        "Do not keep my name",
        description="Nobody will know that it came from you, and nobody can ask you or thank you.",
    )


def report_form(definition: Definition, *, people: Sequence[tuple[str, str]] | None) -> ReportForm:
    """`people`: who can be named; None for the public form, which names nobody and begins no session."""
    asked = [one for one in definition.form if people is not None or one.kind is not FieldKind.PEOPLE]
    # Without a list to choose from, the words are all there is.
    fields = {
        f"{PREFIX}{one.key}": _made(
            replace(one, label="Who is it, in your own words?", required=True)
            if people is None and one.key == "about_words"
            else one,
            definition,
            asked,
            people or (),
            (),
            (),
        )
        for one in asked
    }
    made = type(
        "DefinedReportForm", (ReportForm,), {**fields, "asked": tuple(asked), "definition": definition}
    )
    return cast(ReportForm, made(meta={"csrf": people is not None}))
