"""Evidence packs: asked for, watched while they are made, taken away."""

from __future__ import annotations

from uuid import UUID

from flask import Response, make_response, url_for

from trustportal import blobs
from trustportal.acceptance.domain.years import year_label
from trustportal.acceptance.forms import EvidenceForm
from trustportal.acceptance.models import EvidencePack
from trustportal.acceptance.queries import overview, proofs
from trustportal.acceptance.queries.overview import PlaceShown
from trustportal.acceptance.services import packs
from trustportal.acceptance.views.blueprint import blueprint
from trustportal.access import Permission
from trustportal.errors import NotFound
from trustportal.forms import choices
from trustportal.times import now
from trustportal.web import actor, allow, page, see_other

ROOT = "/t/<trust>/acceptance/evidence"


def _places() -> list[PlaceShown]:
    return overview.places_of(actor(), Permission.ACCEPTANCE_EVIDENCE)


@blueprint.route(ROOT, methods=["GET", "POST"])
@allow(Permission.ACCEPTANCE_EVIDENCE)
def evidence(trust: str) -> Response:
    """The packs that were made, and a new one for a place and an academic year."""
    places = _places()
    years = proofs.list_years([one.id for one in places])
    form = EvidenceForm()
    form.place.choices = choices((one.slug, one.name) for one in places)
    form.year.choices = choices((str(year), year_label(year)) for year in years)
    if form.is_submitted():
        asked = form.carry_out(
            lambda: packs.ask_for_pack(
                actor(),
                school_id=_chosen(places, form.place.data).id,
                academic_year=int(form.year.data),
                now=now(),
            )
        )
        if isinstance(asked, EvidencePack):
            return see_other(url_for("acceptance.evidence_pack", trust=trust, pack_id=asked.id))
    return page(
        "acceptance/evidence.html",
        form=form,
        years=years,
        packs=proofs.list_packs([one.id for one in places]),
        names={one.id: one.name for one in places},
        year_label=year_label,
        errors=form.summary,
        status=form.status,
    )


def _chosen(places: list[PlaceShown], slug: str) -> PlaceShown:
    found = overview.choose(places, slug)
    if found is None:
        raise NotFound()
    return found


def _readable(pack_id: UUID) -> EvidencePack:
    pack = proofs.get_pack(pack_id)
    if not actor().can(Permission.ACCEPTANCE_EVIDENCE, pack.school_id):
        raise NotFound()
    return pack


@blueprint.get(f"{ROOT}/<uuid:pack_id>")
@allow(Permission.ACCEPTANCE_EVIDENCE)
def evidence_pack(trust: str, pack_id: UUID) -> Response:
    """How far a pack is; the page asks again until it is ready."""
    pack = _readable(pack_id)
    names = {one.id: one.name for one in _places()}
    return page(
        "acceptance/evidence_pack.html",
        fragment="acceptance/_evidence_pack.html",
        pack=pack,
        place=names[pack.school_id],
        year=year_label(pack.academic_year),
    )


@blueprint.get(f"{ROOT}/<uuid:pack_id>/file")
@allow(Permission.ACCEPTANCE_EVIDENCE)
def evidence_file(trust: str, pack_id: UUID) -> Response:
    """The file of a pack."""
    pack = _readable(pack_id)
    if pack.blob_hash is None:
        raise NotFound()
    answer = make_response(blobs.get(pack.blob_hash).content)
    answer.headers["Content-Type"] = "application/zip"
    slug = next(one.slug for one in _places() if one.id == pack.school_id)
    answer.headers["Content-Disposition"] = f'attachment; filename="evidence-{slug}-{pack.academic_year}.zip"'
    return answer
