"""PDFs: valid PDF/UA-1 that two tools pass, everything on paper that must be, nothing fetched, nothing endless."""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import outloud
import page
import pdfplumber
import pikepdf
import pytest

from tests.integration import print_samples as samples
from trustportal.markdown import SLOT_CLOSE, SLOT_OPEN, to_plain
from trustportal.pdf import PdfRefused, Rendered, render, render_limited
from trustportal.policies.domain.changes import Mark, template_rows
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Weight
from trustportal.policies.domain.diff import compare_trees
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.resolve import Answer, Origin, Override, resolve
from trustportal.policies.pdf import (
    PolicyPrint,
    PrintClause,
    change_entries,
    clauses_of_edition,
    clauses_of_tree,
    header_rows,
    make_certificate,
    make_policy,
    make_redline,
    policy_html,
    redline_changes,
)

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def edition() -> Rendered:
    return make_policy(samples.EDITION)


@pytest.fixture(scope="module")
def draft() -> Rendered:
    return make_policy(samples.DRAFT_VERSION)


def faults(pdf: bytes, folder: Path) -> list[str]:
    """What the validator, and the second opinion, find in a PDF."""
    path = folder / "made.pdf"
    path.write_bytes(pdf)
    report = page.validate_pdf_bytes(pdf, profile="ua1")
    second = outloud.check(str(path))
    assert second.error is None
    return [f"{one.rule_id}: {one.message}" for one in report.failures] + [
        f"{one.rule}: {one.message}" for one in second.findings
    ]


@cache
def _pages(pdf: bytes) -> tuple[str, ...]:
    with pdfplumber.open(io.BytesIO(pdf)) as opened:
        return tuple(one.extract_text() for one in opened.pages)


def text_of(pdf: bytes, *numbers: int) -> str:
    """The words of some pages (from 0; negative from the end), or of all."""
    words = _pages(pdf)
    return "\n".join(words[number] for number in numbers) if numbers else "\n".join(words)


def with_text(*texts: str) -> PolicyPrint:
    return replace(
        samples.SHORT,
        clauses=(
            PrintClause("1", 1, Kind.SECTION, "One"),
            *(PrintClause(f"1.{at}", 2, Kind.CLAUSE, "", text) for at, text in enumerate(texts, 1)),
        ),
    )


# -- valid -------------------------------------------------------------------------------------------------------


def test_an_edition_has_no_fault(edition: Rendered, tmp_path: Path) -> None:
    assert faults(edition.pdf, tmp_path) == []
    assert edition.refused == ()
    assert edition.pages > 20


def test_a_draft_has_no_fault(draft: Rendered, tmp_path: Path) -> None:
    assert faults(draft.pdf, tmp_path) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_policy(samples.SHORT),
        lambda: make_policy(replace(samples.SHORT, clauses=(), header=(), versions=(), approvals=())),
        lambda: make_redline(samples.REDLINE),
        lambda: make_redline(replace(samples.REDLINE, changes=())),
        lambda: make_certificate(samples.CERTIFICATE),
        lambda: make_certificate(replace(samples.CERTIFICATE, check_url="", logo=samples.png())),
    ],
    ids=["short", "empty", "redline", "same", "certificate", "certificate with a logo"],
)
def test_every_other_paper_has_no_fault(make: Callable[[], Rendered], tmp_path: Path) -> None:
    assert faults(make().pdf, tmp_path) == []


def test_a_sub_clause_with_a_heading_in_a_clause_without_one_skips_no_level(tmp_path: Path) -> None:
    paper = with_text("Words.")
    deep = PrintClause("1.1.1", 3, Kind.CLAUSE, "A heading further down", "Words.")
    assert faults(make_policy(replace(paper, clauses=(*paper.clauses, deep))).pdf, tmp_path) == []


_GOOD = """<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>A page</title></head><body>
<h1>One</h1><table><caption>Two columns</caption>
<thead><tr><th scope="col">A</th><th scope="col">B</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>
<h2>Two</h2><p><img src="asset:logo.png" alt="A logo"> <a href="https://a.example">words</a></p></body></html>"""


def test_a_page_without_planted_faults_passes(tmp_path: Path) -> None:
    assert faults(render(_GOOD, assets={"logo.png": samples.png()}).pdf, tmp_path) == []


@pytest.mark.parametrize(
    ("good", "bad", "found"),
    [
        ("<title>A page</title>", "", "PDFUA1-METADATA-TITLE-001"),
        (' lang="en-GB"', "", "PDFUA1-LANGUAGE-TAG-001"),
        (' alt="A logo"', "", "PDFUA1-FIGURE-ALTERNATIVE-TEXT-001"),
        ("h2", "h4", "PDFUA1-HEADING-NESTING-001"),
        ("<td>2</td>", '<td colspan="2">2</td>', "PDFUA1-TABLE-ROW-COLUMNSPAN-001"),
        ('<th scope="col">', "<td>", "TBL-001"),
        (">B<", "><", "TBL-011"),
        ("A logo", "IMG_2041.jpg", "FIG-010"),
    ],
)
def test_planted_faults_are_found(good: str, bad: str, found: str, tmp_path: Path) -> None:
    assert good in _GOOD
    made = render(_GOOD.replace(good, bad), assets={"logo.png": samples.png()})
    assert any(fault.startswith(found) for fault in faults(made.pdf, tmp_path))


def test_heads_of_tables_say_what_they_head_and_links_are_printed() -> None:
    with pikepdf.open(io.BytesIO(render(_GOOD, assets={"logo.png": samples.png()}).pdf)) as opened:
        heads = [
            one for one in opened.objects if isinstance(one, pikepdf.Dictionary) and one.get("/S") == "/TH"
        ]
        links = [
            one
            for one in opened.objects
            if isinstance(one, pikepdf.Dictionary) and one.get("/Subtype") == "/Link"
        ]
        assert [str(one["/A"]["/Scope"]) for one in heads] == ["/Column", "/Column"]
        assert [int(one["/F"]) for one in links] == [4]


# -- what is on paper --------------------------------------------------------------------------------------------


def test_the_first_page_says_whose_policy_it_is(edition: Rendered) -> None:
    first = text_of(edition.pdf, 0)
    for words in (
        "Larkfield Academies Trust",
        "Ashgrove Primary School",
        "Social media policy",
        "Edition 3.2",
        "Approved by the chair of governors on 2 September 2026, effective on 4 September 2026.",
        "Person responsible Trust network manager",
        "Next review due 1 September 2027",
        "3.1 9 July 2026 1 September 2026 Board of trustees",
        f"Page 1 of {edition.pages}",
    ):
        assert words in first


def test_the_change_log_says_what_why_who_and_when(edition: Rendered) -> None:
    text = text_of(edition.pdf, 0, 1)
    assert (
        "Version 3.2, written by Head of school, approved by Chair of governors on 2 September 2026" in text
    )
    assert re.search(
        r"7\.5 Pictures from residential trips Added Agreed by governors in May\. Material", text
    )
    assert re.search(r"4\.3 Text messages to pupils Removed No reason given Material", text)


def test_the_contents_give_the_page_on_which_each_section_stands(edition: Rendered) -> None:
    words = _pages(edition.pdf)
    contents = re.findall(r"^(.+?)(?: \.)+ (\d+)$", words[1], re.MULTILINE)
    assert len(contents) == 12 + 4 + 2
    for entry, number in contents:
        assert entry in words[int(number) - 1], entry
    assert "Appendix B Who to turn to" in dict(contents)


def test_every_page_says_what_it_belongs_to(edition: Rendered) -> None:
    for number in (1, 7, edition.pages - 1):
        text = text_of(edition.pdf, number)
        assert text.startswith("Social media policy Ashgrove Primary School")
        assert f"Edition 3.2 · {samples.FINGERPRINT[:12]} Page {number + 1} of {edition.pages}" in text


def test_clauses_carry_their_number_and_their_origin_in_words(edition: Rendered) -> None:
    text = " ".join(text_of(edition.pdf).split())
    assert "3.3 Before a post goes out" in text
    assert "Adapted here. Our office" in text
    assert "Added here. Agreed by" in text
    assert "Left out here. We have no" in text
    assert "Not used at this school." in text
    assert "Until the account is closed" in text


def test_the_last_page_says_who_approved_it_and_how_to_check_it(edition: Rendered) -> None:
    last = text_of(edition.pdf, -1)
    assert "Board of trustees Majority of those entitled 9 July 2026 Minuted decision T/26/41" in last
    assert samples.CHECK in last
    assert samples.FINGERPRINT in last
    assert "This paper was made on 3 September 2026. It is public." in last
    assert "superseded" not in text_of(edition.pdf).lower()
    assert "in force" not in last.lower()


def test_the_running_lines_are_no_part_of_what_is_read_out(edition: Rendered) -> None:
    with pikepdf.open(io.BytesIO(edition.pdf)) as opened:
        content = opened.pages[5].Contents.read_bytes()
        assert content.count(b"/Artifact") >= 4
        root = opened.Root.StructTreeRoot
        owners = root.ParentTree.Nums[11]
        assert any(isinstance(one, pikepdf.Dictionary) for one in owners)
        assert sum(not isinstance(one, pikepdf.Dictionary) for one in owners) >= 4


def test_a_draft_says_so_across_every_page_and_has_no_address(draft: Rendered) -> None:
    with pdfplumber.open(io.BytesIO(draft.pdf)) as opened:
        for one in opened.pages:
            assert "".join(char["text"] for char in one.chars if char["size"] > 100) == "DRAFT"
        first, last = opened.pages[0].extract_text(), opened.pages[-1].extract_text()
    assert "It is not approved and applies to nobody." in first
    assert "Draft of template version 4" in first
    assert "Nobody has approved it." in last
    assert "https://" not in last


def test_a_draft_without_a_number_or_a_fingerprint_is_the_next_one(tmp_path: Path) -> None:
    paper = replace(
        samples.DRAFT_VERSION, clauses=samples.SHORT.clauses, version_label="draft", content_hash=""
    )
    made = make_policy(paper)
    assert faults(made.pdf, tmp_path) == []
    assert "Next template version Draft" in text_of(made.pdf, 0)
    assert "Draft of the next template version Page" in text_of(made.pdf, 0)
    assert "fingerprint" not in text_of(made.pdf)


def test_an_approved_paper_has_no_watermark(edition: Rendered) -> None:
    with pdfplumber.open(io.BytesIO(edition.pdf)) as opened:
        assert all(char["size"] < 40 for char in opened.pages[0].chars)


def test_a_redline_says_in_words_and_in_brackets_what_changed() -> None:
    text = text_of(make_redline(samples.REDLINE).pdf)
    assert "What changed from edition 3.1 to edition 3.2" in text
    assert "Staff ask the head {of school} before they open {or close} an account." in text
    assert "kept by [the site team, in] the office" in text
    assert "It was number 3.3." in text
    assert "Material change. Our office keeps the register." in text
    assert "107 are unchanged" in text


def test_a_certificate_names_person_edition_and_evidence() -> None:
    text = text_of(make_certificate(samples.CERTIFICATE).pdf)
    for words in (
        "Morgan Ellery",
        "I have read the policy",
        "3.2",
        samples.FINGERPRINT,
        "E-2026-000417",
        "07:41 UTC",
    ):
        assert words in text


def test_a_certificate_is_one_page_with_all_that_ours_say() -> None:
    facts = (
        ("Academic year", "2026–27"),
        (
            "How",
            "In the portal, signed in with a password and a code, since 7 September 2026 at 08:40 (07:40 UTC)",
        ),
        ("Fingerprint of the PDF", samples.FINGERPRINT),
        ("Fingerprint of the record", samples.FINGERPRINT),
        ("Position in the audit trail", "10417"),
    )
    check = f"https://portal.larkfield-academies.example/check/{samples.FINGERPRINT}"
    statement = (
        "I have read and understood Social media policy, edition 3.2, as it applies at Ashgrove Primary School,"
        " and I agree to follow it."
    )
    paper = replace(
        samples.CERTIFICATE, facts=facts, check_url=check, statement=statement, logo=samples.png()
    )
    assert make_certificate(replace(paper, evidence_id=str(UUID(int=7)))).pages == 1


def test_marks_of_filled_slots_are_not_printed() -> None:
    paper = with_text(f"Ask {SLOT_OPEN}the head of school{SLOT_CLOSE} first.")
    made = make_policy(paper)
    assert "Ask the head of school first." in text_of(made.pdf)
    assert made.spelled_out == ()


def test_what_no_font_can_print_is_spelled_out_and_reported(tmp_path: Path) -> None:
    made = make_policy(
        with_text("Zażółć, Łódź and Ñandú. A private sign \uf8ff here, \u200bnothing there.\x00\x1b")
    )
    text = text_of(made.pdf)
    assert "Zażółć, Łódź and Ñandú." in text
    assert "A private sign [U+F8FF] here" in text
    assert made.spelled_out == ("\uf8ff",)
    assert faults(made.pdf, tmp_path) == []


@pytest.mark.parametrize("logo", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a", b"%PDF-1.7"])
def test_a_logo_of_another_kind_is_not_printed(logo: bytes) -> None:
    assert "<img" not in policy_html(replace(samples.SHORT, logo=logo, check_url=""))


def test_a_broken_logo_stops_nothing() -> None:
    made = make_policy(replace(samples.SHORT, logo=samples.png()[:60]))
    assert "Social media policy" in text_of(made.pdf, 0)


def test_long_reasons_in_the_margin_do_not_run_into_each_other() -> None:
    reason = "We have a site of our own, with a gate that is locked at four. " * 8
    adapted = next(one for one in samples.EDITION.clauses if one.reason)
    paper = replace(
        samples.SHORT,
        clauses=(
            PrintClause("1", 1, Kind.SECTION, "One"),
            *(
                replace(adapted, number=f"1.{at}", text=f"Short {at}.", reason=f"{at}. {reason}")
                for at in range(1, 13)
            ),
        ),
    )
    made = make_policy(paper)
    assert page.is_pdf_compliant_bytes(made.pdf, profile="ua1")
    # All words are there: the notes are divided by pages, and each stands clear of the others and of the foot.
    assert " ".join(text_of(made.pdf).split()).count("gate that is") == 12 * 8
    with pdfplumber.open(io.BytesIO(made.pdf)) as opened:
        for one in opened.pages[1:-1]:
            lines = one.crop((425, 60, one.width, one.height - 60)).extract_text_lines()
            assert all(upper["bottom"] < lower["top"] + 2 for upper, lower in pairwise(lines))
            beyond = one.crop((425, one.height - 60, one.width, one.height)).extract_text()
            assert beyond.startswith("Page")


# -- the same again ----------------------------------------------------------------------------------------------


def test_the_same_snapshot_gives_the_same_bytes() -> None:
    assert make_policy(samples.SHORT) == make_policy(samples.SHORT)
    assert make_policy(samples.SHORT).pdf != make_policy(replace(samples.SHORT, title="Another")).pdf


@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_makes_the_same_bytes(edition: Rendered, seed: str) -> None:
    program = (
        "from tests.integration import print_samples as s; from trustportal.policies.pdf import make_policy; "
        "print(make_policy(s.EDITION).hash)"
    )
    made = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.strip() == edition.hash


# -- hostile text ------------------------------------------------------------------------------------------------


@pytest.fixture
def bait() -> Iterator[tuple[str, list[Any]]]:
    """An address of this machine that writes down who comes."""
    came: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                try:
                    came.append(server.accept())
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x", came
        over.set()
        thread.join()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text("hush-9b1f")
    return path


@pytest.mark.parametrize(
    "html",
    [
        '<img alt="x" src="{}">',
        '<link rel="stylesheet" href="{}">',
        '<link rel="attachment" href="{}">',
        '<a rel="attachment" href="{}">x</a>',
        '<style>@import url("{}"); p {{ background: url("{}") }} li {{ list-style: url("{}") }}</style><li>x</li>',
        '<style>@font-face {{ font-family: X; src: url("{}") }} p {{ font-family: X }}</style>',
        '<svg xmlns="http://www.w3.org/2000/svg"><title>x</title><use href="{}#a"/><image href="{}"/></svg>',
        '<object data="{}">x</object><embed src="{}">',
        '<base href="{}"><img alt="x" src="y.png">',
        '<p style="content: url({}); cursor: url({})">x</p>',
    ],
)
@pytest.mark.parametrize("scheme", ["http", "file", "data", "asset"])
def test_the_kernel_fetches_nothing(
    html: str, scheme: str, bait: tuple[str, list[Any]], secret: Path
) -> None:
    address = {
        "http": bait[0],
        "file": secret.as_uri(),
        "data": "data:text/plain,hush-9b1f",
        "asset": "asset:../pdf.py",
    }[scheme]
    made = render(
        _GOOD.replace("<h2>", html.replace("{}", address).replace("{{", "{").replace("}}", "}") + "<h2>")
    )
    assert bait[1] == []
    assert b"hush" not in made.pdf
    with pikepdf.open(io.BytesIO(made.pdf)) as opened:
        assert not opened.attachments
    assert "asset:logo.png" in made.refused or "<base" in html


def test_what_was_refused_is_named(secret: Path) -> None:
    made = render(f'<img alt="x" src="{secret.as_uri()}"><img alt="x" src="http://a.example/{"x" * 999}">')
    assert made.refused[0] == secret.as_uri()
    assert all(len(one) <= 300 for one in made.refused)


def test_a_clause_cannot_ask_for_anything(bait: tuple[str, list[Any]], secret: Path) -> None:
    texts = []
    for address in (bait[0], secret.as_uri(), "data:text/html,hush-9b1f", "asset:logo.png"):
        texts += [
            f"![picture]({address}) [link]({address}) <{address}>",
            f'<img src="{address}"><link rel="attachment" href="{address}"><object data="{address}">',
            f'<style>@import url("{address}"); p {{ background: url("{address}") }}</style>',
            f'<svg xmlns="http://www.w3.org/2000/svg"><use href="{address}#a"/></svg>',
        ]
    paper = with_text(*texts)
    paper = replace(
        paper,
        title=f'<img src="{bait[0]}">',
        place=f'"><link rel="attachment" href="{secret.as_uri()}">',
        header=((f"<img src={bait[0]}>", f"<style>@import '{bait[0]}'</style>"),),
        colour=f"red; background: url({bait[0]})",
    )
    made = make_policy(paper)
    assert made.refused == ()
    assert bait[1] == []
    assert page.is_pdf_compliant_bytes(made.pdf, profile="ua1")
    with pikepdf.open(io.BytesIO(made.pdf)) as opened:
        assert not opened.attachments


@pytest.mark.parametrize(
    "text",
    [
        "> " * 2000 + "deep",
        "\n".join("  " * at + "- x" for at in range(800)),
        "*a " * 5000,
        "[" * 5000 + "a" + "](/x)" * 5000,
        "999999999. one\n2. two\n\n" + "9" * 4000,
        "| a " * 60 + "|\n" + "|---" * 60 + "|\n" + ("| x " * 60 + "|\n") * 3,
        "a" + "\u0301" * 3000,
        "\u202eabc\u2066def " * 500,
    ],
    ids=["quotations", "lists", "stars", "links", "numbers", "columns", "accents", "directions"],
)
def test_odd_texts_are_printed(text: str) -> None:
    assert page.is_pdf_compliant_bytes(make_policy(with_text(text)).pdf, profile="ua1")


def test_a_paragraph_without_end_is_refused_before_its_words_are_lost() -> None:
    with pytest.raises(PdfRefused, match="200,000 characters"):
        make_policy(with_text("w" * 200_001))
    with pytest.raises(PdfRefused, match="200,000 characters"):
        make_policy(with_text("some words " * 20_000))


def test_no_word_of_a_long_paragraph_is_lost() -> None:
    made = make_policy(with_text("some words " * 4_000))
    assert text_of(made.pdf).count("words") >= 4_000


def _large_table(rows: int) -> str:
    row = "| some words " * 6 + "|\n"
    return policy_html(with_text(row + "|---" * 6 + "|\n" + row * rows))


def test_a_render_ends_when_its_time_is_up() -> None:
    with pytest.raises(PdfRefused, match="too much time or memory"):
        render_limited(_large_table(4000), assets={"check.svg": b""}, cpu_seconds=1)


def test_a_render_ends_when_its_memory_is_used() -> None:
    with pytest.raises(PdfRefused, match="too much time or memory"):
        render_limited(_large_table(500), assets={"check.svg": b""}, memory_bytes=4 * 1024**2)


def test_html_that_lies_too_deep_is_refused() -> None:
    with pytest.raises(PdfRefused, match="too deep"):
        render_limited("<!DOCTYPE html><html lang=en><title>x</title><h1>x</h1>" + "<div>" * 5000 + "x")


# -- parts from the domain ---------------------------------------------------------------------------------------

_TREE = (
    Clause("accounts", None, Kind.SECTION, "Accounts at {{school.name}}"),
    Clause("ask", "accounts", Kind.CLAUSE, "", "Ask {{role.headteacher}} as [[keep]] says.", Mode.LOCKED),
    Clause("keep", "accounts", Kind.CLAUSE, "", "Keep a list.", Mode.ADAPTABLE, needs_agreement=True),
)


def test_the_trusts_text_prints_its_slots_in_brackets_and_its_references_as_numbers() -> None:
    section, ask, keep = clauses_of_tree(_TREE, NumberingStyle.DECIMAL)
    assert (section.number, section.depth, section.heading) == ("1", 1, "Accounts at [school name]")
    assert (ask.number, ask.depth, ask.note) == ("1.1", 2, "")
    assert to_plain(ask.text) == "Ask [role headteacher] as 1.2 says."
    assert keep.note == "Schools may change this, if the trust agrees"


def test_an_edition_prints_what_was_resolved_and_where_it_comes_from() -> None:
    override = Override(
        clause_key="keep",
        answer=Answer.LEAVE_OUT,
        heading=None,
        text=None,
        reason="The office does.",
        base_heading="",
        base_text="Keep a list.",
    )
    resolved = resolve(
        _TREE,
        NumberingStyle.DECIMAL,
        {"keep": override},
        (),
        {"school.name": "Ashgrove", "role.headteacher": "the head"},
    )
    section, ask, keep = clauses_of_edition(resolved.clauses)
    assert section.heading == "Accounts at Ashgrove"
    assert ask.text.startswith("Ask the head as")
    assert (keep.origin, keep.number, keep.reason) == (Origin.LEFT_OUT, "", "The office does.")


def test_the_header_block_leaves_out_what_is_empty() -> None:
    rows = dict(header_rows(PolicyHeader("A policy", effective_on=date(2026, 9, 4), review_months=18)))
    assert rows == {
        "Effective on": "4 September 2026",
        "Reviewed": "Every 18 months",
        "Statutory": "No",
        "Availability": "Public",
    }


def test_change_log_and_redline_come_from_the_versions_themselves() -> None:
    new = (
        _TREE[0],
        replace(_TREE[1], text="Ask first."),
        Clause("tell", "accounts", Kind.CLAUSE, "", "Tell us."),
    )
    marks = {"ask": Mark(Weight.EDITORIAL, "Shorter.")}
    entries = change_entries(
        template_rows(_TREE, new, NumberingStyle.DECIMAL, marks),
        version="2",
        author="Network manager",
        approver="Board of trustees",
        on=date(2026, 9, 2),
    )
    assert [(one.number, one.what, one.weight, one.reason) for one in entries] == [
        ("1.1", "Changed", Weight.EDITORIAL, "Shorter."),
        ("1.2", "Removed", Weight.MATERIAL, ""),
        ("1.2", "Added", Weight.MATERIAL, ""),
    ]
    changes = redline_changes(compare_trees(_TREE, new, NumberingStyle.DECIMAL), marks)
    assert [(one.what, one.number, one.old_number, one.reason) for one in changes] == [
        ("Changed", "1.1", "1.1", "Shorter."),
        ("Removed", "", "1.2", ""),
        ("Added", "1.2", "", ""),
    ]
