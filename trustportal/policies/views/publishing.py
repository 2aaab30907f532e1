"""Publishing a version: what it will do, when it takes effect, how it got to its places, who still decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import Response, g, url_for

from trustportal.access import Actor, Permission
from trustportal.errors import NotFound
from trustportal.policies import queries, reading, signers
from trustportal.policies.domain.clauses import labels
from trustportal.policies.domain.deadlines import may_force
from trustportal.policies.domain.diff import Span, redline
from trustportal.policies.domain.outlook import Detail, Group, Totals, group_of, totals
from trustportal.policies.domain.plan import Pending
from trustportal.policies.forms.school import NothingForm
from trustportal.policies.forms.trust import DeadlineForm, ForceForm, PublishForm, given
from trustportal.policies.models import (
    OutlookPlace,
    Policy,
    PublicationPlace,
    Reconcile,
    ReconcileClause,
    TemplateVersion,
)
from trustportal.policies.services import foreseeing, publishing, reconciling, writing
from trustportal.policies.views import presenting
from trustportal.policies.views.drafts import blueprint
from trustportal.policies.views.trust import ROOT
from trustportal.tenants import queries as tenants
from trustportal.tenants.tasks import Task
from trustportal.times import now, today
from trustportal.web import actor, allow, page, see_other
from trustportal.web import trust as trust_here
from trustportal.words import in_sentence, plural

PUBLISH = f"{ROOT}/<policy>/publish"
PUBLICATION = f"{ROOT}/<policy>/publication"

#: What each group of places is called: (one, many), the tag of a row, its kind.
_GROUPS: Mapping[Group, tuple[str, str, str, str]] = {
    Group.WAITING: ("still to be worked out", "still to be worked out", "Waiting", ""),
    Group.FOLLOWS: ("follows by itself", "follow by themselves", "Follows", "done"),
    Group.CONFIRMS: ("merged, to confirm", "merged, to confirm", "Merged, to confirm", "adapted"),
    Group.DECIDES: ("has to decide", "have to decide", "Decides", "conflict"),
    Group.MISSING: ("waits for a value", "wait for a value", "Value missing", "late"),
    Group.UNCHANGED: ("has nothing to do", "have nothing to do", "Nothing differs there", "done"),
}
_ORDER = (Group.FOLLOWS, Group.UNCHANGED, Group.CONFIRMS, Group.DECIDES, Group.MISSING)


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """One place, before or after: what becomes of it, which clauses, how many people sign again."""

    name: str
    slug: str
    group: Group
    tag: str
    kind: str
    #: "3.2 Administrators", for what the head decides or confirms.
    clauses: tuple[str, ...]
    told: int
    missing: tuple[str, ...]
    people: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a version: before it is published, or as they came true."""

    totals: Totals
    sums: tuple[tuple[int, str], ...]
    lines: tuple[PlaceLine, ...]
    #: At how many schools each clause is to be decided: ("3.2 Administrators", 4).
    clauses: tuple[tuple[str, int], ...]
    #: How many people sign again at once, and how many at most when the heads have decided; None: nobody counts.
    people: int | None
    people_later: int | None


@dataclass(frozen=True, slots=True)
class _Place:
    school_id: UUID | None
    outcome: str
    detail: Detail
    people: int | None


def figures(policy: Policy, version: TemplateVersion, places: Sequence[_Place]) -> Figures:
    """The places as the page shows them: what needs somebody first, then by name."""
    schools = queries.list_schools({one.school_id for one in places if one.school_id})
    named = _names_of_clauses(policy, version)
    sums = totals((one.outcome, one.detail) for one in places)
    lines = []
    for one in places:
        group = group_of(one.outcome, one.detail)
        keys = (*one.detail.conflicts, *one.detail.asks, *one.detail.merged)
        lines.append(
            PlaceLine(
                schools[one.school_id].name if one.school_id else f"{trust_here().name} (central team)",
                schools[one.school_id].slug if one.school_id else "",
                group,
                _GROUPS[group][2],
                _GROUPS[group][3],
                tuple(named.get(key, "A clause of its own") for key in keys),
                len(one.detail.told),
                one.detail.missing,
                one.people,
            )
        )
    urgent = {group: at for at, group in enumerate((Group.DECIDES, Group.CONFIRMS, Group.MISSING))}
    lines.sort(key=lambda line: (urgent.get(line.group, 9), line.name))
    asks = (Group.DECIDES, Group.CONFIRMS, Group.MISSING)
    counted = [line for line in lines if line.people is not None]
    return Figures(
        sums,
        tuple(
            (sums.groups[group], _GROUPS[group][0 if sums.groups[group] == 1 else 1])
            for group in _ORDER
            if sums.groups.get(group)
        ),
        tuple(lines),
        tuple((named.get(key, "A clause of its own"), count) for key, count in sums.clauses.items()),
        sum(line.people or 0 for line in counted if line.group not in asks) if counted else None,
        sum(line.people or 0 for line in counted if line.group in asks) if counted else None,
    )


def _names_of_clauses(policy: Policy, version: TemplateVersion) -> dict[str, str]:
    """How each clause is named: its number in the new version, and its heading or first words."""
    tree = reading.tree_of_version(version)
    numbers = labels(tree, reading.numbering_of(policy, version))
    before = queries.get_version(version.based_on_id) if version.based_on_id else None
    gone = [one for one in (reading.tree_of_version(before) if before else ()) if one.key not in numbers]
    return {
        one.key: f"{numbers.get(one.key, '')} {one.heading or presenting.first_words(one.text)}".strip()
        for one in (*gone, *tree)
    }


# -- before ------------------------------------------------------------------------------------------------------


@blueprint.route(PUBLISH, methods=["GET", "POST"])
@allow(Permission.TEMPLATE_PUBLISH, Permission.OWN_POLICY_EDIT)
def publish(trust: str, policy: str) -> Response:
    """What it will do at every place, and when it takes effect; then it goes to all of them."""
    found, version = _approved(policy)
    form = PublishForm()
    if form.is_submitted() and form.carry_out(
        lambda: publishing.publish_version(
            actor(),
            version_id=version.id,
            effective_on=given(form.effective_on),
            decide_by=form.decide_by.data,
            now=now(),
            today=today(),
        )
    ):
        return see_other(url_for("drafts.publication", trust=trust, policy=policy))
    outlook = queries.find_outlook(version.id)
    places = [_foreseen(one) for one in queries.outlook_places(outlook.id)] if outlook else []
    return page(
        "policies/trust/publish.html",
        fragment="policies/trust/_outlook.html",
        policy=found,
        version=version,
        form=form,
        places=len(queries.places_of(found, today())),
        outlook=outlook,
        foreseen=figures(found, version, places) if outlook else None,
        changed_since=queries.answers_changed_since(found.id, outlook.started_at) if outlook else 0,
        again=NothingForm(),
        today=today(),
        status=form.status,
    )


def _approved(slug: str) -> tuple[Policy, TemplateVersion]:
    g.policy = queries.get_policy(slug)
    writing.require_writer(actor(), g.policy)
    version = queries.find_open_version(g.policy.id)
    if version is None or version.state != "approved":
        raise NotFound("There is no approved version of this policy to publish.")
    return g.policy, version


def _foreseen(row: OutlookPlace) -> _Place:
    return _Place(row.school_id, row.outcome, Detail.from_json(row.detail), row.people)


@blueprint.post(f"{PUBLISH}/effect")
@allow(Permission.TEMPLATE_PUBLISH, at="trust")
def foresee(trust: str, policy: str) -> Response:
    """Work out the effect anew."""
    _, version = _approved(policy)
    foreseeing.work_out_again(actor(), version_id=version.id, now=now(), today=today())
    return see_other(url_for("drafts.publish", trust=trust, policy=policy))


# -- after -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Owing:
    """A school that has not brought the version to its edition."""

    name: str
    slug: str
    state: str
    left: int
    due_on: date | None
    late: bool


@blueprint.get(PUBLICATION)
@allow(Permission.TEMPLATE_PUBLISH, Permission.OWN_POLICY_EDIT)
def publication(trust: str, policy: str) -> Response:
    """What became of each place; the page asks again until all are done. Then who is still deciding."""
    found, version = _published(policy)
    return _publication(found, version, DeadlineForm())


def _published(slug: str) -> tuple[Policy, TemplateVersion]:
    g.policy = queries.get_policy(slug)
    writing.require_writer(actor(), g.policy)
    version = queries.find_latest_version(g.policy.id)
    if version is None:
        raise NotFound()
    return g.policy, version


def _publication(policy: Policy, version: TemplateVersion, form: DeadlineForm) -> Response:
    rows = queries.publication_places(queries.get_publication(version.id).id)
    asked = signers.asked(version.id)
    came_true = figures(policy, version, [_became(row, asked) for row in rows])
    outlook = queries.find_outlook(version.id)
    before = (
        figures(policy, version, [_foreseen(one) for one in queries.outlook_places(outlook.id)])
        if outlook
        else None
    )
    return page(
        "policies/trust/publication.html",
        fragment="policies/trust/_publication.html",
        policy=policy,
        version=version,
        figures=came_true,
        asked=sum(asked.values()) if asked is not None else None,
        outlook=outlook,
        before=before,
        owing=_owing(version),
        form=form,
        today=today(),
        status=form.status,
    )


def _became(row: PublicationPlace, asked: Mapping[UUID | None, int] | None) -> _Place:
    people = asked.get(row.school_id, 0) if asked is not None else None
    return _Place(row.school_id, row.outcome, Detail.from_json(row.detail), people)


def _owing(version: TemplateVersion) -> list[Owing]:
    """The schools that were asked about a version and have no edition of it, the latest first, then by name."""
    has_it = queries.editions_of_version(version.id)
    asked = {
        school_id: one
        for school_id, one in queries.reconciles_to(version.id).items()
        if school_id not in has_it and one.state in {"open", "decided"}
    }
    left = queries.count_undecided([one.id for one in asked.values()])
    schools = queries.list_schools(asked)
    found = [
        Owing(
            schools[school_id].name,
            schools[school_id].slug,
            _owes(one, left.get(one.id, 0)),
            left.get(one.id, 0),
            one.due_on,
            may_force(one.due_on, today()),
        )
        for school_id, one in asked.items()
    ]
    return sorted(found, key=lambda one: (not one.late, one.name))


def _owes(reconcile: Reconcile, left: int) -> str:
    if reconcile.state == "decided":
        return "Decided; not yet approved at the school"
    return "All clauses decided; not yet sent" if left == 0 else ""


@blueprint.post(f"{PUBLICATION}/deadline")
@allow(Permission.TEMPLATE_PUBLISH, at="trust")
def deadline(trust: str, policy: str) -> Response:
    """Set or move the day by which schools decide that still do."""
    found, version = _published(policy)
    form = DeadlineForm()
    told = form.carry_out(
        lambda: reconciling.set_deadline(
            actor(), version_id=version.id, due_on=given(form.due_on), today=today()
        )
    )
    if told is False:
        return _publication(found, version, form)
    return see_other(
        url_for("drafts.publication", trust=trust, policy=policy),
        "The day is set, and the heads are told.",
    )


@blueprint.route(f"{PUBLICATION}/force/<place>", methods=["GET", "POST"])
@allow(Permission.TEMPLATE_PUBLISH, at="trust")
def force(trust: str, policy: str, place: str) -> Response:
    """After the deadline: take the trust's text at one school, with the reason that it is told."""
    found, version = _published(policy)
    school = tenants.get_school_by_slug(place)
    asked = queries.find_reconcile_to(version.id, school.id)
    if asked is None:
        raise NotFound()
    form = ForceForm()
    if form.is_submitted() and form.carry_out(
        lambda: reconciling.force(
            actor(),
            policy_id=found.id,
            school_id=school.id,
            reason=form.reason.data or "",
            now=now(),
            today=today(),
        )
    ):
        return see_other(
            url_for("drafts.publication", trust=trust, policy=policy),
            f"The trust's text is taken at {school.name}. The head and the chair of governors are told.",
        )
    named = _names_of_clauses(found, version)
    rows = queries.reconcile_clauses(asked.id)
    return page(
        "policies/trust/force.html",
        policy=found,
        version=version,
        place=school,
        asked=asked,
        open=may_force(asked.due_on, today()),
        clauses=[_replaced(named.get(row.clause_key, "A clause of its own"), row) for row in rows],
        form=form,
        status=form.status,
    )


@dataclass(frozen=True, slots=True)
class Replaced:
    """A clause whose words the trust's text replaces at a school: what goes, and what comes in its stead."""

    name: str
    decided: bool
    goes: bool
    spans: tuple[Span, ...]


def _replaced(name: str, row: ReconcileClause) -> Replaced:
    pending = Pending.from_json(row.texts)
    theirs = pending.theirs.text if pending.theirs is not None else ""
    return Replaced(name, bool(row.choice), pending.theirs is None, redline(pending.ours.text, theirs))


# -- my tasks ----------------------------------------------------------------------------------------------------


def tasks(who: Actor, on: date) -> Iterable[Task]:
    """For whoever publishes: schools that let the deadline pass."""
    if not who.can(Permission.TEMPLATE_PUBLISH):
        return
    late = Counter(one.policy_id for one in queries.all_open_reconciles() if may_force(one.due_on, on))
    policies = {one.id: one for one in queries.list_policies()} if late else {}
    for policy_id, count in late.items():
        policy = policies[policy_id]
        yield Task(
            title=f"See who has not decided about the {in_sentence(policy.title)}",
            url=url_for("drafts.publication", trust=trust_here().slug, policy=policy.slug),
            detail=f"The deadline has passed at {plural(count, 'school')}. You can give more time, or take the"
            " trust’s text there.",
            action_label="See them",
            urgency=1,
        )
