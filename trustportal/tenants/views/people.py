"""Who is in the trust, and in which roles."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request, url_for

from trustportal.access import ROLE_LABELS, Permission, Role
from trustportal.errors import NotFound
from trustportal.tenants import queries, services
from trustportal.tenants.forms import AT_TRUST, AddPersonForm, EndForm, PersonForm, RoleForm
from trustportal.tenants.models import Membership, Person
from trustportal.tenants.views.blueprint import blueprint
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other
from trustportal.web import trust as trust_here

ROOT = "/t/<trust>/people"
PER_PAGE = 100


def _url(person_id: UUID) -> str:
    return url_for("tenants.person", trust=trust_here().slug, person_id=person_id)


@blueprint.get(ROOT)
@allow(Permission.PEOPLE_READ)
def people(trust: str) -> Response:
    """Everybody with a role today, by name; filtered by place and role."""
    place, role = request.args.get("place", ""), request.args.get("role", "")
    name, number = request.args.get("name", "").strip(), max(1, request.args.get("page", 1, type=int))
    schools = [school for school in queries.list_schools() if actor().can(Permission.PEOPLE_READ, school.id)]
    chosen = next((school for school in schools if school.slug == place), None)
    if (place and place != AT_TRUST and chosen is None) or (role and role not in Role._value2member_map_):
        raise NotFound()
    serving = queries.list_serving(
        on=today(),
        school_id=chosen.id if chosen else None,
        at_trust=place == AT_TRUST,
        roles=[Role(role)] if role else None,
        name=name,
    )
    rows: dict[UUID, list[queries.Serving]] = {}
    for one in queries.list_readable(actor(), serving):
        rows.setdefault(one.person_id, []).append(one)
    idle = (
        []
        if place or role or name or not actor().can(Permission.PEOPLE_MANAGE)
        else queries.list_people_without_role(on=today())
    )
    return page(
        "tenants/people.html",
        rows=list(rows.values())[(number - 1) * PER_PAGE : number * PER_PAGE],
        count=len(rows),
        number=number,
        pages=-(-len(rows) // PER_PAGE),
        idle=idle,
        schools=schools,
        roles=ROLE_LABELS,
        chosen={"place": place, "role": role, "name": name},
        may_manage=actor().can(Permission.PEOPLE_MANAGE),
    )


@blueprint.route(f"{ROOT}/new", methods=["GET", "POST"])
@allow(Permission.PEOPLE_MANAGE, at="trust")
def add_person(trust: str) -> Response:
    """Somebody new with their first role, and an invitation."""
    form = AddPersonForm(place=request.args.get("place", ""), from_on=today())
    form.offer(_schools(), trust_name=trust_here().name)
    if form.is_submitted() and (made := form.carry_out(lambda: _add(form))):
        assert isinstance(made, Person)
        return see_other(_url(made.id), f"{made.name} was added.")
    return page("tenants/person_new.html", form=form, status=form.status)


def _add(form: AddPersonForm) -> Person:
    assert form.from_on.data is not None
    return services.add_with_role(
        actor(),
        name=form.name.data or "",
        email=form.email.data,
        job_title=form.job_title.data or "",
        role=Role(form.role.data),
        school_id=_place(form.place.data),
        from_on=form.from_on.data,
        to_on=form.to_on.data,
        acting=form.acting.data,
        send_invitation=form.send.data,
        now=now(),
    )


def _schools() -> list[tuple[str, str]]:
    return [(school.slug, school.name) for school in queries.list_schools(open_on=None)]


def _place(slug: str) -> UUID | None:
    return None if slug == AT_TRUST else queries.get_school_by_slug(slug).id


@blueprint.get(f"{ROOT}/<uuid:person_id>")
@allow(Permission.PEOPLE_READ)
def person(trust: str, person_id: UUID) -> Response:
    """Somebody's roles, now, before and later, and whether they can sign in."""
    someone, serving = queries.get_readable_person(actor(), person_id)
    return page(
        "tenants/person.html",
        someone=someone,
        holding=[
            one for one in serving if one.from_on <= today() and (one.to_on is None or one.to_on >= today())
        ],
        later=[one for one in serving if one.from_on > today()],
        earlier=[one for one in serving if one.to_on is not None and one.to_on < today()],
        invitation=queries.find_open_invitation(person_id) if someone.account_id is None else None,
        may_manage=actor().can(Permission.PEOPLE_MANAGE),
        now=now(),
    )


@blueprint.route(f"{ROOT}/<uuid:person_id>/change", methods=["GET", "POST"])
@allow(Permission.PEOPLE_MANAGE, at="trust")
def change_person(trust: str, person_id: UUID) -> Response:
    """Somebody's name and address."""
    someone = queries.get_person(person_id)
    form = PersonForm(name=someone.name, email=someone.email or "", job_title=someone.job_title)
    if form.is_submitted() and form.carry_out(
        lambda: services.change_person(
            actor(),
            person_id=person_id,
            name=form.name.data or "",
            email=form.email.data,
            job_title=form.job_title.data or "",
        )
    ):
        return see_other(_url(person_id), "The changes were saved.")
    return page("tenants/person_change.html", form=form, someone=someone, status=form.status)


@blueprint.route(f"{ROOT}/<uuid:person_id>/roles/new", methods=["GET", "POST"])
@allow(Permission.PEOPLE_MANAGE, at="trust")
def begin_role(trust: str, person_id: UUID) -> Response:
    """Another role for somebody."""
    someone = queries.get_person(person_id)
    form = RoleForm(from_on=today()).offer(_schools(), trust_name=trust_here().name)
    if form.is_submitted() and form.carry_out(lambda: _begin(form, person_id)):
        return see_other(_url(person_id), "The role was added.")
    return page("tenants/role_new.html", form=form, someone=someone, status=form.status)


def _begin(form: RoleForm, person_id: UUID) -> Membership:
    assert form.from_on.data is not None
    return services.begin_membership(
        actor(),
        person_id=person_id,
        role=Role(form.role.data),
        school_id=_place(form.place.data),
        from_on=form.from_on.data,
        to_on=form.to_on.data,
        acting=form.acting.data,
    )


@blueprint.route(f"{ROOT}/<uuid:person_id>/roles/<uuid:membership_id>/end", methods=["GET", "POST"])
@allow(Permission.PEOPLE_MANAGE, at="trust")
def end_role(trust: str, person_id: UUID, membership_id: UUID) -> Response:
    """The last day of a role."""
    serving = queries.get_serving(person_id, membership_id)
    form = EndForm(to_on=serving.to_on or today())

    def end() -> Membership:
        assert form.to_on.data is not None
        return services.end_membership(
            actor(), membership_id=membership_id, to_on=form.to_on.data, today=today()
        )

    if form.is_submitted() and form.carry_out(end):
        return see_other(_url(person_id), "The role ends on the day that you chose.")
    return page("tenants/role_end.html", form=form, serving=serving, status=form.status)


@blueprint.post(f"{ROOT}/<uuid:person_id>/invite")
@allow(Permission.PEOPLE_MANAGE, at="trust")
def invite(trust: str, person_id: UUID) -> Response:
    """Send an invitation, or another one."""
    services.invite(actor(), person_id=person_id, now=now())
    return see_other(_url(person_id), "The invitation is on its way.")
