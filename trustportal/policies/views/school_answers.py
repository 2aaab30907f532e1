"""«Change our clauses»: what a head answers to each of the trust's clauses, and the clauses that the school adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, request

from trustportal.access import Permission
from trustportal.errors import NotFound
from trustportal.policies import place_queries, queries, reading
from trustportal.policies.domain.answers import Answer, Override, effective_override, root_anchor
from trustportal.policies.domain.clauses import Clause, Mode, Tree, Weight, by_key, labels
from trustportal.policies.domain.resolve import EditionClause, Resolved
from trustportal.policies.forms.school import LONGEST_TEXT, AddedForm, AnswerForm, NothingForm, WordsForm
from trustportal.policies.models import AddedClause, Edition, Policy, TemplateVersion
from trustportal.policies.models import Override as OverrideRow
from trustportal.policies.services import local
from trustportal.policies.views import presenting
from trustportal.policies.views.school_blueprint import ROOT, blueprint, here, url
from trustportal.tenants import queries as tenants
from trustportal.times import now
from trustportal.web import actor, allow, page, see_other
from trustportal.web import school as school_here

CLAUSES = f"{ROOT}/<policy>/clauses"


@dataclass(frozen=True, slots=True)
class Desk:
    """What a head works on: the version that answers are made against, the answers, and what they would print."""

    policy: Policy
    version: TemplateVersion
    tree: Tree
    overrides: dict[str, OverrideRow]
    added: dict[str, AddedClause]
    resolved: Resolved
    values: dict[str, str]
    #: Why nothing can be changed now ("submitted", "reconcile"), or "".
    closed_by: str
    latest: Edition | None

    @property
    def printed(self) -> dict[str, EditionClause]:
        """What each clause would print, by key."""
        return {clause.key: clause for clause in self.resolved.clauses}


def desk(policy: Policy) -> Desk:
    """The working answers of the school of the address about a policy. `NotFound` where the policy does not apply."""
    school_id = school_here().id
    standing = queries.get_standing(policy.id, school_id)
    version = queries.get_version(standing.version_id)
    overrides, added = queries.list_overrides(policy.id, school_id), queries.list_added(policy.id, school_id)
    answers = reading.answers_of(overrides, added)
    shown = reading.preview(policy, version, school_id, answers)
    closed_by = ""
    if queries.find_open_reconcile(policy.id, school_id) is not None:
        closed_by = "reconcile"
    elif queries.find_submitted_edition(policy.id, school_id) is not None:
        closed_by = "submitted"
    return Desk(
        policy=policy,
        version=version,
        tree=reading.tree_of_version(version),
        overrides={row.clause_key: row for row in overrides},
        added={row.key: row for row in added},
        resolved=shown.resolved,
        values=dict(shown.values),
        closed_by=closed_by,
        latest=queries.find_latest_edition(policy.id, school_id),
    )


@dataclass(frozen=True, slots=True)
class DeskRow:
    """One clause on the desk, and what may be done with it."""

    row: presenting.ClauseRow
    may_change: bool
    may_add: bool
    own: bool
    needs_agreement: bool


def desk_rows(on: Desk) -> list[DeskRow]:
    """Every clause as the school's policy would print it, with what its mode allows."""
    clauses = by_key(on.tree)
    _, added = reading.answers_of([], list(on.added.values()))
    answers = reading.answers_of(list(on.overrides.values()), list(on.added.values()))
    rows = presenting.clause_rows(on.resolved.clauses, on.values, answers)
    found = []
    for row in rows:
        own = row.key in on.added
        anchor = clauses.get(root_anchor(added, row.key))
        found.append(
            DeskRow(
                row=row,
                may_change=own or (row.key in clauses and clauses[row.key].mode is Mode.ADAPTABLE),
                may_add=anchor is not None and anchor.mode is not Mode.LOCKED and row.kind != "subheading",
                own=own,
                needs_agreement=row.key in clauses and clauses[row.key].needs_agreement,
            )
        )
    return found


def changes_on(on: Desk) -> list[presenting.Change]:
    """What the working answers would change in the newest approved edition."""
    before = reading.clauses_of(on.latest) if on.latest else ()
    if on.latest is None:
        return []
    reasons = {key: row.reason for key, row in on.overrides.items()}
    reasons |= {key: row.reason for key, row in on.added.items()}
    weights = {key: row.weight for key, row in on.overrides.items()}
    weights |= {key: row.weight for key, row in on.added.items()}
    return presenting.changes_shown(
        reading.compare_clauses(before, on.resolved.clauses), reasons=reasons, weights=weights
    )


@blueprint.get(CLAUSES)
@allow(Permission.OVERRIDE_EDIT, at="school")
def clauses(trust: str, school: str, policy: str) -> Response:
    """Every clause with its mode and what the school answers to it."""
    on, only = desk(here(policy)), request.args.get("show") == "open"
    rows = [
        one
        for one in desk_rows(on)
        if not only or one.may_change or one.may_add or one.row.is_heading or one.row.tag
    ]
    return page(
        "policies/school/clauses.html",
        on=on,
        rows=rows,
        only=only,
        contents=presenting.contents_of([one.row for one in rows]),
        changes=changes_on(on),
        comments=place_queries.last_comments(on.policy.id, school_here().id),
        missing=missing_names(on),
        latest_label=reading.edition_label(on.latest) if on.latest else "",
        form=NothingForm(),
    )


def missing_names(on: Desk) -> list[str]:
    """The placeholders without a value, each once."""
    return list(dict.fromkeys(one.name for one in on.resolved.missing))


@blueprint.post(f"{ROOT}/<policy>/preview")
@allow(Permission.OVERRIDE_EDIT, at="school")
def preview(trust: str, school: str, policy: str) -> Response:
    """How a text reads at this school, while it is being written."""
    found, school_id = here(policy), school_here().id
    version = queries.get_version(queries.get_standing(found.id, school_id).version_id)
    full = labels(reading.tree_of_version(version), reading.numbering_of(found, version))
    text = (request.form.get("text") or "")[:LONGEST_TEXT].replace("\r\n", "\n")
    shown = presenting.in_words(text, tenants.values_for_place(school_id), full)
    return page("policies/school/_preview.html", html=presenting.body(shown))


# -- one of the trust's clauses ----------------------------------------------------------------------------------


@blueprint.route(f"{CLAUSES}/<key>", methods=["GET", "POST"])
@allow(Permission.OVERRIDE_EDIT, at="school")
def clause(trust: str, school: str, policy: str, key: str) -> Response:
    """Answer one of the trust's clauses: use it, replace it, or leave it out."""
    on = desk(here(policy))
    about = by_key(on.tree).get(key)
    if about is None:
        return _added_clause(on, key)
    form = _answer_form(on, about)
    if form.is_submitted() and form.carry_out(lambda: _answer(on, about, form)):
        return _kept(key, "Your answer is kept.")
    return _clause_page(on, key, form, about=about)


def _kept(key: str, message: str) -> Response:
    return see_other(
        url("clauses", _anchor=f"clause-{key}"),
        f"{message} Send it for approval when all is ready.",
    )


def _answer_form(on: Desk, about: Clause) -> AnswerForm:
    row = on.overrides.get(about.key)
    form = AnswerForm(
        # Whoever opens a clause came to change it: what they type must not be lost for a button left alone.
        answer=row.answer if row else Answer.REPLACE.value,
        heading=about.heading if row is None or row.heading is None else row.heading,
        text=about.text if row is None or row.text is None else row.text,
        reason=row.reason if row else "",
        weight=row.weight if row else Weight.MATERIAL.value,
        row_version=row.row_version if row else 0,
    )
    if why_not_out(on.tree, about):
        form.forbid_leaving_out()
    return form


def why_not_out(tree: Tree, about: Clause) -> str:
    """Why a clause cannot be left out; "" where it can."""
    asked = Override(about.key, Answer.LEAVE_OUT, None, None, "asked", about.heading, about.text)
    return effective_override(tree, about, asked) or ""


def _answer(on: Desk, about: Clause, form: AnswerForm) -> None:
    local.answer_clause(
        actor(),
        policy_id=on.policy.id,
        school_id=school_here().id,
        key=about.key,
        answer=form.says,
        heading=_or_trusts(form.heading.data, about.heading),
        text=_or_trusts(form.text.data, about.text),
        reason=form.reason.data or "",
        weight=form.weighs,
        row_version=form.seen,
        now=now(),
    )


def _or_trusts(written: str | None, trusts: str) -> str | None:
    """What was written, or None ("as the trust's") where it is the trust's word for word."""
    tidy = (written or "").replace("\r\n", "\n").strip()
    return None if tidy == trusts.strip() else tidy


def _clause_page(on: Desk, key: str, form: WordsForm, **context: Any) -> Response:
    if form.conflict:
        on = desk(on.policy)
        row = on.overrides.get(key) or on.added.get(key)
        form.after_clash(row.row_version if row else 0)
    about: Clause | None = context.get("about")
    full = {one.key: one.label for one in on.resolved.clauses}
    return page(
        "policies/school/clause.html",
        fragment="policies/school/_clause_form.html",
        on=on,
        key=key,
        form=form,
        printed=on.printed.get(key),
        trusts=presenting.body(presenting.in_words(about.text, on.values, full)) if about else None,
        why_not_out=why_not_out(on.tree, about) if about else "",
        status=form.status,
        **({"about": None, "after": None} | context),
    )


# -- the school's own clauses ------------------------------------------------------------------------------------


@blueprint.route(f"{CLAUSES}/<key>/add", methods=["GET", "POST"])
@allow(Permission.OVERRIDE_EDIT, at="school")
def add(trust: str, school: str, policy: str, key: str) -> Response:
    """Add a clause of the school's own after another."""
    on = desk(here(policy))
    if key not in on.printed:
        raise NotFound()
    form = AddedForm()
    if form.is_submitted() and (
        made := form.carry_out(lambda: local.add_clause(actor(), after=key, now=now(), **_words(on, form)))
    ):
        return _kept(str(made), "Your clause is added.")
    return _clause_page(on, "", form, after=on.printed[key])


def _added_clause(on: Desk, key: str) -> Response:
    row = on.added.get(key)
    if row is None:
        raise NotFound()
    form = AddedForm(
        heading=row.heading, text=row.text, reason=row.reason, weight=row.weight, row_version=row.row_version
    )
    if form.is_submitted() and form.carry_out(
        lambda: local.change_added(actor(), key=key, row_version=form.seen, now=now(), **_words(on, form))
    ):
        return _kept(key, "Your clause is changed.")
    return _clause_page(on, key, form)


def _words(on: Desk, form: AddedForm) -> dict[str, Any]:
    return {
        "policy_id": on.policy.id,
        "school_id": school_here().id,
        "heading": form.heading.data or "",
        "text": form.text.data or "",
        "reason": form.reason.data or "",
        "weight": form.weighs,
    }


@blueprint.post(f"{CLAUSES}/<key>/remove")
@allow(Permission.OVERRIDE_EDIT, at="school")
def remove(trust: str, school: str, policy: str, key: str) -> Response:
    """Take back a clause that the school added."""
    found = here(policy)
    local.remove_added(actor(), policy_id=found.id, school_id=school_here().id, key=key, now=now())
    return see_other(url("clauses"), "Your clause is taken out. Editions that had it keep it.")


@blueprint.post(f"{ROOT}/<policy>/discard")
@allow(Permission.OVERRIDE_EDIT, at="school")
def discard(trust: str, school: str, policy: str) -> Response:
    """Go back to what the newest approved edition says."""
    found = here(policy)
    local.discard_changes(actor(), policy_id=found.id, school_id=school_here().id, now=now())
    return see_other(url("edition"), "Your changes are discarded. The approved edition is as it was.")
