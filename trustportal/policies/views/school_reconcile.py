"""Deciding, clause by clause, where the trust changed what the school had changed too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import Response

from trustportal.access import Permission
from trustportal.policies import place_queries, queries, reading
from trustportal.policies.domain.answers import Answer
from trustportal.policies.domain.clauses import Words, labels
from trustportal.policies.domain.diff import Span, read_redline, redline
from trustportal.policies.domain.plan import Choice, Pending, Situation
from trustportal.policies.domain.reconcile import Decision, decided_words
from trustportal.policies.forms.school import DecisionForm, NothingForm
from trustportal.policies.models import Policy, Reconcile, ReconcileClause, TemplateVersion
from trustportal.policies.services import reconciling
from trustportal.policies.services.publishing import decision_of
from trustportal.policies.views import presenting
from trustportal.policies.views.school_blueprint import ROOT, blueprint, here, url
from trustportal.tenants import queries as tenants
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other
from trustportal.web import school as school_here

RECONCILE = f"{ROOT}/<policy>/reconcile"

_WHAT = {
    Situation.CONFLICT: ("Both changed", "The trust changed the same words that you had changed."),
    Situation.MERGED: ("Merged", "Both changes fit together. Read the merged text, and confirm it."),
    Situation.DELETED: ("Removed by the trust", "The trust has removed this clause, which you had adapted."),
    Situation.LEFT_OUT_CHANGED: (
        "Changed by the trust",
        "You leave this clause out. The trust has changed it.",
    ),
    Situation.ANCHOR_DELETED: (
        "Its place is gone",
        "You added this clause after one that the trust has removed. It can stay, in the nearest place.",
    ),
}
_SAYS = {
    Choice.CONFIRM: "Use the merged text",
    Choice.KEEP_BOTH: "Keep both",
    Choice.TAKE_THEIRS: "Take the trust’s",
    Choice.KEEP_OURS: "Keep ours",
    Choice.WRITE: "Write it",
    Choice.KEEP_AS_ADDED: "Keep it as our own clause",
    Choice.DROP: "Let it go",
}
_DECIDED = {
    Choice.CONFIRM: "You use the merged text.",
    Choice.KEEP_BOTH: "You take the trust’s text, and keep yours as a clause after it.",
    Choice.TAKE_THEIRS: "You take the trust’s text.",
    Choice.KEEP_OURS: "You keep your text.",
    Choice.WRITE: "You wrote the text.",
    Choice.KEEP_AS_ADDED: "You keep it as a clause of your own.",
    Choice.DROP: "You let it go.",
}
#: The one that loses nobody's words comes first.
_ORDER = (
    Choice.CONFIRM,
    Choice.KEEP_BOTH,
    Choice.KEEP_AS_ADDED,
    Choice.TAKE_THEIRS,
    Choice.KEEP_OURS,
    Choice.DROP,
    Choice.WRITE,
)


@dataclass(frozen=True, slots=True)
class Option:
    """A button: what it sends and what it says."""

    value: str
    words: str
    main: bool


@dataclass(frozen=True, slots=True)
class TextShown:
    """One of the texts, with what it changes in the trust's old one."""

    title: str
    heading: tuple[Span, ...]
    spans: tuple[Span, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One clause to decide, as the page asks it."""

    key: str
    number: str
    title: str
    tag: str
    explained: str
    why: str
    our_reason: str
    texts: tuple[TextShown, ...]
    options: tuple[Option, ...]
    may_write: bool
    #: What the writing box begins with.
    heading: str
    text: str
    row_version: int
    decided: str
    decided_words: tuple[Words, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the numbers of the new version, and what the placeholders say at this school."""

    numbers: Mapping[str, str]
    values: Mapping[str, str]

    def words(self, words: Words) -> Words:
        """Words as they read here: slots filled, references as numbers."""
        return Words(self.line(words.heading), self.line(words.text))

    def line(self, text: str) -> str:
        """A text as it reads here."""
        return presenting.plain(presenting.in_words(text, self.values, self.numbers))


def question(
    row: ReconcileClause, reader: Reader, version: TemplateVersion, form: DecisionForm | None
) -> Question:
    """A row of the reconcile as the page asks it; `form` is what was typed and not accepted."""
    pending = Pending.from_json(row.texts)
    tag, explained = _WHAT[pending.situation]
    decision = decision_of(row) if row.choice else None
    start = (
        decided_words(pending, decision) if decision and decision.choice is Choice.WRITE else _start(pending)
    )
    mark = version.marks.get(pending.key) or {}
    fault = form.summary[0][1] if form and form.summary else ""
    if form and form.conflict:
        fault = form.conflict.message
    shown, ours = reader.words(pending.theirs or pending.base), reader.words(pending.ours)
    return Question(
        key=pending.key,
        number=reader.numbers.get(pending.key, ""),
        title=shown.heading or ours.heading or presenting.first_words(shown.text or ours.text),
        tag=tag,
        explained=explained,
        why=str(mark.get("reason") or ""),
        our_reason=pending.reason,
        texts=_texts(pending, reader),
        options=_options(pending),
        may_write=Choice.WRITE in pending.choices,
        heading=(form.heading.data or "") if form else start.heading,
        text=(form.text.data or "") if form else start.text,
        row_version=row.row_version,
        decided=_decided(pending, decision) if decision else "",
        decided_words=_decided_words(pending, decision, reader) if decision else (),
        fault=fault,
    )


def _start(pending: Pending) -> Words:
    return pending.merged or pending.ours or pending.theirs or Words()


def _decided(pending: Pending, decision: Decision) -> str:
    if pending.answer is Answer.LEAVE_OUT and decision.choice is Choice.KEEP_OURS:
        return "You still leave it out."
    return _DECIDED[decision.choice]


def _decided_words(pending: Pending, decision: Decision, reader: Reader) -> tuple[Words, ...]:
    """What the clause will say here; of «keep both» both texts."""
    found = [decided_words(pending, decision)]
    if decision.choice is Choice.KEEP_BOTH:
        found.append(pending.ours)
    return tuple(reader.words(words) for words in found if words)


def _texts(pending: Pending, reader: Reader) -> tuple[TextShown, ...]:
    base, ours = reader.words(pending.base), reader.words(pending.ours)
    theirs = reader.words(pending.theirs) if pending.theirs is not None else None
    merged = reader.words(pending.merged) if pending.merged is not None else None
    if pending.situation is Situation.ANCHOR_DELETED:
        return (_shown("Ours", ours, ours),)
    leaves_out = pending.answer is Answer.LEAVE_OUT
    return (
        _shown(f"The trust’s text when we {'left it out' if leaves_out else 'adapted it'}", base, base),
        _shown("The trust’s text now", base, theirs)
        if theirs is not None
        else TextShown("The trust’s text now", (), (), "The trust has removed this clause."),
        TextShown("Ours", (), (), "Left out here.") if leaves_out else _shown("Ours", base, ours),
        *([_shown("Merged", base, merged)] if merged is not None else []),
    )


def _shown(title: str, old: Words, new: Words) -> TextShown:
    return TextShown(title, redline(old.heading, new.heading), read_redline(old.text, new.text))


def _options(pending: Pending) -> tuple[Option, ...]:
    offered = [choice for choice in _ORDER if choice in pending.choices and choice is not Choice.WRITE]
    leaves_out = pending.answer is Answer.LEAVE_OUT
    said = {Choice.KEEP_OURS: "Still leave it out", Choice.TAKE_THEIRS: "Take it in"} if leaves_out else {}
    # Where both changed the same words nobody is pushed: only a merge that loses no word is offered as the main one.
    return tuple(
        Option(choice.value, said.get(choice, _SAYS[choice]), choice is Choice.CONFIRM) for choice in offered
    )


@blueprint.get(RECONCILE)
@allow(Permission.OVERRIDE_EDIT, at="school")
def reconcile(trust: str, school: str, policy: str) -> Response:
    """Only the clauses that need a decision, with their texts side by side."""
    found = here(policy)
    queries.get_standing(found.id, school_here().id)
    opened = queries.find_open_reconcile(found.id, school_here().id)
    if opened is None:
        return see_other(url("edition"), "There is nothing to decide here now.")
    return _page(found, opened, {})


def _page(policy: Policy, opened: Reconcile, forms: Mapping[str, DecisionForm]) -> Response:
    version = queries.get_version(opened.to_version_id)
    numbers = labels(reading.tree_of_version(version), reading.numbering_of(policy, version))
    reader = Reader(numbers, tenants.values_for_place(school_here().id))
    rows: Sequence[ReconcileClause] = queries.reconcile_clauses(opened.id)
    asked = [question(row, reader, version, forms.get(row.clause_key)) for row in rows]
    in_force = place_queries.find_in_force(policy.id, school_here().id, today())
    return page(
        "policies/school/reconcile.html",
        policy=policy,
        version=version,
        opened=opened,
        asked=asked,
        left=sum(not one.decided for one in asked),
        in_force=reading.edition_label(in_force) if in_force else "",
        late=_days_late(opened.due_on),
        form=NothingForm(),
        status=next((form.status for form in forms.values()), 200),
    )


def _days_late(due_on: date | None) -> int:
    return max(0, (today() - due_on).days) if due_on else 0


@blueprint.post(f"{RECONCILE}/clauses/<key>")
@allow(Permission.OVERRIDE_EDIT, at="school")
def decide(trust: str, school: str, policy: str, key: str) -> Response:
    """Keep one decision; it can be changed until all are finished."""
    found, school_id, form = here(policy), school_here().id, DecisionForm()
    opened = reconciling.get_open(found.id, school_id)
    queries.get_reconcile_clause(opened.id, key)
    if form.carry_out(lambda: _keep(found, key, form)):
        rows = queries.reconcile_clauses(opened.id)
        following = next((row.clause_key for row in rows if row.choice is None), None)
        return see_other(url("reconcile", _anchor=f"clause-{following}" if following else "finish"))
    return _page(found, reconciling.get_open(found.id, school_id), {key: form})


def _keep(policy: Policy, key: str, form: DecisionForm) -> None:
    reconciling.decide_clause(
        actor(),
        policy_id=policy.id,
        school_id=school_here().id,
        key=key,
        decision=Decision(
            choice=form.chosen or Choice.WRITE,
            text=(form.text.data or "").replace("\r\n", "\n"),
            heading=form.heading.data or "",
            reason=form.reason.data or "",
        ),
        row_version=form.seen,
        now=now(),
    )


@blueprint.post(f"{RECONCILE}/finish")
@allow(Permission.OVERRIDE_EDIT, at="school")
def finish(trust: str, school: str, policy: str) -> Response:
    """All is decided: the answers stand on the new version, and wait to be submitted."""
    found = here(policy)
    reconciling.finish(actor(), policy_id=found.id, school_id=school_here().id, now=now())
    return see_other(url("submit"), "All is decided. One more step: send it for approval.")
