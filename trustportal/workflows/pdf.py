"""Letters and signed forms on paper: PDF/UA-1, composed from a frozen snapshot. Loads no row but the trust's logo."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trustportal import blobs
from trustportal.pdf import render_limited
from trustportal.policies.pdf.compose import house_assets, printable
from trustportal.words import day

_TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(day=day, printed=printable)
    return made


def html(content: Mapping[str, Any], *, organisation: str, place: str, logo_name: str = "") -> str:
    """The whole page of a letter (`kind` letter) or a signed form (form)."""
    paper = SimpleNamespace(organisation=organisation, place=place, made_on=date.fromisoformat(content["on"]))
    shared = {
        "paper": paper,
        "title": content["title"],
        "short_title": str(content["title"])[:64],
        "short_place": place[:44],
        "logo": f"asset:{logo_name}" if logo_name else "",
        "reference": content["reference"],
    }
    if content["kind"] == "letter":
        paragraphs = [
            part.strip().splitlines() for part in str(content["body"]).split("\n\n") if part.strip()
        ]
        return (
            _templates()
            .get_template("print/letter.html")
            .render(paragraphs=paragraphs, to=content["to"], address=content.get("address") or (), **shared)
        )
    sections = [
        (section, [(question, answer) for _, question, answer in rows])
        for section, rows in groupby(content["rows"], key=lambda row: row[0])
    ]
    return (
        _templates()
        .get_template("print/form.html")
        .render(
            sections=sections,
            signatures=content["signatures"],
            content_hash=content["hash"],
            outcome=content["outcome"],
            **shared,
        )
    )


def make(
    content: Mapping[str, Any], *, organisation: str, place: str, colour: str, logo_hash: str | None
) -> bytes:
    """The PDF of a letter or a signed form."""
    logo = blobs.get(logo_hash).content if logo_hash else None
    assets, name = house_assets(colour, logo)
    words = html(content, organisation=organisation, place=place, logo_name=name)
    return render_limited(words, assets=assets).pdf
