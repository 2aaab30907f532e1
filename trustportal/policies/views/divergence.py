"""The divergence map: the trust's clauses by school, each cell with its redline, and the same as a workbook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Flask, Response, g, make_response, request, url_for
from markupsafe import Markup, escape

from trustportal.access import Permission
from trustportal.errors import NotFound
from trustportal.policies import queries, reading
from trustportal.policies.domain import changes
from trustportal.policies.domain.answers import answers_from_json
from trustportal.policies.domain.clauses import Mode, Tree, labels
from trustportal.policies.domain.diff import Span, read_redline
from trustportal.policies.domain.divergence import DIFFERS, Cell, Filter, State, at_school, cells_of
from trustportal.policies.domain.tree_view import depth_of
from trustportal.policies.models import Policy, TemplateVersion
from trustportal.policies.queries.divergence import (
    SchoolColumn,
    latest_answers,
    list_columns,
    undecided_clauses,
)
from trustportal.policies.views import presenting, school_reconcile
from trustportal.policies.views.trust import ROOT
from trustportal.tenants import queries as tenants
from trustportal.times import today
from trustportal.web import allow, page, see_other

blueprint = Blueprint("divergence", __name__)
MAP = f"{ROOT}/<policy>/map"

#: What a state is called, and the sign of its cell.
WORDS: Mapping[State, tuple[str, str]] = {
    State.FOLLOWS: ("follows", "·"),
    State.ADAPTED: ("adapted", "A"),
    State.ADDED: ("added to", "+"),
    State.LEFT_OUT: ("left out", "–"),
    State.BEHIND: ("behind", "↓"),
    State.CONFLICT: ("to decide", "!"),
}
STATES = [
    ("", "Everything"),
    (DIFFERS, "Where a school differs"),
    *((state.value, words.capitalize()) for state, (words, _) in WORDS.items()),
]
MODES = [
    ("", "All clauses"),
    (Mode.LOCKED.value, "Locked"),
    (Mode.EXTEND.value, "Extend"),
    (Mode.ADAPTABLE.value, "Adaptable"),
]

#: Which clauses a later version changed, by the two versions, which never change.
_changed: presenting.Kept[frozenset[str]] = presenting.Kept(400)


@dataclass(frozen=True, slots=True)
class Row:
    """A clause of the trust's, or one that it removed and a school still answers."""

    key: str
    label: str
    title: str
    mode: str
    depth: int
    is_section: bool


@dataclass(frozen=True, slots=True)
class Map:
    """The whole map of one policy. `cells`: of each school, in the order of `columns`, what does not simply follow."""

    policy: Policy
    version: TemplateVersion
    rows: tuple[Row, ...]
    columns: tuple[SchoolColumn, ...]
    cells: tuple[Mapping[str, Cell], ...]

    def sums(self) -> list[tuple[int, str]]:
        """How many schools follow fully, decide, or are still on an earlier version."""
        fully = sum(not cells for cells in self.cells)
        decide = sum(any(one.state is State.CONFLICT for one in cells.values()) for cells in self.cells)
        behind: Counter[int] = Counter(
            one.major for one in self.columns if one.major and one.version_id != self.version.id
        )
        none = sum(one.version_id is None for one in self.columns)
        found = [
            (fully, "follows fully" if fully == 1 else "follow fully"),
            (decide, "to decide"),
            *((count, f"still on version {major}") for major, count in sorted(behind.items())),
        ]
        return [*found, (none, "without an edition")] if none else found


def map_of(policy: Policy, chosen: Filter) -> Map:
    """Load the map. Raises `NotFound` for a policy that is not published yet."""
    version = queries.find_latest_version(policy.id)
    if version is None:
        raise NotFound("This policy has not been published yet.")
    tree = reading.tree_of_version(version)
    columns = list_columns(policy.id, today())
    undecided = undecided_clauses(policy.id)
    cells = [
        cells_of(
            at_school(
                tree,
                answers=dict(zip(one.answered, one.answers, strict=True)),
                added=dict(zip(one.added, one.after, strict=True)),
                undecided=undecided.get(one.id, frozenset()),
                behind=_behind(one.version_id, version, tree),
            )
        )
        for one in columns
    ]
    rows = _rows(policy, version, tree, {key for one in cells for key in one})
    if chosen.mode:
        rows = [row for row in rows if row.mode == chosen.mode]
    if chosen.state:
        keys = [row.key for row in rows]
        seen = [any(chosen.shows(one.get(key)) for key in keys) for one in cells]
        columns = [one for one, shown in zip(columns, seen, strict=True) if shown]
        cells = [one for one, shown in zip(cells, seen, strict=True) if shown]
        rows = [row for row in rows if any(chosen.shows(one.get(row.key)) for one in cells)]
    return Map(policy, version, tuple(rows), tuple(columns), tuple(cells))


def _behind(have: UUID | None, version: TemplateVersion, tree: Tree) -> frozenset[str]:
    """The clauses that a school has in the words of an earlier version."""
    if have is None or have == version.id:
        return frozenset()

    def compare() -> frozenset[str]:
        return frozenset(changes.changed_keys(reading.tree_of_version(queries.get_version(have)), tree))

    return _changed.get((version.trust_id, have, version.id), compare)


def _rows(policy: Policy, version: TemplateVersion, tree: Tree, answered: set[str]) -> list[Row]:
    numbers = labels(tree, reading.numbering_of(policy, version))
    depths = depth_of(tree)
    rows = [
        Row(
            one.key,
            numbers[one.key],
            one.heading or presenting.first_words(one.text),
            one.mode.value,
            depths[one.key],
            depths[one.key] == 1,
        )
        for one in tree
    ]
    gone = sorted(answered - numbers.keys())
    return rows + [Row(key, "", f"Removed by the trust: {key}", "", 2, False) for key in gone]


# -- the page ----------------------------------------------------------------------------------------------------


@blueprint.get("/t/<trust>/map")
@allow(Permission.DIVERGENCE_READ, at="trust")
def choose(trust: str) -> Response:
    """The map of the policy that was chosen; of the first one where none was."""
    latest, _ = queries.versions_by_policy()
    published = [one for one in queries.list_policies() if one.id in latest]
    wanted = request.args.get("policy", "")
    found = next((one for one in published if one.slug == wanted), None)
    if wanted and found is None:
        raise NotFound()
    if not published:
        return see_other(url_for("policies.index", trust=trust), "No policy is published yet.")
    chosen: dict[str, Any] = {name: value for name in ("mode", "state") if (value := request.args.get(name))}
    return see_other(url_for("divergence.show", trust=trust, policy=(found or published[0]).slug, **chosen))


@blueprint.get(MAP)
@allow(Permission.DIVERGENCE_READ, at="trust")
def show(trust: str, policy: str) -> Response:
    """Clauses down, schools across."""
    found, chosen = _here(policy), _filter()
    shown = map_of(found, chosen)
    latest, _ = queries.versions_by_policy()
    base = url_for("divergence.show", trust=trust, policy=policy)
    return page(
        "policies/divergence/map.html",
        map=shown,
        policy=found,
        policies=[(one.slug, one.title) for one in queries.list_policies() if one.id in latest],
        chosen=chosen,
        modes=MODES,
        states=STATES,
        words=WORDS,
        base=base,
        body=table_body(shown, base),
        query={name: value for name, value in (("mode", chosen.mode), ("state", chosen.state)) if value},
    )


def _here(slug: str) -> Policy:
    g.policy = queries.get_policy(slug)
    return g.policy


def _filter() -> Filter:
    """What was chosen; anything unknown is as if nothing was."""
    mode, state = request.args.get("mode", ""), request.args.get("state", "")
    return Filter(
        mode if mode in {value for value, _ in MODES} else "",
        state if state in {value for value, _ in STATES} else "",
    )


def table_body(shown: Map, base: str) -> Markup:
    """The rows of the table. An empty cell says "follows" (the style sheet draws the dot): of 24,000 cells most do."""
    blank = ["<td></td>"] * len(shown.columns)
    slugs = [str(escape(quote(one.slug))) for one in shown.columns]
    names = [str(escape(one.short_name)) for one in shown.columns]
    special: dict[str, list[tuple[int, Cell]]] = {}
    for at, cells in enumerate(shown.cells):
        for key, cell in cells.items():
            special.setdefault(key, []).append((at, cell))
    start = str(escape(base))
    lines: list[str] = []
    for row in shown.rows:
        key, label = str(escape(quote(row.key))), str(escape(row.label))
        named = f'<span class="map__number">{label}</span> {escape(row.title)}'
        line = blank.copy()
        for at, cell in special.get(row.key, ()):
            words, sign = WORDS[cell.state]
            if cell.added and cell.state is not State.ADDED:
                words, sign = f"{words}, added to", f"{sign}+"
            line[at] = (
                f'<td><a class="cell cell--{cell.state}" href="{start}/{slugs[at]}/{key}"'
                f' aria-label="{names[at]}, {label}: {words}">{sign}</a></td>'
            )
        css = ' class="map__section"' if row.is_section else ""
        lines.append(f'<tr{css} data-key="{key}"><th scope="row">{named}</th>{"".join(line)}</tr>\n')
    return Markup("".join(lines))  # noqa: S704 (every word in it is escaped above)


@blueprint.get(f"{MAP}.xlsx")
@allow(Permission.DIVERGENCE_READ, at="trust")
def excel(trust: str, policy: str) -> Response:
    """The map as a workbook: the states, and every difference with both texts."""
    from trustportal.policies import exports  # late, as it says there

    shown = map_of(_here(policy), _filter())
    content = exports.map_workbook(
        title=shown.policy.title,
        schools=[one.name for one in shown.columns],
        rows=[
            (
                row.label,
                row.title,
                row.mode,
                [_said(cells.get(row.key)) for cells in shown.cells],
            )
            for row in shown.rows
        ],
        differences=_differences(shown),
    )
    answer = make_response(content)
    answer.headers["Content-Type"] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    answer.headers["Content-Disposition"] = f'attachment; filename="map-{shown.policy.slug}.xlsx"'
    return answer


def _said(cell: Cell | None) -> str:
    if cell is None:
        return WORDS[State.FOLLOWS][0]
    words = WORDS[cell.state][0]
    return f"{words}, added to" if cell.added and cell.state is not State.ADDED else words


def _differences(shown: Map) -> list[tuple[str, ...]]:
    """Every clause that a school changed, left out or added: school, clause, state, the trust's words, ours, why."""
    tree = {one.key: one for one in reading.tree_of_version(shown.version)}
    named = {row.key: f"{row.label} {row.title}".strip() for row in shown.rows}
    lines: list[tuple[str, ...]] = []
    for one in latest_answers(shown.policy.id):
        column = next((column for column in shown.columns if column.id == one.school_id), None)
        if column is None:
            continue
        overrides, added = answers_from_json(one.answers)
        for key, override in overrides.items():
            if key in named:
                out = override.answer.value == "leave_out"
                clause = tree.get(key)
                lines.append(
                    (
                        column.name,
                        named[key],
                        "left out" if out else "adapted",
                        clause.text if clause else override.base_text,
                        "" if out else override.text if override.text is not None else override.base_text,
                        override.reason,
                    )
                )
        for own in added:
            lines.append((column.name, named.get(own.after, ""), "added", "", own.text, own.reason))
    return sorted(lines, key=lambda line: (line[0], line[1]))


# -- one cell ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """One of the texts of a cell."""

    title: str
    spans: tuple[Span, ...]
    reason: str = ""


@blueprint.get(f"{MAP}/<place>/<key>")
@allow(Permission.DIVERGENCE_READ, at="trust")
def cell(trust: str, policy: str, place: str, key: str) -> Response:
    """One clause at one school: its words beside the trust's."""
    found = _here(policy)
    version = queries.find_latest_version(found.id)
    if version is None:
        raise NotFound()
    school = tenants.get_school_by_slug(place)
    standing = queries.find_standing(found.id, school.id)
    if standing is None:
        raise NotFound()
    context = _cell(found, version, school.id, key)
    return page(
        "policies/divergence/cell.html",
        fragment="policies/divergence/_cell.html",
        policy=found,
        version=version,
        place=school,
        key=key,
        **context,
    )


def _cell(policy: Policy, version: TemplateVersion, school_id: UUID, key: str) -> dict[str, Any]:
    tree = reading.tree_of_version(version)
    edition = queries.find_latest_edition(policy.id, school_id)
    reader = school_reconcile.Reader(
        labels(tree, reading.numbering_of(policy, version)), tenants.values_for_place(school_id)
    )
    overrides, own = reading.answers_in(edition)
    clause = next((one for one in tree if one.key == key), None)
    override = overrides.get(key)
    if clause is None and override is None:
        raise NotFound()
    opened = queries.find_open_reconcile(policy.id, school_id)
    waiting = next(
        (
            row
            for row in (queries.reconcile_clauses(opened.id) if opened else ())
            if row.clause_key == key and row.choice is None
        ),
        None,
    )
    undecided = {row.clause_key for row in (queries.reconcile_clauses(opened.id) if opened else ())}
    cells = cells_of(
        at_school(
            tree,
            answers={one.clause_key: one.answer.value for one in overrides.values()},
            added={one.key: one.after for one in own},
            undecided=frozenset({key} & undecided) if waiting else frozenset(),
            behind=_behind(edition.template_version_id if edition else None, version, tree),
        )
    )
    found = cells.get(key, Cell(State.FOLLOWS))
    said = next((one for one in (reading.clauses_of(edition) if edition else ()) if one.key == key), None)
    theirs = reader.line(clause.text) if clause else ""
    ours = said.text if said is not None and found.state is not State.LEFT_OUT else ""
    roots = {one.key: one for one in own if _root(own, one.key) == key}
    return {
        "state": found,
        "words": WORDS[found.state][0],
        "number": reader.numbers.get(key, ""),
        "title": reader.line(clause.heading or presenting.first_words(clause.text)) if clause else key,
        "edition": edition,
        "label": reading.edition_label(edition) if edition else "",
        "question": school_reconcile.question(waiting, reader, version, None) if waiting else None,
        "opened": opened,
        "trusts": theirs,
        "redline": read_redline(theirs, ours) if edition else (),
        "reason": override.reason if override else "",
        "added": [
            Shown(one.heading, read_redline("", reader.line(one.text)), one.reason) for one in roots.values()
        ],
        "gone": clause is None,
    }


def _root(own: Sequence[Any], key: str) -> str:
    after = {one.key: one.after for one in own}
    seen: set[str] = set()
    while key in after and key not in seen:
        seen.add(key)
        key = after[key]
    return key


def install(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(blueprint)
