"""Signing: my list, one policy to read and sign, my signatures and their receipts."""

from __future__ import annotations

from uuid import UUID

from flask import Response, make_response, request, url_for

from trustportal import blobs
from trustportal.acceptance import services
from trustportal.acceptance.domain.years import overdue, year_label
from trustportal.acceptance.forms import CheckForm, SignForm
from trustportal.acceptance.models import Signature
from trustportal.acceptance.queries import mine, outside, proofs
from trustportal.acceptance.services import certificates
from trustportal.acceptance.views.blueprint import blueprint
from trustportal.acceptance.views.presenting import done_with, shown_clauses
from trustportal.access import Permission
from trustportal.errors import NotFound, RuleBroken
from trustportal.times import now, today
from trustportal.web import actor, page, see_other, signed_in


def _me() -> UUID:
    person_id = actor().person_id
    if person_id is None:
        raise NotFound()
    return person_id


@blueprint.get("/t/<trust>/sign")
@signed_in
def my_signing(trust: str) -> Response:
    """Everything that I am asked to sign, at all my places: one sitting."""
    asked = mine.list_open(_me())
    return page(
        "acceptance/my_signing.html",
        asked=asked,
        late=[one.id for one in asked if overdue(one.due_on, today())],
        many_places=len({one.school_id for one in asked}) > 1,
        today=today(),
    )


@blueprint.route("/t/<trust>/sign/<uuid:assignment_id>", methods=["GET", "POST"])
@signed_in
def sign(trust: str, assignment_id: UUID) -> Response:
    """What changed since I last signed, the whole text, and one button. Signed already: the receipt."""
    form = SignForm()
    if form.is_submitted() and (signed := form.carry_out(lambda: _sign(assignment_id, form))):
        assert isinstance(signed, Signature)
        return _go_on(trust, signed)
    seen = _id(form.edition_id.data) if form.superseded else None
    shown = services.to_read(actor(), assignment_id=assignment_id, today=today(), seen_id=seen)
    if shown.assignment.state == "signed":
        signature = mine.find_signature(assignment_id)
        assert signature is not None
        return see_other(url_for("acceptance.receipt", trust=trust, signature_id=signature.id))
    # The form carries what this page shows, not what the last one showed.
    form.edition_id.data, form.statement_seen.data = str(shown.edition_id), shown.statement_version
    if form.superseded:
        form.confirmed.data = False
    asked = mine.list_open(_me())
    return page(
        "acceptance/sign.html",
        form=form,
        shown=shown,
        text=shown_clauses(shown.edition, shown.clauses) if shown.edition is not None else None,
        errors=form.summary,
        position=next((number for number, one in enumerate(asked, 1) if one.id == assignment_id), 0),
        total=len(asked),
        year=year_label(shown.assignment.academic_year),
        is_late=overdue(shown.assignment.due_on, today()),
        status=form.status,
    )


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _sign(assignment_id: UUID, form: SignForm) -> Signature:
    edition_id = _id(form.edition_id.data)
    if edition_id is None:
        raise NotFound()
    return services.sign(
        actor(),
        assignment_id=assignment_id,
        edition_id=edition_id,
        statement_seen=form.statement_seen.data or "",
        confirmed=form.confirmed.data,
        now=now(),
        today=today(),
        user_agent=request.headers.get("User-Agent", ""),
    )


def _go_on(trust: str, signed: Signature) -> Response:
    """To what is left to sign, or to my signatures."""
    left = mine.list_open(_me())
    if not left:
        return see_other(
            url_for("acceptance.my_signatures", trust=trust),
            f"Thank you. You have {done_with(signed)}, and nothing is left to sign.",
        )
    more = "One is left to sign." if len(left) == 1 else f"{len(left)} are left to sign."
    return see_other(
        url_for("acceptance.sign", trust=trust, assignment_id=left[0].id),
        f"You have {done_with(signed)}. {more}",
    )


@blueprint.get("/t/<trust>/sign/<uuid:assignment_id>/policy.pdf")
@signed_in
def policy_to_sign(trust: str, assignment_id: UUID) -> Response:
    """The PDF of what I am asked to sign."""
    shown = services.to_read(actor(), assignment_id=assignment_id, today=today())
    return _pdf(
        shown.edition.pdf_hash if shown.edition is not None else None, f"{shown.assignment.policy_slug}.pdf"
    )


@blueprint.get("/t/<trust>/signatures")
@signed_in
def my_signatures(trust: str) -> Response:
    """All that I have signed."""
    signatures = mine.list_signatures(_me())
    years: dict[str, list[Signature]] = {}
    for one in signatures:
        years.setdefault(year_label(one.academic_year), []).append(one)
    return page("acceptance/my_signatures.html", years=years, asked=len(mine.list_open(_me())))


def _readable(signature_id: UUID) -> Signature:
    """My own signature, or one at a place whose names I may see."""
    signature = mine.get_signature(signature_id)
    may = actor().can(Permission.ACCEPTANCE_OVERSEE, signature.school_id) or actor().can(
        Permission.ACCEPTANCE_EVIDENCE, signature.school_id
    )
    if signature.person_id != _me() and not may:
        raise NotFound()
    return signature


@blueprint.get("/t/<trust>/signatures/<uuid:signature_id>")
@signed_in
def receipt(trust: str, signature_id: UUID) -> Response:
    """What was signed, when and how, and whether the evidence is whole."""
    signature = _readable(signature_id)
    return page(
        "acceptance/receipt.html",
        signature=signature,
        verified=services.verify_signature(signature.id),
        is_mine=signature.person_id == _me(),
        document=outside.get_edition(signature.outside_edition_id) if signature.outside_edition_id else None,
        year=year_label(signature.academic_year),
        certificate=proofs.find_certificate(signature.id),
        making=False,
    )


@blueprint.route("/t/<trust>/signatures/<uuid:signature_id>/certificate", methods=["GET", "POST"])
@signed_in
def certificate(trust: str, signature_id: UUID) -> Response:
    """Have the certificate made, and see whether it is: the page asks again until it is there."""
    signature = _readable(signature_id)
    made = (
        certificates.want(signature_id=signature.id)
        if request.method == "POST"
        else proofs.find_certificate(signature.id)
    )
    return page(
        "acceptance/certificate.html",
        fragment="acceptance/_certificate.html",
        signature=signature,
        certificate=made,
        making=made is None,
    )


@blueprint.get("/t/<trust>/signatures/<uuid:signature_id>/certificate.pdf")
@signed_in
def certificate_pdf(trust: str, signature_id: UUID) -> Response:
    """The stored certificate."""
    signature = _readable(signature_id)
    made = proofs.find_certificate(signature.id)
    return _pdf(made.pdf_hash if made else None, f"certificate-{str(signature.id)[:8]}.pdf")


@blueprint.route("/t/<trust>/signatures/check", methods=["GET", "POST"])
@signed_in
def check_signature(trust: str) -> Response:
    """Recompute a signature from its record; with a file, compare it with the certificate byte by byte."""
    form = CheckForm(number=request.args.get("number", ""))
    verified, compared, certificate = None, None, None
    if form.is_submitted():
        found = form.carry_out(lambda: _find(form))
        if isinstance(found, Signature):
            verified = services.verify_signature(found.id)
            certificate = proofs.find_certificate(found.id)
            upload = request.files.get("file")
            given = upload.read() if upload is not None and upload.filename else None
            if certificate is not None:
                compared = certificates.compare(certificate, given)
    return page(
        "acceptance/check.html",
        form=form,
        verified=verified,
        compared=compared,
        certificate=certificate,
        errors=form.summary,
        status=form.status,
    )


def _find(form: CheckForm) -> Signature:
    number = _id((form.number.data or "").strip())
    try:
        if number is None:
            raise NotFound()
        return _readable(number)
    except NotFound:
        raise RuleBroken("There is no signature with this number that you may see.", "number") from None


@blueprint.get("/t/<trust>/signatures/<uuid:signature_id>/policy.pdf")
@signed_in
def signed_policy(trust: str, signature_id: UUID) -> Response:
    """The very PDF that was signed."""
    signature = _readable(signature_id)
    return _pdf(signature.pdf_hash, f"signed-edition-{signature.edition_label}.pdf")


@blueprint.get("/t/<trust>/signatures/<uuid:signature_id>/scan")
@signed_in
def scan(trust: str, signature_id: UUID) -> Response:
    """The scan of a paper that somebody signed."""
    signature = _readable(signature_id)
    stored = blobs.get((signature.witness or {}).get("scan_sha256") or "")
    suffix = {"application/pdf": "pdf", "image/png": "png"}.get(stored.media_type, "jpg")
    answer = make_response(stored.content)
    answer.headers["Content-Type"] = stored.media_type
    # Somebody uploaded it: it is handed over as a file and opens nothing here.
    answer.headers["Content-Disposition"] = f'attachment; filename="signed-paper.{suffix}"'
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _pdf(digest: str | None, filename: str) -> Response:
    if digest is None:
        raise NotFound()
    answer = make_response(blobs.get(digest).content)
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'inline; filename="{filename}"'
    return answer
