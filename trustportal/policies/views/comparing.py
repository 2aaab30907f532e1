"""Comparing any two texts of a policy, on the trust's pages: versions, editions of a place, editions of two places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, abort, request, url_for

from trustportal.access import Permission
from trustportal.policies import comparing, place_queries, queries
from trustportal.policies.comparing import Side, side_of_edition, side_of_version
from trustportal.policies.domain.diff import only_changes
from trustportal.policies.domain.lifecycle import edition_label
from trustportal.policies.models import Policy
from trustportal.policies.services import redlines
from trustportal.policies.views import presenting
from trustportal.policies.views.trust import ROOT, blueprint, here, pdf_response
from trustportal.times import now, today
from trustportal.web import allow, page, see_other
from trustportal.web import trust as trust_here

COMPARE = f"{ROOT}/<policy>/compare"
#: The place that is the trust's text, and the one that is the trust's own edition, for its central team.
TEXT, CENTRAL = "", "-"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose texts can be compared: `value` as addresses name it."""

    value: str
    name: str
    school_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The two texts, and what can be chosen instead: (value, words)."""

    places: list[tuple[str, str]]
    from_place: str
    to_place: str
    from_labels: list[tuple[str, str]]
    to_labels: list[tuple[str, str]]
    old: Side | None
    new: Side | None

    def arguments(self) -> dict[str, str]:
        """What names these two in an address."""
        if self.old is None or self.new is None:
            return {}
        return {
            "from_place": self.from_place,
            "from": self.old.label,
            "to_place": self.to_place,
            "to": self.new.label,
        }


def _places(policy: Policy) -> list[Place]:
    """The trust's text, the trust itself where it is a place, and every school that the scope sees."""
    return [
        Place(TEXT, "The trust’s text"),
        *(
            Place(one.slug or CENTRAL, one.name or f"{trust_here().name} (central team)", one.school_id)
            for one in place_queries.list_places(policy.id, today())
        ),
    ]


def choose(policy: Policy) -> Chosen:
    """The two texts that the address asks for; else the newest of each place, and the one before it."""
    places = {one.value: one for one in _places(policy)}

    def place(name: str) -> Place:
        return places.get(request.values.get(name, TEXT)) or abort(404)

    older, newer = place("from_place"), place("to_place")
    old_labels, new_labels = _labels(policy, older), _labels(policy, newer)
    new = _wanted("to", newer, new_labels) or (new_labels[0] if new_labels else "")
    old = _wanted("from", older, old_labels)
    if not old and older == newer:
        old = next(iter(old_labels[old_labels.index(new) + 1 :]), "") if new else ""
    elif not old:
        old = old_labels[0] if old_labels else ""
    return Chosen(
        [(one.value, one.name) for one in places.values()],
        older.value,
        newer.value,
        [(one, _words(older, one)) for one in old_labels],
        [(one, _words(newer, one)) for one in new_labels],
        _side(policy, older, old) if old else None,
        _side(policy, newer, new) if new else None,
    )


def _words(place: Place, label: str) -> str:
    return f"Version {label}" if place.value == TEXT else f"Edition {label}"


def _labels(policy: Policy, place: Place) -> list[str]:
    """The numbers of a place's texts, newest first."""
    if place.value == TEXT:
        return [str(one.number) for one in queries.list_versions(policy.id) if one.state == "published"]
    numbers = sorted(queries.edition_numbers(policy.id, place.school_id), reverse=True)
    return [edition_label(major, minor) for major, minor in numbers]


def _wanted(name: str, place: Place, labels: list[str]) -> str:
    """The number that was asked for. One of another place's kind is as none: the place was just changed."""
    wanted = request.values.get(name, "")
    if wanted in labels:
        return wanted
    kind = r"\d+" if place.value == TEXT else r"\d+\.\d+"
    if re.fullmatch(kind, wanted):
        abort(404)
    return ""


def _side(policy: Policy, place: Place, label: str) -> Side:
    if place.value == TEXT:
        return side_of_version(queries.get_numbered_version(policy.id, int(label)))
    major, _, minor = label.partition(".")
    edition = queries.get_edition_numbered(policy.id, place.school_id, int(major), int(minor or 0))
    return side_of_edition(edition, place.name)


@blueprint.get(COMPARE)
@allow(Permission.TEMPLATE_READ)
def compare(trust: str, policy: str) -> Response:
    """Any two texts as a redline; what moved is shown as moved."""
    found = here(policy)
    chosen = choose(found)
    old, new = chosen.old, chosen.new
    cards: tuple[presenting.Change, ...] = ()
    made = None
    if old and new:
        left, right = old, new
        cards = presenting.kept_changes((old.id, new.id), lambda: cards_of(found, left, right))
        made = queries.find_redline(comparing.key_of(old, new))
    return page(
        "policies/trust/compare.html", policy=found, chosen=chosen, cards=cards, made=made, old=old, new=new
    )


def cards_of(policy: Policy, old: Side, new: Side) -> list[presenting.Change]:
    """What differs between two texts, with the trust's reasons where they are known."""
    marks = comparing.marks_between(old, new)
    return presenting.changes_shown(
        only_changes(comparing.compare_sides(policy, old, new)),
        reasons={key: mark.reason for key, mark in marks.items()},
        weights={key: mark.weight.value for key, mark in marks.items()},
    )


@blueprint.post(f"{COMPARE}.pdf")
@allow(Permission.TEMPLATE_READ)
def want_pdf(trust: str, policy: str) -> Response:
    """Have the redline made as a PDF."""
    found = here(policy)
    chosen = choose(found)
    address = url_for("policies.compare_pdf", trust=trust, policy=policy)
    return _want(found, chosen, address)


def _want(policy: Policy, chosen: Chosen, address: str) -> Response:
    if chosen.old is None or chosen.new is None:
        abort(404)
    redlines.want_redline(policy_id=policy.id, old=chosen.old, new=chosen.new, now=now())
    arguments: dict[str, Any] = chosen.arguments()
    query = "&".join(f"{name}={value}" for name, value in arguments.items())
    return see_other(f"{address}?{query}")


@blueprint.get(f"{COMPARE}.pdf")
@allow(Permission.TEMPLATE_READ)
def compare_pdf(trust: str, policy: str) -> Response:
    """The redline as a PDF; a page that waits while it is being made."""
    found = here(policy)
    chosen = choose(found)
    if chosen.old is None or chosen.new is None:
        abort(404)
    again = url_for("policies.want_pdf", trust=trust, policy=policy)
    return redline_answer(found, chosen.old, chosen.new, again, chosen.arguments())


def redline_answer(
    policy: Policy, old: Side, new: Side, make_url: str, arguments: dict[str, str]
) -> Response:
    """A stored redline; a page that asks again by itself while it is made, or that offers to make it."""
    redline = queries.find_redline(comparing.key_of(old, new))
    if redline is not None and redline.blob_hash is not None:
        return pdf_response(redline.blob_hash, f"{policy.slug}-{old.label}-{new.label}.pdf")
    answer = page(
        "policies/redline_is_made.html",
        policy=policy,
        old=old,
        new=new,
        asked=redline is not None,
        make_url=make_url,
        arguments=arguments,
        status=202 if redline else 200,
    )
    if redline is not None:
        answer.headers["Refresh"] = "3"
    return answer
