"""What a school's policy said before: its editions, their change log, their PDFs, and any two compared."""

from __future__ import annotations

from uuid import UUID

from flask import Response, make_response, request

from trustportal import blobs
from trustportal.access import Permission
from trustportal.policies import place_queries, queries, reading
from trustportal.policies.comparing import Side, side_of_edition
from trustportal.policies.domain.diff import compare_editions
from trustportal.policies.models import Edition, Policy
from trustportal.policies.services import documents, redlines
from trustportal.policies.views import presenting
from trustportal.policies.views.comparing import redline_answer
from trustportal.policies.views.school import edition_context
from trustportal.policies.views.school_blueprint import ROOT, blueprint, here, may, url
from trustportal.policies.views.trust import public_url, word_response
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other
from trustportal.web import school as school_here


@blueprint.get(f"{ROOT}/<policy>/history")
@allow(Permission.EDITION_READ, at="school")
def history(trust: str, school: str, policy: str) -> Response:
    """Every approved edition with who approved it, since when it holds, and what changed in it."""
    found = here(policy)
    queries.get_standing(found.id, school_here().id)
    editions = queries.list_editions(found.id, school_here().id)
    in_force = place_queries.find_in_force(found.id, school_here().id, today())
    labels = {edition.id: reading.edition_label(edition) for edition in editions}
    return page(
        "policies/school/history.html",
        policy=found,
        editions=[
            (one, labels[one.id], presenting.log_of(one.changes), _before(one, labels)) for one in editions
        ],
        in_force_id=in_force.id if in_force else None,
        ended=queries.ended_answers(found.id, school_here().id),
        today=today(),
    )


def _before(edition: Edition, labels: dict[UUID, str]) -> str:
    return labels.get(edition.previous_id, "") if edition.previous_id else ""


@blueprint.get(f"{ROOT}/<policy>/compare")
@allow(Permission.EDITION_READ, at="school")
def compare(trust: str, school: str, policy: str) -> Response:
    """Two editions as a redline: the changes only, or the whole text."""
    found, school_id = here(policy), school_here().id
    editions = queries.list_editions(found.id, school_id)
    by_label = {reading.edition_label(edition): edition for edition in editions}
    labels = list(by_label)
    older, newer = _chosen(labels)
    whole = request.args.get("whole") == "1"
    cards: tuple[presenting.Change, ...] = ()
    if older and newer:
        old, new = (
            by_label.get(label) or place_queries.get_labelled(found.id, school_id, label)
            for label in (older, newer)
        )
        cards = presenting.kept_changes(
            (old.id, old.content_hash, new.id, new.content_hash, whole),
            lambda: _cards(old, new, whole=whole),
        )
    return page(
        "policies/school/compare.html",
        policy=found,
        labels=labels,
        older=older,
        newer=newer,
        whole=whole,
        cards=cards,
        changed=sum(card.clause.has_changed for card in cards),
        may_compare_all=may(Permission.TEMPLATE_READ),
    )


def _chosen(labels: list[str]) -> tuple[str, str]:
    """The two that were asked for; else the newest and the one before."""
    newest = labels[0] if labels else ""
    before = labels[1] if len(labels) > 1 else ""
    return request.args.get("from") or before, request.args.get("to") or newest


def _cards(old: Edition, new: Edition, *, whole: bool) -> list[presenting.Change]:
    before, after = (reading.clauses_of(place_queries.load_whole(one)) for one in (old, new))
    rows = compare_editions(before, after)
    reasons = {clause.key: clause.reason for clause in after if clause.reason}
    return presenting.changes_shown([row for row in rows if whole or row.has_changed], reasons=reasons)


def _two(policy: Policy) -> tuple[Side, Side]:
    """The two editions of this school that the address names; else the newest and the one before."""
    school_id = school_here().id
    labels = [reading.edition_label(one) for one in queries.list_editions(policy.id, school_id)]
    newest = labels[0] if labels else ""
    before = labels[1] if len(labels) > 1 else newest
    place = reading.place_name(school_id)
    old, new = (
        side_of_edition(place_queries.get_labelled(policy.id, school_id, label), place)
        for label in (request.values.get("from") or before, request.values.get("to") or newest)
    )
    return old, new


@blueprint.post(f"{ROOT}/<policy>/compare.pdf")
@allow(Permission.EDITION_READ, at="school")
def want_redline(trust: str, school: str, policy: str) -> Response:
    """Have the redline of two editions made as a PDF."""
    found = here(policy)
    old, new = _two(found)
    redlines.want_redline(policy_id=found.id, old=old, new=new, now=now())
    return see_other(url("redline", **{"from": old.label, "to": new.label}))


@blueprint.get(f"{ROOT}/<policy>/compare.pdf")
@allow(Permission.EDITION_READ, at="school")
def redline(trust: str, school: str, policy: str) -> Response:
    """The redline of two editions as a PDF; a page that waits while it is being made."""
    found = here(policy)
    old, new = _two(found)
    arguments = {"from": old.label, "to": new.label}
    return redline_answer(found, old, new, url("want_redline"), arguments)


@blueprint.get(f"{ROOT}/<policy>/editions/<label>")
@allow(Permission.EDITION_READ, at="school")
def earlier(trust: str, school: str, policy: str, label: str) -> Response:
    """One approved edition, whenever it was in force."""
    found = here(policy)
    edition = place_queries.get_labelled(found.id, school_here().id, label)
    in_force = place_queries.find_in_force(found.id, school_here().id, today())
    context = edition_context(found, edition, as_of=edition.effective_on)
    return page(
        "policies/school/earlier.html",
        in_force=in_force,
        is_in_force=in_force is not None and in_force.id == edition.id,
        **context,
    )


@blueprint.get(f"{ROOT}/<policy>/editions/<label>.pdf")
@allow(Permission.EDITION_READ, at="school")
def pdf(trust: str, school: str, policy: str, label: str) -> Response:
    """The stored PDF of an edition; a page that waits for it while it is being made."""
    found = here(policy)
    edition = place_queries.get_labelled(found.id, school_here().id, label)
    if edition.pdf_hash is None:
        return pdf_is_made(found, label)
    return stored_pdf(edition.pdf_hash, f"{found.slug}-{school_here().slug}-{label}.pdf")


@blueprint.get(f"{ROOT}/<policy>/editions/<label>.docx")
@allow(Permission.EDITION_READ, at="school")
def word(trust: str, school: str, policy: str, label: str) -> Response:
    """An edition as a Word file, made when it is asked for."""
    found = here(policy)
    edition = place_queries.get_labelled(found.id, school_here().id, label)
    content = documents.edition_word(actor(), edition_id=edition.id, public_url=public_url())
    return word_response(content, f"{found.slug}-{school_here().slug}-{label}.docx")


def pdf_is_made(policy: Policy, label: str, template: str = "policies/school/pdf_is_made.html") -> Response:
    """A page that asks again by itself."""
    answer = page(template, policy=policy, label=label, status=202)
    answer.headers["Refresh"] = "4"
    return answer


def stored_pdf(digest: str, name: str) -> Response:
    """A stored PDF, to be read in the browser."""
    answer = make_response(blobs.get(digest).content)
    answer.headers["Content-Type"] = "application/pdf"
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.set_etag(digest)
    answer.make_conditional(request)
    return answer
