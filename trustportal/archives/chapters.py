"""The chapters of an archive: each writes a part of it, some rows at a time, and says where to go on.

What is written here holds no case: tables of cases, and columns that point at one, stand in no list of
`archives.domain.SHEETS`. The chapter of cases is a module of its own, and is reached only after two people agreed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from trustportal import blobs
from trustportal.archives import cases
from trustportal.archives.domain import SHEETS, Sheet
from trustportal.archives.queries import proofs, rows, texts
from trustportal.archives.writing import Wanted, Write, lines, plain
from trustportal.errors import NotFound
from trustportal.notation import to_yaml
from trustportal.packing import Steps, csv_bytes, pretty, slug
from trustportal.policies import reading
from trustportal.policies.models import Edition, TemplateVersion
from trustportal.spreadsheets import harmless
from trustportal.tenants import queries as tenants
from trustportal.workflows.queries import definitions

#: Rows of a table, or links of the audit trail, in one file: what one step writes with ease.
PART = 50_000
_LINKS = 2_000


def _part(one: Sheet, after: str, ending: str) -> str:
    """The file of a table; a long one goes on in others, named after the id after which they begin."""
    return f"{one.name}-after-{after}.{ending}" if after else f"{one.name}.{ending}"


def sheet(one: Sheet) -> Write:
    """One table, a row a line, with every value as it is."""

    def write(wanted: Wanted, after: str, out: Steps) -> str:
        last = ""

        def values() -> Iterator[dict[str, Any]]:
            nonlocal last
            for count, row in enumerate(rows.rows_of(one, wanted.school_id, _id(after), PART), start=1):
                last = str(row["id"]) if count == PART else ""
                yield {name: plain(value) for name, value in row.items()}

        with out.open(_part(one, after, "json")) as into:
            lines(into, values())
        return last

    return write


def listing(one: Sheet) -> Write:
    """One table for spreadsheets."""

    def write(wanted: Wanted, after: str, out: Steps) -> str:
        last = ""
        with out.open(_part(one, after, "csv")) as into:
            into(csv_bytes(list(rows.columns_of(one)), ()))
            for count, row in enumerate(rows.rows_of(one, wanted.school_id, _id(after), PART), start=1):
                last = str(row["id"]) if count == PART else ""
                into(_cells(row))
        return last

    return write


def _cells(row: Mapping[str, Any]) -> bytes:
    cells = ("" if value is None else _cell(plain(value)) for value in row.values())
    return csv_bytes([harmless(cell) for cell in cells], ()).removeprefix(b"\xef\xbb\xbf")


def _cell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, bool)) else str(value)


def about(wanted: Wanted, after: str, out: Steps) -> str:
    """The trust itself, its logo, and who serves where in words."""
    trust = tenants.get_trust()
    out.add(
        "trust.json",
        pretty(
            {
                "id": trust.id,
                "name": trust.name,
                "slug": trust.slug,
                "colour": trust.colour,
                "settings": trust.settings,
                "created_at": trust.created_at.isoformat(),
            }
        ),
    )
    if trust.logo_hash:
        _file(out, "logo", trust.logo_hash)
    serving = tenants.list_serving(on=None, school_id=wanted.school_id)
    out.add(
        "people/who-serves-where.csv",
        csv_bytes(
            ("Name", "E-mail", "Role", "Where", "From", "To", "Acting"),
            (
                (
                    one.name,
                    one.email or "",
                    one.role_label,
                    one.school_name or trust.name,
                    one.from_on.isoformat(),
                    one.to_on.isoformat() if one.to_on else "",
                    "yes" if one.acting else "",
                )
                for one in serving
            ),
        ),
    )
    return ""


_ENDINGS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}


def _file(out: Steps, name: str, digest: str) -> None:
    """A stored file under a name, with the ending of its kind; where it is not what was stored, a note that says so."""
    try:
        stored = blobs.get(digest)
    except (NotFound, RuntimeError):
        out.add(f"{name}.MISSING.txt", f"The stored file {digest} is missing, or was altered.\n".encode())
        return
    out.add(f"{name}.{_ENDINGS.get(stored.media_type, 'bin')}", stored.content)


def _id(after: str) -> UUID | None:
    return UUID(after) if after else None


def _go_on(found: Sequence[Any], limit: int) -> str:
    return str(found[-1].id) if len(found) == limit else ""


def versions(wanted: Wanted, after: str, out: Steps) -> str:
    """The trust's texts: every version as JSON, with its stored PDF."""
    found = texts.list_versions(wanted.school_id, _id(after), 50)
    slugs, pdfs = texts.slugs_of_policies(), texts.pdfs_of_versions([one.id for one in found])
    for one in found:
        label = f"version-{one.number}" if one.number else f"{one.state}-{str(one.id)[:8]}"
        name = f"policies/texts/{slugs[one.policy_id]}/{label}"
        out.add(f"{name}.json", pretty(_version(one)))
        if one.id in pdfs:
            _file(out, name, pdfs[one.id])
    return _go_on(found, 50)


def _version(one: TemplateVersion) -> dict[str, Any]:
    return {
        "id": one.id,
        "policy_id": one.policy_id,
        "state": one.state,
        "number": one.number,
        "header": reading.header_of(one).to_json(),
        "effective_on": one.effective_on,
        "content_hash": one.content_hash,
        "reason": one.reason,
        "marks": one.marks,
        "clauses": [asdict(clause) for clause in reading.tree_of_version(one)],
    }


def editions(wanted: Wanted, after: str, out: Steps) -> str:
    """What every place says and said: each edition as JSON, with its change log, its approvals and its stored PDF."""
    found = texts.list_editions(wanted.school_id, _id(after), 50)
    slugs, places = texts.slugs_of_policies(), texts.slugs_of_schools()
    for one in found:
        label = reading.edition_label(one)
        label = f"edition-{label}" if one.state == "approved" else f"{one.state}-{label}-{str(one.id)[:8]}"
        name = f"policies/editions/{slugs[one.policy_id]}/{places[one.school_id]}/{label}"
        out.add(f"{name}.json", pretty(_edition(one)))
        if one.pdf_hash:
            _file(out, name, one.pdf_hash)
    return _go_on(found, 50)


def _edition(one: Edition) -> dict[str, Any]:
    return {
        "id": one.id,
        "policy_id": one.policy_id,
        "school_id": one.school_id,
        "place": one.place_name,
        "label": reading.edition_label(one),
        "state": one.state,
        "header": reading.header_of(one).to_json(),
        "effective_on": one.effective_on,
        "content_hash": one.content_hash,
        "reason": one.reason,
        "approvals": one.approvals,
        "change_log": one.changes,
        "values": one.values,
        "clauses": [clause.to_json() for clause in reading.clauses_of(one)],
    }


def brought(wanted: Wanted, after: str, out: Steps) -> str:
    """The files of policies that the trust brought, as they came."""
    if wanted.school_id is not None:
        return ""
    found = texts.list_brought(_id(after), 10)
    for one in found:
        stem, _, ending = one.filename.rpartition("/")[2].rpartition(".")
        out.add(f"policies/brought/{slug(stem)}-{str(one.id)[:8]}.{slug(ending)}", bytes(one.content or b""))
    return _go_on(found, 10)


def certificates(wanted: Wanted, after: str, out: Steps) -> str:
    """The stored certificate of each signature."""
    found = proofs.list_certificates(wanted.school_id, _id(after), 100)
    for certificate_id, digest, person, policy in found:
        _file(out, f"signing/certificates/{slug(person)}-{slug(policy)}-{str(certificate_id)[:8]}", digest)
    return str(found[-1][0]) if len(found) == 100 else ""


def scans(wanted: Wanted, after: str, out: Steps) -> str:
    """Scans of what was signed on paper."""
    found = proofs.list_papers(wanted.school_id, _id(after), 50)
    for one in found:
        digest = (one.witness or {}).get("scan_sha256")
        if digest:
            _file(out, f"signing/scans/{slug(one.person_name)}-{str(one.id)[:8]}", digest)
    return _go_on(found, 50)


def audit_trail(wanted: Wanted, after: str, out: Steps) -> str:
    """The audit trail with its salts, so that anyone can compute it again; of a school, what happened there."""
    begin = UUID(after).int if after else 0
    position = begin

    def links() -> Iterator[dict[str, Any]]:
        nonlocal position
        for _ in range(PART // _LINKS):
            found = proofs.list_links(wanted.school_id, position, _LINKS)
            for event, payload in found:
                yield {
                    "position": event.position,
                    "at": event.at.isoformat(),
                    "action": event.action,
                    "school_id": plain(event.school_id),
                    "entry": event.entry,
                    "hash": plain(event.hash),
                    "salt": plain(payload.salt) if payload else None,
                    "payload": payload.payload if payload else None,
                }
            if len(found) < _LINKS:
                position = 0
                return
            position = found[-1][0].position

    with out.open(f"audit/trail-{begin + 1:09}.jsonl") as into:
        for link in links():
            into(json.dumps(link, ensure_ascii=False).encode() + b"\n")
    # Where a step goes on is told as an id, like everything that jobs are given.
    return str(UUID(int=position)) if position else ""


def audit_ends(wanted: Wanted, after: str, out: Steps) -> str:
    """Where the trail ends, and where it stood each day."""
    if wanted.school_id is None:
        head = proofs.find_head()
        if head is not None:
            out.add("audit/head.json", pretty({"position": head.position, "hash": plain(head.hash)}))
        out.add(
            "audit/anchors.json",
            pretty(
                [
                    {
                        "anchored_on": anchor.anchored_on,
                        "position": anchor.position,
                        "hash": plain(anchor.hash),
                        "stamp": base64.b64encode(stamp.response).decode() if stamp else None,
                        "authority": stamp.authority if stamp else None,
                    }
                    for anchor, stamp in proofs.list_anchors()
                ]
            ),
        )
    return ""


def workflows(wanted: Wanted, after: str, out: Steps) -> str:
    """Every version of every workflow, as the portal reads it."""
    for key, number, state, content in definitions.list_everything():
        label = f"version-{number}" if number else state
        written = to_yaml(content)
        out.add(f"workflows/definitions/{slug(key)}/{label}.yaml", written.encode())
    return ""


def chapters(*, with_cases: bool) -> tuple[Write, ...]:
    """The chapters in order."""
    found: list[Write] = [about]
    for one in SHEETS:
        found += [sheet(one), listing(one)] if one.listed else [sheet(one)]
    found += [versions, editions, brought, certificates, scans, workflows, audit_ends, audit_trail]
    return (*found, cases.write) if with_cases else tuple(found)
