"""Markdown: what people write becomes safe HTML, and no word of it is lost."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustportal.markdown import SLOT_CLOSE, SLOT_OPEN, strip_marks, to_html, to_plain, to_reading

_TAG = re.compile(r"<(/?)([a-z0-9]+)([^<>]*)>")
_ALLOWED = {
    *("p", "br", "hr", "strong", "em", "code", "pre", "blockquote", "a"),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
}


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("", ""),
        ("  \n ", ""),
        ("Plain.", "<p>Plain.</p>\n"),
        ("One\n\n*Two* **three**", "<p>One</p>\n<p><em>Two</em> <strong>three</strong></p>\n"),
        ("# Big", "<p><strong>Big</strong></p>\n"),
        ("Big\n===", "<p><strong>Big</strong></p>\n"),
        ("![a picture](https://x.example/p.png)", "<p>a picture</p>\n"),
        ("<b>bold</b>", "<p>&lt;b&gt;bold&lt;/b&gt;</p>\n"),
        ("    indented", "<p>indented</p>\n"),
    ],
)
def test_what_it_makes(written: str, made: str) -> None:
    assert to_html(written) == made


def test_a_table_has_scoped_heads_and_classes_instead_of_styles() -> None:
    made = to_html("| What | How long |\n| --- | ---: |\n| Form | 2 years |")
    assert '<th scope="col">What</th>' in made
    assert '<th scope="col" class="align-right">How long</th>' in made
    assert '<td class="align-right">2 years</td>' in made
    assert "style" not in made


@pytest.mark.parametrize(
    "address", ["https://a.example/x", "http://a.example", "mailto:a@b.example", "/t/x", "#c"]
)
def test_links_that_may_be_followed(address: str) -> None:
    assert f'href="{address}"' in to_html(f"[words]({address})")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "\\\\\\\\elsewhere.example",
        "ftp://a.example",
        "&#106;avascript:alert(1)",
    ],
)
def test_links_that_may_not(address: str) -> None:
    made = to_html(f"[words]({address}) <{address}>")
    assert "<a" not in made
    assert "words" in made


@pytest.mark.parametrize(
    "deep", ["> " * 2000 + "x", "\n".join("  " * at + "- x" for at in range(400)), "*a " * 5000]
)
def test_nesting_too_deep_is_shown_as_typed(deep: str) -> None:
    made = to_html(deep)
    assert made.count("<blockquote>") + made.count("<ul>") < 40
    assert to_plain(deep).count("x") == deep.count("x")


@given(st.text(alphabet=st.sampled_from("ab <>&\"'[](){}*_`~#!|:/\\-+=.\n1"), max_size=80))
def test_whatever_is_typed_only_known_tags_come_out(written: str) -> None:
    made = to_html(written)
    for _, name, attributes in _TAG.findall(made):
        assert name in _ALLOWED
        assert not re.search(r"\s(on\w+|style|src)=", attributes)
    assert "<script" not in made
    assert "javascript:" not in re.sub(r">[^<]*<", "><", made)


@given(st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=6), min_size=1, max_size=20))
def test_no_word_is_lost(words: list[str]) -> None:
    for written in (
        " ".join(words),
        "\n".join(f"- {word}" for word in words),
        "\n".join(f"> {word}" for word in words),
        "\n".join(f"# {word}" for word in words),
        "| " + " | ".join(words) + " |\n|" + "---|" * len(words),
    ):
        assert to_plain(written).split() == words


def test_plain_words() -> None:
    assert to_plain("**Bold** [link](/x)\n\n- one\n- two\n\n| a | b |\n|-|-|\n| c | d |") == (
        "Bold link\none\ntwo\na\tb\nc\td"
    )


def test_the_marks_of_filled_slots_can_be_taken_off() -> None:
    marked = f"At {SLOT_OPEN}Ashgrove{SLOT_CLOSE}."
    assert strip_marks(marked) == "At Ashgrove."
    assert "Ashgrove" in to_html(marked)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Staff **must** sign.", "Staff must sign."),
        ("One.\n\nTwo.", "One.\n\nTwo."),
        ("Bring:\n\n- a *form*\n- a pen\n\nThen go.", "Bring:\n\n• a form\n• a pen\n\nThen go."),
        ("3. third\n4. fourth", "3. third\n4. fourth"),
        ("- one\n  - inner\n- two", "• one\n  • inner\n• two"),
        ("See [the form](https://a.example/f).", "See the form (https://a.example/f)."),
        ("Ask <office@a.example>.", "Ask office@a.example."),
        ("| a | b |\n| --- | --- |\n| 1 | 2 |", "a | b\n1 | 2"),
        ("Filled by {{school.name}} as [[key]] says.", "Filled by {{school.name}} as [[key]] says."),
        ("", ""),
    ],
)
def test_a_text_as_people_read_it(written: str, read: str) -> None:
    assert to_reading(written) == read


@given(st.text(alphabet="ab *_-#>|[]()`\n.", max_size=80))
def test_reading_loses_no_word(text: str) -> None:
    words = Counter(re.findall(r"[ab]+", to_plain(text)))
    assert not words - Counter(re.findall(r"[ab]+", to_reading(text)))
