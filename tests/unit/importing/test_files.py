"""Files that are told by their content: PDFs and what is wrong with some files, each refused in words that help."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from weasyprint import HTML

from tests.unit.importing.word_files import p, word
from trustportal.cli import portal
from trustportal.confined import Ended, memory_was_short, run_confined
from trustportal.policies.importing import files
from trustportal.policies.importing.files import read_file
from trustportal.policies.importing.reading import Doubt, ImportRefused
from trustportal.policies.importing.word import package
from trustportal.policies.importing.word import reading as word_reading

WRITTEN = Path(__file__).parent / "written"
KITES = word(p("Kite Policy", style="Title") + p("Aims", style="Heading1") + p("Kites fly."))


def pdf(body: str, style: str = "") -> bytes:
    made = HTML(string=f'<html lang="en-GB"><style>{style}</style><body>{body}</body></html>').write_pdf()
    assert made is not None
    return made


def packed(entries: dict[str, bytes], base: bytes = b"") -> bytes:
    written = io.BytesIO(base)
    with zipfile.ZipFile(written, "a" if base else "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return written.getvalue()


def scan() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(written, format="PDF")
    return written.getvalue()


def entities() -> bytes:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    with zipfile.ZipFile(io.BytesIO(KITES)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["word/document.xml"] = bomb.encode() + parts["word/document.xml"].replace(b"Kites fly.", b"&b;")
    return packed(parts)


REFUSED = {
    "old Word": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "kites.doc", "old format"),
    "locked Word": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
        "kites.docx",
        "password",
    ),
    "locked PDF": ((WRITTEN / "locked.pdf").read_bytes(), "kites.pdf", "password"),
    "scan": (scan(), "kites.pdf", "pictures"),
    "broken PDF": (b"%PDF-1.7 \x00\xff", "kites.pdf", "damaged"),
    "broken Word": (KITES[:300], "kites.docx", "damaged"),
    "rtf": (b"{\\rtf1 Kites}", "kites.rtf", "RTF"),
    "picture": (b"\x89PNG\r\n\x1a\n", "kites.docx", "picture"),
    "program": (b"MZ\x90\x00", "kites.docx", "program"),
    "Excel": (
        packed({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<a/>"}),
        "kites.docx",
        "Excel",
    ),
    "OpenDocument": (packed({"mimetype": b"application/vnd.oasis"}), "kites.docx", "OpenDocument"),
    "some ZIP": (packed({"a.txt": b"Kites"}), "kites.docx", "not a Word file"),
    "Word named PDF": (KITES, "kites.pdf", "is a Word file"),
    "PDF named text": (scan(), "kites.txt", "is a PDF file"),
    "two endings": (KITES, "kites.docx.exe", "another ending"),
    "text named Word": (b"Kites fly in the wind.", "kites.docx", "not one"),
    "two kinds in one": (packed({"a.txt": b"x"}, b"%PDF-1.7\n"), "kites.pdf", "two kinds"),
    "macros": (packed({"word/vbaProject.bin": b"x"}, KITES), "kites.docx", "macros"),
    "entities": (entities(), "kites.docx", "definitions"),
    "bomb": (packed({"word/numbering.xml": bytes(70_000_000)}, KITES), "kites.docx", "unpacks to far more"),
    "many entries": (
        packed({f"a{n}.xml": b"" for n in range(package.MOST_ENTRIES + 1)}),
        "kites.docx",
        "unpacks",
    ),
    "no words": (word(p(" ")), "kites.docx", "No words"),
    "large": (b"%PDF-" + bytes(files.LARGEST), "kites.pdf", "25 MB"),
}


@pytest.mark.parametrize("which", REFUSED)
def test_what_cannot_be_read_is_refused_in_words_that_help(which: str) -> None:
    content, name, told = REFUSED[which]
    with pytest.raises(ImportRefused, match=told) as refused:
        read_file(content, name)
    assert refused.value.field == "file"


def test_a_file_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CPU_SECONDS", 1)

    def endless(content: bytes, name: str) -> None:
        while True:
            pass

    monkeypatch.setattr(word_reading, "read_word", endless)
    with pytest.raises(ImportRefused, match="takes too long"):
        read_file(KITES, "kites.docx")


def test_a_child_that_grows_too_large_or_dies_is_ended() -> None:
    assert run_confined(lambda: b"kites", cpu_seconds=5, memory_bytes=10**8) == b"kites"
    with pytest.raises(Ended):
        run_confined(lambda: bytes(3 * 10**8), cpu_seconds=5, memory_bytes=10**8)


def test_a_child_knows_whether_memory_was_short_when_it_met_a_fault() -> None:
    def hungry() -> bytes:
        kept = []
        try:
            while True:
                kept.append(bytes(10**6))
        except MemoryError:
            kept.clear()
        return str(memory_was_short()).encode()

    assert run_confined(hungry, cpu_seconds=5, memory_bytes=10**8) == b"True"
    assert (
        run_confined(lambda: str(memory_was_short()).encode(), cpu_seconds=5, memory_bytes=10**8) == b"False"
    )
    assert not memory_was_short()


def test_pages_are_healed() -> None:
    body = (
        "<h1>Kite Policy</h1><h2>1. Aims</h2><p>Kites are flown by the keepers of the moor whenever "
        "the weather&shy;cock turns to the west, and well-kept strings are brought along by all of them who fly.</p>"
        "<p>Another paragraph that ends here.</p><h2>2. Rules</h2><p style='break-after: page'>1. Whoever holds a "
        "string that was cut must tell the</p><p>keeper at once, before another kite goes up.</p>"
    )
    style = """@page { size: 9cm 14cm; margin: 2cm 1cm; @top-left { content: "Moor Trust" }
        @bottom-left { content: "Page " counter(page) } } body { font: 10pt serif }"""
    reading = read_file(pdf(body, style), "kites.pdf")
    text = "\n".join(one.text for one in reading.clauses)
    assert "weathercock" in text
    assert "well-kept strings" in text
    assert "must tell the keeper at once" in text
    assert "Moor Trust" not in text
    assert [one.heading for one in reading.clauses if one.heading] == ["Aims", "Rules"]
    assert ("Page 1\nPage 2", "page numbers") in {(one.text, one.reason) for one in reading.dropped}
    assert Doubt.UNPLACED_WORDS not in {doubt.code for doubt in reading.uncertain}


def test_a_table_over_two_pages_is_one_table() -> None:
    rows = "".join(f"<tr><td>Kite {n}</td><td>String {n}</td></tr>" for n in range(60))
    body = "<h1>Kite Policy</h1><h2>Kites</h2><table><thead><tr><th>Kite</th><th>String</th></tr></thead>"
    body += f"{rows}</table>"
    style = "table { border-collapse: collapse } td, th { border: 1px solid } thead { display: table-header-group }"
    reading = read_file(pdf(body, style), "kites.pdf")
    text = reading.clauses[-1].text
    assert text.startswith("| Kite | String |\n| --- | --- |\n| Kite 0 | String 0 |")
    assert text.endswith("| Kite 59 | String 59 |")
    assert text.count("| --- |") == 1
    assert any("head of a table" in one.reason for one in reading.dropped)
    assert Doubt.UNPLACED_WORDS not in {doubt.code for doubt in reading.uncertain}


def test_a_page_that_is_a_picture_is_told(tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    Image.new("RGB", (400, 600), "#dddddd").save(picture)
    body = f"<h1>Kite Policy</h1><p>Kites fly when the wind allows it.</p><div><img src='{picture.as_uri()}'></div>"
    style = "div { break-before: page } img { width: 15cm; height: 22cm } @page { size: A4 }"
    reading = read_file(pdf(body, style), "kites.pdf")
    told = [doubt.reason for doubt in reading.uncertain if doubt.code is Doubt.UNPLACED_WORDS]
    assert told
    assert told[0].startswith("Page 2 is a picture")


@pytest.mark.parametrize("name", ["libreoffice.docx", "libreoffice.pdf"])
def test_the_command_reads_every_format(name: str) -> None:
    said = CliRunner().invoke(portal, ["import", str(WRITTEN / name), "--json"])
    assert said.exit_code == 0
    reading = json.loads(said.output)
    assert reading["title"] == "Hedge Keeping Policy"
    assert {one["reason"].split(":")[0] for one in reading["left_out"]} >= {
        "a running head or foot of the page"
    }
