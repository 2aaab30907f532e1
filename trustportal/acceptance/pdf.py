"""Papers of signing, composed from frozen snapshots: one-time codes, forms for a pen. Loads and fetches nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from trustportal.pdf import Rendered
from trustportal.policies.pdf import make_paper


@dataclass(frozen=True, slots=True)
class SlipPrint:
    """One slip: whose, the code, how many policies wait, and whether an answer does."""

    name: str
    code: str
    owed: int
    answered: bool = False


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


@dataclass(frozen=True, slots=True)
class AnswerPrint:
    """What somebody asked about a text, and what they were answered."""

    words: str
    answer: str
    answerer: str


@dataclass(frozen=True, slots=True)
class FormPrint:
    """One thing to be signed with a pen. `name` empty: a blank form. Hashes are SHA-256 in hex."""

    title: str
    edition: str
    is_document: bool
    #: Where an outside document is read.
    link: str
    statement: str
    statement_version: str
    #: Of the edition's words, or of the outside document's record.
    content_hash: str
    #: Of an outside document there is none.
    pdf_hash: str
    due_on: date
    name: str = ""
    roles: str = ""
    #: The number of the request to sign, by which the paper finds its record.
    request: str = ""
    answers: Sequence[AnswerPrint] = ()


@dataclass(frozen=True, slots=True)
class FormsPrint:
    """Forms of one place, a page for each."""

    organisation: str
    place: str
    forms: Sequence[FormPrint]
    made_on: date
    colour: str
    logo: bytes | None = None


def make_forms(paper: FormsPrint) -> Rendered:
    """The forms as PDF/UA-1."""
    return make_paper("print/paper_form.html", paper, title=f"To be signed on paper, {paper.place}")
