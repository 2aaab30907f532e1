"""The trust's own settings, and the little stylesheet and logo that dress its pages."""

from __future__ import annotations

from flask import Response, request, url_for

from trustportal import blobs
from trustportal.access import ROLE_LABELS, Permission, Role
from trustportal.db import Scope, scope
from trustportal.errors import NotFound
from trustportal.tenants import domain, queries, services
from trustportal.tenants.forms import LogoForm, PlaceholderForm, TrustForm, words_form, words_of
from trustportal.tenants.views.blueprint import blueprint
from trustportal.times import now
from trustportal.web import actor, allow, page, public, see_other
from trustportal.web import trust as trust_here

ROOT = "/t/<trust>/settings"


def _url() -> str:
    return url_for("tenants.settings", trust=trust_here().slug)


@blueprint.route(ROOT, methods=["GET", "POST"])
@allow(Permission.TRUST_SETTINGS, at="trust")
def settings(trust: str) -> Response:
    """Name, colour, logo; and the ways to placeholders and role names."""
    found = queries.get_trust()
    form = TrustForm(name=found.name, colour=found.colour)
    if form.is_submitted() and form.carry_out(
        lambda: services.change_trust(actor(), name=form.name.data or "", colour=form.colour.data or "")
    ):
        return see_other(_url(), "The settings were saved.")
    return page("tenants/settings.html", form=form, logo_form=LogoForm(formdata=None), status=form.status)


@blueprint.post(f"{ROOT}/logo")
@allow(Permission.TRUST_SETTINGS, at="trust")
def set_logo(trust: str) -> Response:
    """Put a logo in, or take it away."""
    found = queries.get_trust()
    form = LogoForm()
    chosen = request.files.get("logo")
    content = chosen.read() if chosen and chosen.filename else b""
    if request.form.get("remove"):
        services.set_logo(actor(), content=None)
        return see_other(_url(), "The logo was taken away.")
    if form.carry_out(lambda: services.set_logo(actor(), content=content)):
        return see_other(_url(), "The logo was saved.")
    plain = TrustForm(formdata=None, name=found.name, colour=found.colour)
    return page("tenants/settings.html", form=plain, logo_form=form, status=422)


@blueprint.route(f"{ROOT}/placeholders", methods=["GET", "POST"])
@allow(Permission.TRUST_SETTINGS, at="trust")
def placeholders(trust: str) -> Response:
    """What the trust fills into slots, for every school that has no word of its own."""
    slots = queries.list_placeholders()
    fields = {
        slot.name: (slot.label, " ".join(part for part in (slot.hint, "{{" + slot.name + "}}") if part))
        for slot in slots
    }
    form = words_form(fields, queries.list_filled(None))
    if form.is_submitted() and form.carry_out(
        lambda: services.fill_placeholders(actor(), school_id=None, values=words_of(form), now=now()) or True
    ):
        return see_other(
            url_for("tenants.placeholders", trust=trust),
            "The words were saved. Policies that use them follow.",
        )
    return page("tenants/placeholders.html", form=form, slots=slots, status=form.status)


@blueprint.route(f"{ROOT}/placeholders/new", methods=["GET", "POST"])
@allow(Permission.TRUST_SETTINGS, at="trust")
def add_placeholder(trust: str) -> Response:
    """A slot of the trust's own."""
    form = PlaceholderForm()
    if form.is_submitted() and form.carry_out(
        lambda: services.add_placeholder(
            actor(),
            name=form.name.data or "",
            label=form.label.data or "",
            hint=form.hint.data or "",
            example=form.example.data or "",
        )
    ):
        return see_other(
            url_for("tenants.placeholders", trust=trust),
            "The placeholder was added. Each school can fill it now.",
        )
    return page("tenants/placeholder_new.html", form=form, status=form.status)


@blueprint.route(f"{ROOT}/role-names", methods=["GET", "POST"])
@allow(Permission.TRUST_SETTINGS, at="trust")
def role_names(trust: str) -> Response:
    """How the trust calls its posts."""
    fields = {str(role): (ROLE_LABELS[role], "") for role in Role}
    form = words_form(fields, queries.get_settings().role_labels)
    if form.is_submitted() and form.carry_out(
        lambda: services.rename_trust_roles(actor(), labels=words_of(form))
    ):
        return see_other(_url(), "The role names were saved. Policies that name them follow.")
    return page("tenants/role_names.html", form=form, status=form.status)


@blueprint.route(f"{ROOT}/central-role-names", methods=["GET", "POST"])
@allow(Permission.TRUST_SETTINGS, at="trust")
def central_role_names(trust: str) -> Response:
    """Who does a school's posts in the central team."""
    fields = {str(role): (ROLE_LABELS[role], "") for role in Role if role in domain.NAMED_BY_SCHOOLS}
    form = words_form(fields, queries.get_settings().central_labels)
    if form.is_submitted() and form.carry_out(
        lambda: services.rename_central_roles(actor(), labels=words_of(form))
    ):
        return see_other(_url(), "Saved. Policies for the central team follow.")
    return page("tenants/central_role_names.html", form=form, status=form.status)


@blueprint.get("/t/<trust>/theme.css")
@public
def theme(trust: str) -> Response:
    """The trust's colour as a stylesheet; the address changes with the colour, so it may be kept for long."""
    trust_id = queries.find_trust_id(trust)
    if trust_id is None:
        raise NotFound()
    with scope(Scope(trust_id)):
        colour = queries.get_trust().colour
    css = f":root{{--brand:{colour};--brand-ink:#fff;--brand-wash:{domain.wash_of(colour)}}}\n"
    answer = Response(css, mimetype="text/css")
    answer.headers["Cache-Control"] = "public, max-age=604800"
    return answer


@blueprint.get("/t/<trust>/logo")
@public
def logo(trust: str) -> Response:
    """The trust's logo of now; no other stored file has an address here."""
    trust_id = queries.find_trust_id(trust)
    if trust_id is None:
        raise NotFound()
    with scope(Scope(trust_id)):
        digest = queries.get_trust().logo_hash
        if digest is None:
            raise NotFound()
        stored = blobs.get(digest)
    answer = Response(stored.content, mimetype=stored.media_type)
    answer.headers["Cache-Control"] = "public, max-age=300"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
