"""The Word file of a version or edition: what stands in it, and that the importer reads the same clauses back."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import docx
import pdfplumber
import pytest
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st

from trustportal.markdown import to_plain
from trustportal.policies.domain.clauses import Clause, Kind, NumberingStyle, Weight, check_tree
from trustportal.policies.domain.resolve import Origin
from trustportal.policies.export import make_word
from trustportal.policies.importing.marks import words
from trustportal.policies.importing.reading import Doubt, Reading
from trustportal.policies.importing.word.reading import read_word
from trustportal.policies.pdf.gathering import clauses_of_tree
from trustportal.policies.pdf.snapshot import (
    Approval,
    ChangeEntry,
    PolicyPrint,
    PrintClause,
    PrintKind,
    VersionRow,
)
from trustportal.policies.starter.loading import load_template, read_builtin

HASH = "ab" * 32
PAPER = PolicyPrint(
    kind=PrintKind.EDITION,
    title="Kite Policy",
    organisation="Moor Learning Trust",
    place="Ridge School",
    version_label="2.1",
    status="Edition 2.1, made from the trust's version 2.",
    header=(
        ("Organisation", "Moor Learning Trust"),
        ("Approving body", "Kite board"),
        ("Reviewed", "Every year"),
    ),
    clauses=(),
    content_hash=HASH,
    check_url=f"https://portal.example/check/{HASH}",
    made_on=date(2031, 5, 4),
    versions=(VersionRow("2.1", date(2031, 5, 3), date(2031, 5, 4), "Kite board"),),
    changes=(ChangeEntry("1.1", "", "Changed", "A storm.", Weight.MATERIAL),),
    approvals=(Approval("Kite board", "Ada Fennimore", date(2031, 5, 3), "7", "Minuted decision"),),
)
CLAUSES = (
    PrintClause("1", 1, Kind.SECTION, "Aims", "Under the heading.\n\nAnd **more**."),
    PrintClause(
        "1.1", 2, Kind.CLAUSE, "", "Kites fly:\n\n- by day\n- by night\n  - with a lamp\n\nNever *indoors*."
    ),
    PrintClause("", 2, Kind.SUBHEADING, "Strings"),
    PrintClause(
        "1.2", 2, Kind.CLAUSE, "Length", "1. short\n2. shorter\n\nSee [our page](https://kites.example/p)."
    ),
    PrintClause(
        "1.2.1", 3, Kind.CLAUSE, "", "| Kite | String |\n| --- | --- |\n| flat | **wool** |\n| round | silk |"
    ),
    PrintClause("Appendix A", 1, Kind.APPENDIX, "The form", "Name:"),
    PrintClause("A.1", 2, Kind.CLAUSE, "", "Sign here."),
)


def read(paper: PolicyPrint) -> Reading:
    reading = read_word(make_word(paper), "kites.docx")
    assert Doubt.UNPLACED_WORDS not in {doubt.code for doubt in reading.uncertain}
    return reading


def shape(reading: Reading) -> list[tuple[str, str, str, int, Kind]]:
    return [(one.label, one.heading, one.text, one.depth, one.kind) for one in reading.clauses]


def test_the_same_clauses_come_back() -> None:
    reading = read(replace(PAPER, clauses=CLAUSES))
    assert shape(reading) == [(one.number, one.heading, one.text, one.depth - 1, one.kind) for one in CLAUSES]
    assert reading.title == "Kite Policy"
    assert reading.field("organisation") == "Ridge School"
    assert reading.field("approving_body") == "Kite board"
    told = "\n".join(one.text for one in reading.dropped)
    assert "A storm." in told
    assert "Minuted decision, minute 7" in told


@pytest.mark.parametrize("style", NumberingStyle)
def test_the_starter_template_comes_back_in_every_numbering(style: NumberingStyle) -> None:
    clauses = clauses_of_tree(load_template(read_builtin("social_media")).tree, style)
    reading = read(replace(PAPER, clauses=clauses))
    assert [(one.label, one.heading, one.depth, one.kind) for one in reading.clauses] == [
        (one.number, one.heading, one.depth - 1, one.kind) for one in clauses
    ]
    for one, printed in zip(reading.clauses, clauses, strict=True):
        assert words(to_plain(one.text)) == words(to_plain(printed.text))


def test_what_people_look_for_is_in_the_file() -> None:
    left = PrintClause("", 2, Kind.CLAUSE, "Lanterns", "", Origin.LEFT_OUT, "None here.")
    ours = PrintClause("1.3", 2, Kind.CLAUSE, "", "Our own words.", Origin.ADDED, "Parents asked.")
    made = docx.Document(
        io.BytesIO(make_word(replace(PAPER, clauses=(*CLAUSES[:2], left, ours), watermark="DRAFT")))
    )
    said = [one.text for one in made.paragraphs]
    assert said[0] == "Kite Policy"
    assert "Left out here: Lanterns. None here." in said
    assert "Added here: Parents asked." in said
    assert [one.style.name for one in made.paragraphs if one.text == "1\tAims"] == ["Heading 1"]
    assert made.sections[0].header.paragraphs[0].text.startswith("DRAFT. Ridge School")
    foot = made.sections[0].footer
    assert foot.paragraphs[1].text == f"Content hash {HASH}"
    assert [one.get(qn("w:instr")) for one in foot._element.iter(qn("w:fldSimple"))] == [
        " PAGE ",
        " NUMPAGES ",
    ]
    assert made.core_properties.title == "Kite Policy"
    heads = [table.rows[0].cells[0].text for table in made.tables]
    assert heads == ["Organisation", "Version", "Clause", "Body"]


WORDS = st.lists(st.sampled_from(["Kites", "fly", "low", "and", "slowly"]), min_size=1, max_size=5).map(
    " ".join
)
BODY = st.lists(
    st.one_of(
        WORDS.map("{}.".format),
        st.lists(WORDS, min_size=1, max_size=3).map(lambda all: "- " + "\n- ".join(all)),
    ),
    min_size=1,
    max_size=3,
).map("\n\n".join)


@st.composite
def trees(draw: st.DrawFn) -> tuple[Clause, ...]:
    """Sections with clauses, some with headings, two levels deep."""
    made: list[Clause] = []
    for section in range(draw(st.integers(1, 3))):
        kind = Kind.APPENDIX if section and draw(st.booleans()) else Kind.SECTION
        made.append(Clause(f"s{section}", None, kind, draw(WORDS), draw(st.one_of(st.just(""), BODY))))
        for number in range(draw(st.integers(0, 3))):
            key = f"s{section}-{number}"
            made.append(
                Clause(key, f"s{section}", Kind.CLAUSE, draw(st.one_of(st.just(""), WORDS)), draw(BODY))
            )
            if draw(st.booleans()):
                made.append(Clause(f"{key}-1", key, Kind.CLAUSE, "", draw(WORDS)))
    check_tree(made, complete=True)
    return tuple(made)


@settings(max_examples=40, deadline=None)
@given(trees(), st.sampled_from(list(NumberingStyle)))
def test_every_tree_comes_back(tree: tuple[Clause, ...], style: NumberingStyle) -> None:
    clauses = clauses_of_tree(tree, style)
    reading = read(replace(PAPER, clauses=clauses))
    assert [(one.label, one.heading, one.depth, one.kind) for one in reading.clauses] == [
        (one.number, one.heading, one.depth - 1, one.kind) for one in clauses
    ]
    assert [words(one.text) for one in reading.clauses] == [words(one.text) for one in clauses]


def test_a_draft_says_so_on_every_page_in_words_and_across_it() -> None:
    written = docx.Document(io.BytesIO(make_word(replace(PAPER, clauses=CLAUSES, watermark="DRAFT"))))
    [section] = written.sections
    # One head for all pages: none for the first alone, none for even ones.
    assert not section.different_first_page_header_footer
    assert not written.settings.odd_and_even_pages_header_footer
    assert [one.text for one in section.header.paragraphs] == ["DRAFT. Ridge School: Kite Policy, 2.1"]
    across = section.header._element.xpath(".//*[local-name()='shape']/*[local-name()='textpath']/@string")
    assert across == ["DRAFT"]
    plain = docx.Document(io.BytesIO(make_word(replace(PAPER, clauses=CLAUSES))))
    assert "DRAFT" not in plain.sections[0].header._element.xml


def test_the_mark_of_a_draft_is_no_word_of_its_clauses() -> None:
    plain, marked = (
        read_word(make_word(replace(PAPER, clauses=CLAUSES, watermark=mark)), "kites.docx")
        for mark in (None, "DRAFT")
    )
    assert [(one.label, one.heading, one.text) for one in marked.clauses] == [
        (one.label, one.heading, one.text) for one in plain.clauses
    ]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not on this machine")
def test_libreoffice_opens_it_and_prints_every_word(tmp_path: Path) -> None:
    (tmp_path / "kites.docx").write_bytes(make_word(replace(PAPER, clauses=CLAUSES, watermark="DRAFT")))
    subprocess.run(
        [
            "soffice",
            "--headless",
            f"-env:UserInstallation={(tmp_path / 'office').as_uri()}",
            "--convert-to",
            "pdf",
            "--outdir",
            str(tmp_path),
            str(tmp_path / "kites.docx"),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    with pdfplumber.open(tmp_path / "kites.pdf") as made:
        pages = [page.extract_text() for page in made.pages]
    assert all(page.startswith("DRAFT") for page in pages)
    printed = words(" ".join(pages))
    missing = [
        one for one in words(" ".join(to_plain(clause.text) for clause in CLAUSES)) if one not in printed
    ]
    assert missing == []
