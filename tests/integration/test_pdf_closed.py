"""The kernel's PDF maker closes behind itself: links are not followed, children and files are not left over."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import page
import psutil
import pytest

from trustportal.markdown import to_html
from trustportal.pdf import PdfRefused, Rendered, render, render_limited


def paper(body: str, head: str = "<title>A paper</title>", lang: str = ' lang="en-GB"') -> str:
    return f"<!doctype html><html{lang}><head>{head}</head><body><h1>A paper</h1>{body}</body></html>"


def faults(made: Rendered) -> set[str]:
    report = page.validate_pdf_bytes(made.pdf, profile="ua1")
    return {failure.rule_id for failure in report.failures}


@pytest.fixture
def listener() -> Iterator[tuple[str, list[int]]]:
    """An address on this machine, and a list that grows with every connection to it."""
    calls: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        stop = threading.Event()

        def listen() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                calls.append(1)
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", calls
        stop.set()
        thread.join()


def test_an_asset_fetches_nothing_either(listener: tuple[str, list[int]]) -> None:
    address, calls = listener
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 4 4">'
        f'<style>@import "{address}/a.css";</style>'
        f'<use xlink:href="{address}/b.svg#x"/><image xlink:href="{address}/c.png" width="4" height="4"/></svg>'
    ).encode()
    render_limited(paper('<p><img src="asset:logo.svg" alt="x"></p>'), assets={"logo.svg": drawing})
    assert calls == []


def test_links_are_kept_and_not_followed(listener: tuple[str, list[int]]) -> None:
    address, calls = listener
    body = f'<p><a href="{address}/x">over there</a> and <a href="/t/here">here</a></p>'
    made = render(paper(body), base="https://policies.larkfield.example/")
    assert (calls, made.refused) == ([], ())
    assert f"{address}/x".encode() in _unpacked(made.pdf)
    assert b"https://policies.larkfield.example/t/here" in _unpacked(made.pdf)


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    """Whatever became of a drawing, its process was waited for."""
    before = set(psutil.Process().children())
    yield
    assert set(psutil.Process().children()) <= before


def test_time_is_limited() -> None:
    rows = "<tr><td>a</td><td>b</td><td>c</td></tr>" * 60_000
    began = time.monotonic()
    with pytest.raises(PdfRefused, match="too much time or memory"):
        render_limited(paper(f"<table>{rows}</table>"), cpu_seconds=2)
    assert time.monotonic() - began < 30


def test_memory_is_limited() -> None:
    rows = "<tr><td>a</td><td>b</td><td>c</td></tr>" * 10_000
    with pytest.raises(PdfRefused, match="too much time or memory"):
        render_limited(paper(f"<table>{rows}</table>"), memory_bytes=24 * 1024**2)


@pytest.mark.parametrize(
    "style",
    [
        "width: 1e9px; height: 1e9px",
        "margin: 1e12mm",
        "font-size: 1e7pt",
        "columns: 100000",
        "transform: scale(1e9)",
        "padding: -1e9px; letter-spacing: 1e6em",
    ],
)
def test_huge_values_end_within_the_limits(style: str) -> None:
    began = time.monotonic()
    try:
        made = render_limited(paper(f'<p style="{style}">a few words here</p>'), cpu_seconds=5)
    except PdfRefused:
        pass
    else:
        assert made.pages < 10_000
    assert time.monotonic() - began < 40


def test_very_deep_markdown_is_printed() -> None:
    text = ">" * 500 + " words at the bottom\n\n" + "- " * 300 + "and more"
    made = render_limited(paper(to_html(text)))
    assert made.pages >= 1
    assert faults(made) == set()


def test_what_is_wrong_in_the_child_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(PdfRefused):
        render_limited(paper("<div>" * 4000))
    render_limited(paper("<p>x</p>"))
    assert list(tmp_path.iterdir()) == []


def _unpacked(pdf: bytes) -> bytes:
    import io

    from pdfplumber import open as open_pdf

    with open_pdf(io.BytesIO(pdf)) as opened:
        return "\n".join(str(link.get("uri")) for one in opened.pages for link in one.hyperlinks).encode()
