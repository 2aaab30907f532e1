"""Papers of signing, composed from frozen snapshots: the sheet of one-time codes. Loads nothing, fetches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from trustportal.pdf import Rendered
from trustportal.policies.pdf import make_paper


@dataclass(frozen=True, slots=True)
class SlipPrint:
    """One slip: whose, the code, and how many policies wait."""

    name: str
    code: str
    owed: int


@dataclass(frozen=True, slots=True)
class CodesPrint:
    """The sheet of codes of one place. `address`: where a code is entered."""

    organisation: str
    place: str
    address: str
    last_on: date
    slips: Sequence[SlipPrint]
    made_on: date
    colour: str
    logo: bytes | None = None


def make_codes(paper: CodesPrint) -> Rendered:
    """The sheet as PDF/UA-1: one slip for each person, to be cut apart."""
    return make_paper(
        "print/codes.html", paper, title=f"Codes for signing, {paper.place}", check_url=paper.address
    )
