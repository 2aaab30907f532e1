"""The chapter of cases: opened, readable, each with its own chain. Only in an archive that two people agreed to.

A case in which one of the two may not decide is in no archive: one that is about them, about somebody close to them, or
about somebody who leads them, or from which they stepped back. Their agreement cannot hold for it, and the file goes to
one of them. Nothing says so, neither to them nor to anybody else: which cases there are is not known to whoever agrees,
and every archive carries the same sentence. Such a case stays in the portal, sealed, with whoever takes part in it, and
is in the archive that others agree to when they hold the posts.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from trustportal.archives.queries import cases as queries
from trustportal.archives.writing import Wanted, plain
from trustportal.packing import Steps, pretty, slug
from trustportal.tenants import queries as tenants
from trustportal.times import day_of
from trustportal.words import day, instant
from trustportal.workflows import chain
from trustportal.workflows.domain.case_records import KINDS
from trustportal.workflows.domain.routing import Roster, barred
from trustportal.workflows.queries import allegations, people
from trustportal.workflows.queries import cases as workflows
from trustportal.workflows.queries.cases import Case
from trustportal.workflows.services.documents import answered, names_in

#: Cases looked at in one step.
STEP = 20


def write(wanted: Wanted, after: str, out: Steps) -> str:
    """Some of the cases; a folder for each."""
    if len(wanted.agreed_by) != 2:
        raise PermissionError("cases are taken away after two people agreed")
    found = queries.list_case_ids(wanted.school_id, UUID(after) if after else None, STEP)
    roster = people.roster(day_of(wanted.now))
    for case_id in found:
        case = workflows.get_case(case_id)
        if not _is_held_back(case, roster, wanted.agreed_by):
            _case(case, out)
    return str(found[-1]) if len(found) == STEP else ""


def _is_held_back(case: Case, roster: Roster, agreed_by: frozenset[UUID]) -> bool:
    """Whether one of the two may not decide about a case."""
    return bool((barred(roster, case.subjects) | case.recused) & agreed_by)


def _case(case: Case, out: Steps) -> None:
    folder = f"cases/{slug(case.definition.title)}/{case.row.reference}"
    facts = _facts(case)
    out.add(f"{folder}/case.json", pretty(facts))
    out.add(f"{folder}/case.txt", _readable(case, facts).encode())
    for one in queries.list_documents(case.row.id):
        if one.pdf is not None:
            ending = "ics" if one.key.startswith("calendar-") else "pdf"
            name = f"{folder}/{slug(one.title)}-{str(one.id)[:8]}.{ending}"
            out.add(name, case.seal.open_bytes(one.pdf, one.id))


def _facts(case: Case) -> dict[str, Any]:
    row, seal = case.row, case.seal
    beside = {
        name: [{key: plain(value) for key, value in one.items()} for one in rows]
        for name, rows in queries.beside(row.id).items()
    }
    head = queries.find_head(row.id)
    facts: dict[str, Any] = {
        "id": row.id,
        "reference": row.reference,
        "workflow": case.definition.key,
        "workflow_version_id": row.version_id,
        "title": case.title,
        "school": tenants.get_school(row.school_id).name,
        "state": case.state.title,
        "opened_at": plain(row.opened_at),
        "closed_at": plain(row.closed_at),
        "keep_until": plain(row.keep_until),
        "legal_hold": row.legal_hold,
        "started_by": row.starter_id,
        "form": [
            {"section": section, "question": question, "answer": answer}
            for section, question, answer in answered(case, names_in(case))
        ],
        "answers": case.values,
        "records": [
            {
                "kind": str(one.kind),
                "title": KINDS[one.kind].title,
                "says": one.says,
                "recorded_by": one.by,
                "recorded_at": plain(one.at),
            }
            for one in allegations.list_records(case)
        ],
        "notes": [
            {
                "text": seal.open(one.sealed, one.id),
                "written_by": one.author_id,
                "written_at": plain(one.written_at),
            }
            for one in queries.list_notes(row.id)
        ],
        "advice_sought": [
            {
                "says": seal.open(one.sealed, one.id),
                "asked_by": one.person_id,
                "at": plain(one.made_at),
                "opened_another": one.referred,
            }
            for one in queries.list_holds(row.id)
        ],
        "letters": [
            {
                "title": one.title,
                "to": one.to_id,
                "written_at": plain(one.written_at),
                "says": seal.open(one.sealed, one.id),
            }
            for one in queries.list_documents(row.id)
        ],
        **beside,
        "chain": [
            {
                "position": event.position,
                "at": plain(event.at),
                "action": event.action,
                "by": event.actor_id,
                "entry": event.entry,
                "hash": plain(event.hash),
                "salt": plain(payload.salt) if payload else None,
                "payload": seal.open_bytes(payload.sealed, event.id).decode() if payload else None,
            }
            for event, payload in queries.list_links(row.id)
        ],
        "chain_ends": {"position": head.position, "hash": plain(head.hash)} if head else None,
        "chain_faults": [f"{one.position}: {one.what}" for one in chain.verify(seal, row.id)],
    }
    facts["names"] = {str(one): name for one, name in sorted(_names(facts).items(), key=lambda item: item[1])}
    return facts


def _names(facts: dict[str, Any]) -> dict[UUID, str]:
    """Who is behind the ids of people, wherever they stand."""
    ids = {
        UUID(str(one[key]))
        for rows in facts.values()
        if isinstance(rows, list)
        for one in rows
        if isinstance(one, dict)
        for key in ("person_id", "done_by", "wanted_id", "by", "recorded_by", "written_by", "asked_by", "to")
        if one.get(key)
    }
    if facts["started_by"]:
        ids.add(facts["started_by"])
    return tenants.names_of(ids)


def _readable(case: Case, facts: dict[str, Any]) -> str:
    """The case as people read it."""
    names = facts["names"]

    def who(person_id: Any) -> str:
        return names.get(str(person_id), "TrustPortal") if person_id else "TrustPortal"

    said = [
        f"{facts['title']}",
        f"Reference {facts['reference']} · {facts['school']} · {facts['state']}",
        f"Opened on {day(case.row.opened_at)}"
        + (f", closed on {day(case.row.closed_at)}" if case.row.closed_at else ""),
        "",
        "WHAT WAS SENT",
    ]
    said += [f"{one['question']}\n    {one['answer']}" for one in facts["form"]] or ["Nothing is kept."]
    said += ["", "WHO TAKES OR TOOK PART"]
    said += [f"{who(one['person_id'])} ({one['part']})" for one in facts["participants"]]
    said += ["", "RECORDS"]
    said += [
        f"{one['title']}, by {who(one['recorded_by'])}\n    "
        + "\n    ".join(f"{key}: {value}" for key, value in one["says"].items())
        for one in facts["records"]
    ]
    said += ["", "NOTES"]
    said += [f"{who(one['written_by'])}: {one['text']}" for one in facts["notes"]]
    said += ["", "WHAT HAPPENED"]
    for one in reversed(chain.timeline(case.seal, case.row.id)):
        words = one.says.get("said") or one.action.replace("_", " ")
        comment = f": {one.says['comment']}" if one.says.get("comment") else ""
        said.append(f"{instant(one.at)}  {who(one.actor_id)} {words}{comment}")
    said += ["", "LETTERS", *(f"{one['title']}" for one in facts["letters"])]
    faults = facts["chain_faults"]
    said += ["", "The chain of this case is whole." if not faults else f"The chain is NOT whole: {faults}"]
    return "\n".join(said) + "\n"
