"""A school brings its own old policy: read, corrected, laid beside the trust's, and decided clause by clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Response, request

from trustportal.access import Permission
from trustportal.errors import Conflict, RuleBroken
from trustportal.policies import queries, reading
from trustportal.policies.domain.clauses import Clause, Mode, Words, by_key, labels
from trustportal.policies.domain.diff import Span, redline
from trustportal.policies.domain.joining import Kin, Proposal
from trustportal.policies.forms.trust import UploadForm
from trustportal.policies.import_models import Joining, JoiningPair
from trustportal.policies.importing.files import LARGEST
from trustportal.policies.models import ImportReading, Policy
from trustportal.policies.services import importing, joining
from trustportal.policies.views import presenting
from trustportal.policies.views.importing import correct_reading, shown
from trustportal.policies.views.school_blueprint import ROOT, blueprint, here, may, url
from trustportal.tenants import queries as tenants
from trustportal.times import now
from trustportal.web import actor, allow, page, see_other
from trustportal.web import school as school_here
from trustportal.words import plural

BRING, JOINING = f"{ROOT}/<policy>/bring", f"{ROOT}/<policy>/joining"


@dataclass(frozen=True, slots=True)
class PairShown:
    """One pair as the page shows it. `old` and `new` headings and texts as spans; `may`: whether it can be accepted."""

    id: UUID
    kin: str
    number: str
    title: str
    score: int
    proposal: str
    anchor: str
    may: bool
    why_not: str
    heading_spans: tuple[Span, ...]
    spans: tuple[Span, ...]
    heading: str
    text: str
    reason: str
    choice: str
    #: What the trust's office suggests, and who of it.
    prepared: str
    prepared_by: str
    row_version: int
    fault: str = ""


# -- the file ----------------------------------------------------------------------------------------------------


@blueprint.route(BRING, methods=["GET", "POST"])
@allow(Permission.JOINING_PREPARE, at="school")
def bring(trust: str, school: str, policy: str) -> Response:
    """Choose the school's own policy."""
    request.max_content_length = LARGEST + 100_000
    found, school_id, form = here(policy), school_here().id, UploadForm()
    queries.get_standing(found.id, school_id)
    if queries.find_open_joining(found.id, school_id) is not None:
        return see_other(url("joining"), "You have begun already: go on here.")
    if form.is_submitted():
        row = form.bring(
            lambda content, name: importing.read_file(
                actor(), content=content, filename=name, now=now(), school_id=school_id
            )
        )
        if row is not None:
            return see_other(url("brought", reading_id=row.id))
    return page(
        "policies/school/bring.html",
        policy=found,
        form=form,
        may_decide=may(Permission.OVERRIDE_EDIT),
        status=form.status,
    )


@blueprint.get(f"{BRING}/<uuid:reading_id>")
@allow(Permission.JOINING_PREPARE, at="school")
def brought(trust: str, school: str, policy: str, reading_id: UUID) -> Response:
    """What was read, to be corrected before it is compared."""
    here(policy)
    return _brought(queries.get_reading(reading_id, actor().person_id))


def _brought(
    row: ImportReading, errors: list[tuple[str, str]] | None = None, opened: int | None = None
) -> Response:
    return page(
        "policies/school/brought.html",
        fragment="policies/imports/_reading.html",
        policy=queries.get_policy(str((request.view_args or {})["policy"])),
        correct_url=url("correct_brought", reading_id=row.id),
        here=url("brought", reading_id=row.id),
        may_decide=may(Permission.OVERRIDE_EDIT),
        status=422 if errors else 200,
        **shown(row, errors, opened),
    )


@blueprint.post(f"{BRING}/<uuid:reading_id>/correct")
@allow(Permission.JOINING_PREPARE, at="school")
def correct_brought(trust: str, school: str, policy: str, reading_id: UUID) -> Response:
    """One correction."""
    here(policy)
    row = queries.get_reading(reading_id, actor().person_id)
    return correct_reading(row, url("brought", reading_id=row.id), _brought, school_id=school_here().id)


@blueprint.post(f"{BRING}/<uuid:reading_id>/compare")
@allow(Permission.JOINING_PREPARE, at="school")
def compare_brought(trust: str, school: str, policy: str, reading_id: UUID) -> Response:
    """Lay it beside the trust's policy."""
    found = here(policy)
    row = queries.get_reading(reading_id, actor().person_id)
    joining.begin(actor(), policy_id=found.id, school_id=school_here().id, reading_id=row.id, now=now())
    return see_other(url("joining"))


# -- the pairs ---------------------------------------------------------------------------------------------------


@blueprint.get(JOINING, endpoint="joining")
@allow(Permission.JOINING_PREPARE, at="school")
def show_joining(trust: str, school: str, policy: str) -> Response:
    """Every clause of the school's beside the trust's: what differs first needs a decision."""
    found = here(policy)
    queries.get_standing(found.id, school_here().id)
    opened = queries.find_open_joining(found.id, school_here().id)
    if opened is None:
        return see_other(_back(), "There is nothing to compare here now.")
    return _joining(found, opened)


def _joining(
    policy: Policy, opened: Joining, *, faults: Mapping[UUID, str] | None = None, error: str = ""
) -> Response:
    version = queries.get_version(opened.version_id)
    tree = reading.tree_of_version(version)
    numbers = labels(tree, reading.numbering_of(policy, version))
    words = joining.as_read_here(tree, numbers, tenants.values_for_place(school_here().id))
    rows = queries.joining_pairs(opened.id)
    names = tenants.names_of({row.prepared_by for row in rows if row.prepared_by})
    pairs = [
        _pair(
            row,
            by_key(tree),
            words,
            numbers,
            opened,
            faults or {},
            names.get(row.prepared_by or opened.id, ""),
        )
        for row in rows
    ]
    decides = may(Permission.OVERRIDE_EDIT)
    headings = [one for one in pairs if one.kin == Kin.ONLY_THEIRS and not one.spans]
    asked = [one for one in pairs if one.kin in (Kin.SIMILAR, Kin.ONLY_THEIRS) and one not in headings]
    return page(
        "policies/school/joining.html",
        policy=policy,
        opened=opened,
        version=version,
        asked=asked,
        headings=headings,
        same=[one for one in pairs if one.kin == Kin.SAME],
        missing=[one for one in pairs if one.kin == Kin.MISSING],
        left=sum(1 for one in asked if one.may and not (one.choice or (one.prepared and not decides))),
        suggested=sum(1 for one in asked if one.may and one.prepared and not one.choice),
        decides=decides,
        accepted=sum(1 for one in asked if one.choice == joining.ACCEPT),
        error=error,
        status=422 if faults or error else 200,
    )


def _pair(
    row: JoiningPair,
    clauses: Mapping[str, Clause],
    words: Mapping[str, Words],
    numbers: Mapping[str, str],
    opened: Joining,
    faults: Mapping[UUID, str],
    prepared_by: str,
) -> PairShown:
    clause = clauses.get(row.clause_key or "")
    trust = words[clause.key] if clause is not None else Words()
    may = row.proposal != Proposal.NOTHING.value
    heading, text = row.own_heading, row.own_text
    if row.kin == Kin.MISSING.value:
        heading, text = trust.heading, trust.text
    compared = row.kin == Kin.SIMILAR.value
    typed = row.id in faults
    return PairShown(
        id=row.id,
        kin=row.kin,
        number=numbers.get(row.clause_key or "", "") or row.label,
        title=trust.heading or row.own_heading or presenting.first_words(trust.text or row.own_text),
        score=row.score,
        proposal=row.proposal,
        anchor=_named(row.anchor_key, words, numbers),
        may=may,
        why_not="" if may else _why_not(row, clause),
        heading_spans=redline(trust.heading, heading) if compared and heading else redline(heading, heading),
        spans=redline(trust.text, text) if compared else redline(text, text),
        heading=request.form.get("heading", "") if typed else row.heading,
        text=request.form.get("text", "") if typed else row.text,
        reason=request.form.get("reason", "")
        if typed
        else row.reason or f"As in our own policy ({opened.filename}).",
        choice=row.choice or "",
        prepared=row.prepared or "",
        prepared_by=prepared_by,
        row_version=row.row_version,
        fault=faults.get(row.id, ""),
    )


def _named(key: str, words: Mapping[str, Words], numbers: Mapping[str, str]) -> str:
    said = words.get(key, Words())
    return f"{numbers.get(key, '')} {said.heading or presenting.first_words(said.text)}".strip().rstrip(".")


def _why_not(row: JoiningPair, clause: Clause | None) -> str:
    if row.kin in (Kin.SAME.value, Kin.MISSING.value):
        return ""
    if clause is not None and clause.mode is Mode.LOCKED:
        return "The trust has locked this clause, and lets no school add after it: its words apply at your school."
    return "The trust lets no school add a clause in this part of the policy, so your words cannot be taken over here."


@blueprint.post(f"{JOINING}/<uuid:pair_id>")
@allow(Permission.JOINING_PREPARE, at="school")
def decide_pair(trust: str, school: str, policy: str, pair_id: UUID) -> Response:
    """Accept one proposal, or drop it."""
    found, school_id = here(policy), school_here().id
    opened = queries.find_open_joining(found.id, school_id)
    if opened is None:
        return see_other(_back(), "This comparison was finished meanwhile.")
    row = queries.get_joining_pair(opened.id, pair_id)
    try:
        joining.decide(
            actor(),
            policy_id=found.id,
            school_id=school_id,
            pair_id=row.id,
            accept=request.form.get("choice") == joining.ACCEPT,
            heading=request.form.get("heading", ""),
            text=request.form.get("text", "").replace("\r\n", "\n"),
            reason=request.form.get("reason", ""),
            row_version=request.form.get("row_version", 0, type=int),
            now=now(),
        )
    except (RuleBroken, Conflict) as refused:
        return _joining(found, opened, faults={row.id: refused.message})
    return see_other(url("joining", _anchor=_next(queries.joining_pairs(opened.id), row.position)))


def _next(rows: Sequence[JoiningPair], position: int) -> str:
    """The next pair that waits, so that one need not look for it."""
    decides = may(Permission.OVERRIDE_EDIT)
    waiting = [
        row
        for row in rows
        if row.proposal != Proposal.NOTHING.value and not (row.choice or (row.prepared and not decides))
    ]
    following = [row for row in waiting if row.position > position] or waiting
    return f"pair-{following[0].id}" if following else "finish"


@blueprint.post(f"{JOINING}/finish")
@allow(Permission.OVERRIDE_EDIT, at="school")
def finish_joining(trust: str, school: str, policy: str) -> Response:
    """Take over what was accepted: it waits among the school's changes, to be sent for approval."""
    found, school_id = here(policy), school_here().id
    opened = queries.find_open_joining(found.id, school_id)
    if opened is None:
        return see_other(_back(), "This comparison was finished meanwhile.")
    try:
        count = joining.finish(
            actor(),
            policy_id=found.id,
            school_id=school_id,
            drop_rest=request.form.get("drop_rest") == "yes",
            now=now(),
        )
    except RuleBroken as refused:
        return _joining(found, opened, error=refused.message)
    taken = "One clause was" if count == 1 else f"{count} clauses were"
    return see_other(
        url("clauses"),
        f"{taken} taken over from your own policy. Read it through, then send it for approval: until then nothing "
        "changes.",
    )


@blueprint.post(f"{JOINING}/give-up")
@allow(Permission.JOINING_PREPARE, at="school")
def give_up_joining(trust: str, school: str, policy: str) -> Response:
    """End it without taking anything over."""
    found = here(policy)
    joining.give_up(actor(), policy_id=found.id, school_id=school_here().id, now=now())
    return see_other(
        _back(), "The comparison was given up. Nothing of the school’s own policy was taken over."
    )


@blueprint.post(f"{JOINING}/take-prepared")
@allow(Permission.OVERRIDE_EDIT, at="school")
def take_prepared(trust: str, school: str, policy: str) -> Response:
    """Decide what is still open as the trust's office suggests."""
    found, school_id = here(policy), school_here().id
    opened = queries.find_open_joining(found.id, school_id)
    if opened is None:
        return see_other(_back(), "This comparison was finished meanwhile.")
    try:
        count = joining.take_prepared(actor(), policy_id=found.id, school_id=school_id, now=now())
    except RuleBroken as refused:
        return _joining(found, opened, error=refused.message)
    return see_other(
        url("joining", _anchor="finish"),
        f"{plural(count, 'clause is', 'clauses are')} decided as suggested. You can change them until you finish.",
    )


@blueprint.post(f"{JOINING}/hand-over")
@allow(Permission.JOINING_PREPARE, at="school")
def hand_over_joining(trust: str, school: str, policy: str) -> Response:
    """Tell the head that the comparison is prepared."""
    found = here(policy)
    joining.hand_over(actor(), policy_id=found.id, school_id=school_here().id, now=now())
    return see_other(url("joining"), f"The head of {school_here().name} is told, and decides.")


def _back() -> str:
    """Where whoever is here came from: only heads have a page of the school's clauses."""
    return url("clauses" if may(Permission.OVERRIDE_EDIT) else "edition")
