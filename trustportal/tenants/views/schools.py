"""The schools of the trust: names, how each calls its posts, and what it fills into policies."""

from __future__ import annotations

from flask import Response, url_for

from trustportal.access import ROLE_LABELS, Permission, Role
from trustportal.forms import PortalForm
from trustportal.tenants import domain, queries, services, starting
from trustportal.tenants.forms import ChangeSchoolForm, SchoolForm, words_form, words_of
from trustportal.tenants.models import School
from trustportal.tenants.views.blueprint import blueprint
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other
from trustportal.web import school as school_here
from trustportal.web import trust as trust_here

ROOT = "/t/<trust>/schools"


def _url(slug: str) -> str:
    return url_for("tenants.school", trust=trust_here().slug, school=slug)


@blueprint.get(ROOT)
@allow(Permission.SCHOOL_MANAGE, Permission.PLACEHOLDER_EDIT)
def schools(trust: str) -> Response:
    """Every school that one may see, with how many people serve there."""
    return page(
        "tenants/schools.html",
        schools=queries.list_schools(),
        counts=queries.count_people_by_school(on=today()),
        today=today(),
        may_manage=actor().can(Permission.SCHOOL_MANAGE),
    )


@blueprint.route(f"{ROOT}/new", methods=["GET", "POST"])
@allow(Permission.SCHOOL_MANAGE, at="trust")
def add_school(trust: str) -> Response:
    """A school that joins."""
    form = SchoolForm(joined_on=today())

    def create() -> School:
        assert form.joined_on.data is not None
        return services.create_school(
            actor(),
            name=form.name.data or "",
            short_name=form.short_name.data or "",
            phase=form.phase.data or "",
            joined_on=form.joined_on.data,
        )

    if form.is_submitted() and (made := form.carry_out(create)):
        assert isinstance(made, School)
        return see_other(_url(made.slug), f"{made.name} was added. It adopts the policies that are in force.")
    return page("tenants/school_new.html", form=form, status=form.status)


@blueprint.get(f"{ROOT}/<school>")
@allow(Permission.EDITION_READ, at="school")
def school(trust: str, school: str) -> Response:
    """One school: who serves there, how it calls its posts, what it filled in."""
    found, words = queries.get_school(school_here().id), queries.words_of(queries.get_trust(), None)
    may_edit = actor().can(Permission.PLACEHOLDER_EDIT, found.id)
    reads = actor().can(Permission.PEOPLE_READ, found.id)
    values = queries.values_for_place(found.id)
    return page(
        "tenants/school.html",
        found=found,
        people=queries.list_serving(on=today(), school_id=found.id) if reads else [],
        reads_people=reads,
        labels=[
            (ROLE_LABELS[role], domain.role_label(role, found.role_labels, words.trust_labels))
            for role in Role
            if role in domain.NAMED_BY_SCHOOLS
        ],
        slots=[(slot, values.get(slot.name, "")) for slot in queries.list_placeholders()],
        may_edit=may_edit,
        may_manage=actor().can(Permission.SCHOOL_MANAGE, found.id),
        may_add=actor().can(Permission.PEOPLE_MANAGE),
    )


@blueprint.route(f"{ROOT}/<school>/start", methods=["GET", "POST"])
@allow(Permission.SCHOOL_MANAGE, at="school")
def start_school(trust: str, school: str) -> Response:
    """What a school has to have before it is live, and the button that makes it so."""
    found, form = queries.get_school(school_here().id), PortalForm()
    if form.is_submitted() and form.carry_out(
        lambda: services.start_school(actor(), school_id=found.id, now=now())
    ):
        return see_other(_url(school), f"{found.name} is live. Its people are asked to sign what is due.")
    wanted = starting.requirements_of(found, today())
    return page(
        "tenants/school_start.html",
        form=form,
        found=found,
        wanted=wanted,
        ready=all(one.met for one in wanted),
        status=form.status,
    )


@blueprint.route(f"{ROOT}/<school>/change", methods=["GET", "POST"])
@allow(Permission.SCHOOL_MANAGE, at="school")
def change_school(trust: str, school: str) -> Response:
    """What a school is called, and until when it belongs to the trust."""
    found = queries.get_school(school_here().id)
    form = ChangeSchoolForm(
        name=found.name,
        short_name=found.short_name,
        phase=found.phase,
        closes_on=found.closes_on,
        went_to=found.went_to,
        went_to_url=found.went_to_url,
    )
    if form.is_submitted() and form.carry_out(
        lambda: services.change_school(
            actor(),
            school_id=found.id,
            name=form.name.data or "",
            short_name=form.short_name.data or "",
            phase=form.phase.data or "",
            closes_on=form.closes_on.data,
            went_to=form.went_to.data or "",
            went_to_url=form.went_to_url.data or "",
        )
    ):
        return see_other(_url(school), "The changes were saved.")
    return page("tenants/school_change.html", form=form, found=found, status=form.status)


@blueprint.route(f"{ROOT}/<school>/placeholders", methods=["GET", "POST"])
@allow(Permission.PLACEHOLDER_EDIT, at="school")
def school_placeholders(trust: str, school: str) -> Response:
    """What a school fills into the slots of its policies."""
    found, of_trust = queries.get_school(school_here().id), queries.list_filled(None)
    slots = queries.list_placeholders()
    fields = {
        slot.name: (slot.label, _hint(slot.hint, slot.example, of_trust.get(slot.name, ""))) for slot in slots
    }
    form = words_form(fields, queries.list_filled(found.id))
    if form.is_submitted() and form.carry_out(
        lambda: (
            services.fill_placeholders(actor(), school_id=found.id, values=words_of(form), now=now()) or True
        )
    ):
        return see_other(_url(school), "The words were saved. Policies that use them follow.")
    return page("tenants/school_placeholders.html", form=form, found=found, slots=slots, status=form.status)


def _hint(hint: str, example: str, of_trust: str) -> str:
    parts = [hint, f"For example: {example}." if example else ""]
    if of_trust:
        parts.append(f"If you leave it empty, the trust’s words stand here: {of_trust}.")
    return " ".join(part for part in parts if part)


@blueprint.route(f"{ROOT}/<school>/role-names", methods=["GET", "POST"])
@allow(Permission.PLACEHOLDER_EDIT, at="school")
def school_role_names(trust: str, school: str) -> Response:
    """How a school calls its posts."""
    found, trust_labels = queries.get_school(school_here().id), queries.get_settings().role_labels
    fields = {
        str(role): (ROLE_LABELS[role], f"If you leave it empty: {domain.role_label(role, {}, trust_labels)}.")
        for role in Role
        if role in domain.NAMED_BY_SCHOOLS
    }
    form = words_form(fields, found.role_labels)
    if form.is_submitted() and form.carry_out(
        lambda: services.rename_roles(actor(), school_id=found.id, labels=words_of(form))
    ):
        return see_other(_url(school), "The role names were saved. Policies that name them follow.")
    return page("tenants/school_role_names.html", form=form, found=found, status=form.status)
