"""The cover of an archive: a page to begin with, and a manifest with the hash of every file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from flask import render_template

from trustportal.archives.domain import SHEETS
from trustportal.archives.models import Archive
from trustportal.packing import Member, Steps, pretty
from trustportal.tenants import queries as tenants

#: How the folders are called on the first page, in its order.
FOLDERS = {
    "people": "Schools, people, roles, placeholders",
    "policies": "Policies: the trust’s texts, editions of every place with change logs and PDFs, what was brought",
    "approvals": "Approvals: routes, what was sent, decisions and minutes",
    "signing": "Signing: campaigns, who was asked, signatures, certificates, scans, outside documents",
    "accounts": "The register of accounts",
    "workflows": "Workflows as the portal reads them, what schools set for themselves, tables of recipients",
    "audit": "The audit trail, as it can be computed again",
    "cases": "Cases, each with its form, records, timeline, letters and its own chain",
}


def cover(archive: Archive, members: Sequence[Member], out: Steps, *, now: datetime) -> None:
    """Write the page and the manifest. `members`: every other file; the manifest names the page too."""
    trust, place = tenants.get_trust(), tenants.place_name(archive.school_id)
    counted = Counter(member.name.partition("/")[0] for member in members)
    sizes: Counter[str] = Counter()
    for member in members:
        sizes[member.name.partition("/")[0]] += member.size
    titles = {f"{one.name}.{ending}": one.title for one in SHEETS for ending in ("json", "csv")}
    page = render_template(
        "archives/cover.html",
        trust_name=trust.name,
        place=place,
        of_school=archive.school_id is not None,
        with_cases=archive.with_cases,
        asked_at=archive.asked_at.astimezone(UTC),
        made_at=now.astimezone(UTC),
        folders=[
            (
                name,
                words,
                counted[name],
                [
                    (member.name, titles.get(member.name, ""))
                    for member in members
                    if member.name.startswith(f"{name}/") and member.name.count("/") == 1
                ],
            )
            for name, words in FOLDERS.items()
            if counted[name] or (name == "cases" and archive.with_cases)
        ],
    )
    out.add("index.html", page.encode())
    out.add(
        "MANIFEST.json",
        pretty(
            {
                "format": "TrustPortal archive 1",
                "trust": trust.name,
                "of": place,
                "with_cases": archive.with_cases,
                "asked_at": archive.asked_at.astimezone(UTC).isoformat(timespec="seconds"),
                "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
                "files": [
                    {"name": one.name, "size": one.size, "sha256": one.sha256}
                    for one in sorted((*members, *out.members[-1:]), key=lambda one: one.name)
                ],
            }
        ),
    )
