"""Making PDFs: what is frozen in the rows becomes a snapshot, a PDF, and a stored file that never changes."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from trustportal import blobs
from trustportal.access import Actor, Permission, Role
from trustportal.db import db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.jobs import Event
from trustportal.mail import notify
from trustportal.pdf import PdfRefused
from trustportal.policies import queries, reading
from trustportal.policies.domain.changes import ChangeRow, marks_from_json, template_rows
from trustportal.policies.domain.lifecycle import version_label
from trustportal.policies.export import make_word
from trustportal.policies.models import ApprovalRun, Edition, TemplateVersion, VersionPdf
from trustportal.policies.pdf import gathering, make_policy
from trustportal.policies.pdf.snapshot import (
    DRAFT,
    Approval,
    PolicyPrint,
    PrintKind,
    VersionRow,
)
from trustportal.policies.services import writing
from trustportal.policies.services.approvals import printed_approvals
from trustportal.tenants import queries as tenants
from trustportal.times import day_of, now


def make_edition_pdf(*, edition_id: UUID, public_url: str) -> None:
    """Make the PDF of an approved edition and store it, once; then say so, since signing waits for it."""
    with unit_of_work() as uow:
        edition = queries.get_edition(edition_id, lock=True)
        if edition.state != "approved" or edition.pdf_hash is not None:
            return
        try:
            rendered = make_policy(edition_print(edition, public_url))
        except PdfRefused as refused:
            _tell(edition, refused)
            return
        edition.pdf_hash = blobs.put(rendered.pdf, "application/pdf")
        uow.announce(Event.PDF_STORED, edition_id=edition.id)


def _tell(edition: Edition, refused: PdfRefused) -> None:
    """Tell whoever sent an edition, or the network managers, why its PDF cannot be made."""
    people = (
        [edition.submitted_by]
        if edition.submitted_by
        else tenants.people_with_role(Role.NETWORK_MANAGER, on=day_of(now()))
    )
    for person_id in people:
        notify(
            person_id,
            subject=f"No PDF of {edition.header['title']} could be made",
            body=f"Edition {reading.edition_label(edition)} at {edition.place_name}: {refused.message}",
            path="/",
            school_id=edition.school_id,
        )


def make_version_pdf(*, version_id: UUID, public_url: str) -> None:
    """Make the PDF of a published template version and store it, once."""
    with unit_of_work():
        version = queries.get_version(version_id, lock=True)
        if version.state != "published" or queries.find_version_pdf(version.id) is not None:
            return
        rendered = make_policy(version_print(version, public_url))
        db.session.add(
            VersionPdf(
                version_id=version.id, blob_hash=blobs.put(rendered.pdf, "application/pdf"), made_at=now()
            )
        )


def ask_for_draft_pdf(actor: Actor, *, version_id: UUID) -> None:
    """Have the PDF of a draft made, with its watermark, as its words stand now."""
    writing.require_writer_of(actor, version_id)
    with unit_of_work() as uow:
        version = queries.get_version(version_id)
        if version.state == "published":
            raise RuleBroken("This version is published: it has its PDF.")
        if version.draft_pdf_of != version.row_version:
            uow.announce(Event.DRAFT_PDF_WANTED, version_id=version.id)


def make_draft_pdf(*, version_id: UUID, public_url: str) -> None:
    """Make the PDF of a draft as its words stand, unless it was made already."""
    with unit_of_work():
        version = queries.get_version(version_id, lock=True)
        if version.state == "published" or version.draft_pdf_of == version.row_version:
            return
        rendered = make_policy(version_print(version, public_url))
        version.draft_pdf_hash = blobs.put(rendered.pdf, "application/pdf")
        version.draft_pdf_of = version.row_version


def edition_word(actor: Actor, *, edition_id: UUID, public_url: str) -> bytes:
    """An approved edition as a Word file; whoever may read the edition may have it."""
    edition = queries.get_edition(edition_id)
    actor.require(Permission.EDITION_READ, edition.school_id)
    return make_word(edition_print(edition, public_url))


def version_word(actor: Actor, *, version_id: UUID, public_url: str) -> bytes:
    """A published template version as a Word file."""
    actor.require(Permission.TEMPLATE_READ)
    version = queries.get_version(version_id)
    if version.state != "published":
        raise RuleBroken("Only a published version can be had as a Word file.")
    return make_word(version_print(version, public_url))


def draft_word(actor: Actor, *, version_id: UUID, public_url: str) -> bytes:
    """A draft as a Word file, marked as one on every page, for those who write it."""
    writing.require_writer_of(actor, version_id)
    version = queries.get_version(version_id)
    if version.state == "published":
        raise RuleBroken("This version is published: have the version as a Word file instead.")
    return make_word(version_print(version, public_url))


def _logo() -> bytes | None:
    digest = tenants.get_trust().logo_hash
    return blobs.get(digest).content if digest else None


def _check_url(public_url: str, content_hash: str) -> str:
    return f"{public_url}/check/{content_hash}"


def edition_print(edition: Edition, public_url: str) -> PolicyPrint:
    """An edition as it goes on paper, with the editions before it in its version table."""
    policy, trust = queries.get_policy_by_id(edition.policy_id), tenants.get_trust()
    version = queries.get_version(edition.template_version_id)
    earlier = [
        one
        for one in queries.list_editions(policy.id, edition.school_id)
        if (one.major, one.minor or 0) <= (edition.major, edition.minor or 0)
    ]
    assert edition.approved_at is not None
    approver = edition.approvals[-1]["body"] if edition.approvals else "The trust"
    values = tenants.values_for_place(edition.school_id)
    author = values.get("role.headteacher", "The school") if edition.submitted_by else trust.name
    return PolicyPrint(
        kind=PrintKind.EDITION,
        title=edition.header["title"],
        organisation=trust.name,
        place=edition.place_name if edition.school_id else "",
        version_label=reading.edition_label(edition),
        status=f"Edition {reading.edition_label(edition)}, made from the trust's version {version.number}."
        f" Effective on {gathering.day(edition.effective_on)}.",
        header=gathering.header_rows(reading.header_of(edition)),
        clauses=gathering.clauses_of_edition(reading.clauses_of(edition)),
        content_hash=edition.content_hash,
        check_url=_check_url(public_url, edition.content_hash),
        made_on=day_of(edition.approved_at),
        logo=_logo(),
        versions=tuple(
            VersionRow(
                reading.edition_label(one),
                day_of(one.approved_at) if one.approved_at else None,
                one.effective_on,
                one.approvals[-1]["body"] if one.approvals else "The trust",
            )
            for one in earlier
        ),
        changes=gathering.change_entries(
            [ChangeRow.from_json(one) for one in edition.changes],
            version=reading.edition_label(edition),
            author=author,
            approver=approver,
            on=day_of(edition.approved_at),
        ),
        approvals=tuple(
            Approval(one["body"], one["by"], date.fromisoformat(one["on"]), one["minute"], one["method"])
            for one in edition.approvals
        ),
        public=bool(edition.header.get("public", True)),
        colour=trust.colour,
    )


def version_print(version: TemplateVersion, public_url: str) -> PolicyPrint:
    """A template version, or a draft with its watermark, as it goes on paper."""
    policy, trust = queries.get_policy_by_id(version.policy_id), tenants.get_trust()
    published = version.state == "published"
    base = queries.get_version(version.based_on_id) if version.based_on_id else None
    tree = reading.tree_of_version(version)
    style = reading.numbering_of(policy, version)
    runs = [run for run in queries.list_runs(version_id=version.id) if run.state == "approved"]
    approvals = tuple(_approvals(runs[-1])) if runs else ()
    earlier = [
        one
        for one in queries.list_versions(policy.id)
        if one.state == "published" and version.number is not None and (one.number or 0) <= version.number
    ]
    label = version_label(version.number) if version.number else "draft"
    body = reading.header_of(version).approving_body
    return PolicyPrint(
        kind=PrintKind.VERSION,
        title=version.header["title"],
        organisation=trust.name,
        place="",
        version_label=label,
        status=f"The trust's version {version.number}. Effective on {gathering.day(version.effective_on)}."
        if published
        else "A draft: it has not been approved.",
        header=gathering.header_rows(reading.header_of(version)),
        clauses=gathering.clauses_of_tree(tree, style),
        content_hash=version.content_hash or "",
        check_url=_check_url(public_url, version.content_hash) if published and version.content_hash else "",
        made_on=_made_on(version),
        watermark=None if published else DRAFT,
        logo=_logo(),
        versions=tuple(
            VersionRow(
                version_label(one.number or 0),
                day_of(one.approved_at) if one.approved_at else None,
                one.effective_on,
                body,
            )
            for one in earlier
        ),
        changes=gathering.change_entries(
            template_rows(reading.tree_of_version(base), tree, style, marks_from_json(version.marks))
            if base is not None
            else (),
            version=label,
            author=reading.header_of(version).person_responsible or trust.name,
            approver=body,
            on=day_of(version.approved_at) if version.approved_at else None,
        ),
        approvals=approvals,
        public=bool(version.header.get("public", True)),
        colour=trust.colour,
    )


def _approvals(run: ApprovalRun) -> list[Approval]:
    return [
        Approval(one["body"], one["by"], date.fromisoformat(one["on"]), one["minute"], one["method"])
        for one in printed_approvals(run)
    ]


def _made_on(version: TemplateVersion) -> date:
    return day_of(version.published_at or version.submitted_at or version.created_at)
