"""A clause's words as HTML: values stand out, markup of others stays words, attributes stay whole."""

from __future__ import annotations

import pytest

from trustportal.policies.views import presenting


@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        ("At {{school.name}}.", {"school.name": "Ashgrove"}, '<p>At <span class="slot">Ashgrove</span>.</p>'),
        ("At {{school.name}}.", {"school.name": "<b>A</b> & co"}, "&lt;b&gt;A"),
        ("[Us](https://x.example/{{s}})", {"s": "ash"}, 'href="https://x.example/ash"'),
        ('[Us](https://x.example "{{s}} > it")', {"s": "Ash"}, 'title="Ash &gt; it"'),
        ("**{{s}}** and {{s}}", {"s": "Ash"}, '<strong><span class="slot">Ash</span></strong> and <span'),
        ("{{s}} *now*", {"s": "a*b"}, "a*b <em>now</em>"),
        ("See [[one]] at {{s}}", {"s": "Ash"}, '2.1 at <span class="slot">Ash</span>'),
    ],
)
def test_values_stand_out_and_nothing_breaks(world, source, values, expected):
    text = source.replace("[[one]]", "2.1")
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", value)
    with world.looking():
        html = str(presenting.body(presenting.marked(text, source, values)))
    assert expected in html
    assert "\ue000" not in html
    assert "\ue001" not in html
    assert "%EE" not in html


def test_what_cannot_be_told_is_left_unmarked():
    assert presenting.marked("Other words.", "At {{s}}.", {"s": "Ash"}) == "Other words."
    assert presenting.marked("At Ash.", "At Ash.", {"s": "Ash"}) == "At Ash."


def test_the_first_words():
    assert (
        presenting.first_words("**One** two three four five six seven eight")
        == "One two three four five six seven…"
    )
