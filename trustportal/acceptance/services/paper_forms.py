"""Forms on paper, to be signed with a pen and then recorded: for one person, or blank for everybody of a place.

A form carries the words and the fingerprints that the record of the paper will have, so that the two can be laid side
by side years later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from trustportal.acceptance.domain.campaign import reaches
from trustportal.acceptance.domain.statement import statement_version, worded
from trustportal.acceptance.pdf import AnswerPrint, FormPrint
from trustportal.acceptance.queries import facts, outside, overview, people, questions
from trustportal.acceptance.queries.facts import Place
from trustportal.acceptance.queries.signing import EditionRow, document_row
from trustportal.access import Actor, Permission
from trustportal.errors import NotFound, RuleBroken
from trustportal.policies import queries as policies
from trustportal.policies.domain.lifecycle import edition_label
from trustportal.tenants import queries as tenants


def for_person(actor: Actor, *, person_id: UUID, school_id: Place, today: date) -> list[FormPrint]:
    """A form for each thing that somebody is asked to sign at a place, with their name and the answers they wait for.

    Raises `NotFound` for somebody who neither serves nor is asked there, `RuleBroken` where nothing can be signed now.
    """
    actor.require(Permission.ACCEPTANCE_OVERSEE, school_id)
    shown = people.get_shown(person_id, [school_id], today)
    roles = ", ".join(label for _, _, labels in shown.posts for label in labels)
    answers: dict[UUID, list[AnswerPrint]] = {}
    for one in questions.list_asked_by(person_id):
        if one.question.answered_at is not None:
            answers.setdefault(one.question.assignment_id, []).append(
                AnswerPrint(one.question.words, one.question.answer, one.answerer)
            )
    forms = []
    for asked in shown.asked:
        ready = _ready(asked.policy_id, asked.outside_id, school_id, today)
        if ready is not None:
            forms.append(
                _form(
                    ready,
                    title=asked.policy_title,
                    statement=asked.statement,
                    place=tenants.place_name(school_id),
                    name=shown.name,
                    roles=roles,
                    due_on=asked.due_on,
                    request=str(asked.id),
                    answers=tuple(answers.get(asked.id, ())),
                )
            )
    if not forms:
        raise RuleBroken("There is nothing that could be signed on paper here now.")
    return forms


def blank(actor: Actor, *, campaign_id: UUID, school_id: Place, today: date) -> list[FormPrint]:
    """A form without a name for everything that a campaign asks at a place: to be copied for whoever needs one."""
    actor.require(Permission.ACCEPTANCE_OVERSEE, school_id)
    campaign = facts.get_campaign(campaign_id)
    if not reaches(campaign.places, school_id):
        raise NotFound()
    place, forms = tenants.place_name(school_id), []
    policy_ids, document_ids = facts.policy_ids_of(campaign_id), facts.document_ids_of(campaign_id)
    for text_id, title in overview.texts().items():
        if text_id in policy_ids:
            ready = _ready(text_id, None, school_id, today)
        elif text_id in document_ids:
            ready = _ready(None, text_id, school_id, today)
        else:
            continue
        if ready is not None:
            forms.append(
                _form(
                    ready,
                    title=title,
                    statement=campaign.statement,
                    place=place,
                    due_on=campaign.due_on,
                )
            )
    if not forms:
        raise RuleBroken("There is nothing that could be signed on paper here now.")
    return forms


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is signed today. `statement`: of an outside document, which brings its own; else ""."""

    edition: EditionRow
    statement: str = ""
    link: str = ""


def _ready(policy_id: UUID | None, outside_id: UUID | None, school_id: Place, on: date) -> _Ready | None:
    """The edition in force, if its PDF is made, or the outside document's current edition."""
    if outside_id is not None:
        document = outside.find_current(outside_id, on)
        return _Ready(document_row(document), document.statement, document.link) if document else None
    assert policy_id is not None
    found = policies.find_edition_in_force(policy_id, school_id, on, whole=False)
    if found is None or found.pdf_hash is None:
        return None
    label = edition_label(found.major, found.minor)
    return _Ready(EditionRow(found.id, label, found.content_hash, found.pdf_hash))


def _form(
    ready: _Ready,
    *,
    title: str,
    statement: str,
    place: str,
    due_on: date,
    name: str = "",
    roles: str = "",
    request: str = "",
    answers: tuple[AnswerPrint, ...] = (),
) -> FormPrint:
    edition = ready.edition
    words = worded(
        ready.statement or statement,
        **{"policy": title, "edition": edition.label, "place": place, **edition.words},
    )
    return FormPrint(
        title=title,
        edition=edition.label,
        is_document=edition.is_outside,
        link=ready.link,
        statement=words,
        statement_version=statement_version(words),
        content_hash=edition.content_hash,
        pdf_hash=edition.pdf_hash or "",
        due_on=due_on,
        name=name,
        roles=roles,
        request=request,
        answers=answers,
    )
