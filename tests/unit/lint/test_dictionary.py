"""The dictionary: dated records, found where a text names them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from trustportal.policies.dictionary.loading import DictionaryFault, load_dictionary, read_dictionary
from trustportal.policies.domain.lint.dictionary import RecordState, acts_in

DICTIONARY = load_dictionary()


def ids(text: str) -> set[str]:
    return {mention.record.id for mention in DICTIONARY.mentions(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the Data Protection Act 1998", {"data-protection-act-1998"}),
        (
            "Defamation Acts 1952 and 1996",
            {"defamation-act-1952", "defamation-act-1996", "defamation-acts-without-2013"},
        ),
        (
            "Computer Misuse Act 1990, amended by the Police and Justice Act 2006",
            {"computer-misuse-act-1990", "police-and-justice-act-2006"},
        ),
        ("UK GDPR", set()),
        ("the GDPR applies", {"gdpr-without-uk"}),
        ("*Keeping children safe in education*", {"keeping-children-safe-in-education"}),
        (
            "Keeping Children Safe in Education (2023)",
            {"keeping-children-safe-in-education", "keeping-children-safe-in-education-by-edition"},
        ),
        ("Working together to safeguard children 2023", {"working-together"}),
        ("Working together to safeguard children (2018)", {"working-together-2018"}),
        ("the NCA’s CEOP command", set()),
        ("the CEOP", {"ceop-centre"}),
        ("X (formerly Twitter)", set()),
    ],
)
def test_what_a_text_names(text: str, expected: set[str]) -> None:
    assert ids(text) == expected


def test_every_needle_is_in_every_mention() -> None:
    for record in DICTIONARY.records:
        assert DICTIONARY.needles(record), record.id
        assert all(needle == needle.lower() for needle in DICTIONARY.needles(record))


def test_a_record_ends_on_its_day() -> None:
    for record in DICTIONARY.records:
        if record.until is None:
            continue
        assert record.state(record.until) is RecordState.SUPERSEDED
        assert record.state(record.until - timedelta(days=1)) is not RecordState.SUPERSEDED
        if record.fault in ("", "partial"):
            assert record.replaced_by or record.note, f"{record.id} says nothing to write instead"


def test_an_act_is_found_with_its_place() -> None:
    text = "Under the\nHuman Rights Act 1998 people are heard."
    (act,) = acts_in(text, DICTIONARY.known_titles)
    assert (act.title, act.years) == ("Human Rights", (1998,))
    assert text[act.start : act.end] == "Human Rights Act 1998"


GOOD = """
acts: [{title: Kite, years: [{year: 2001}]}]
records: [{id: kites, kind: guidance, name: Kites, source: house rule, phrases: [Kites]}]
national_hosts: [www]
"""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("kind: guidance", "kind: song"), "kind"),
        (("phrases: [Kites]", "until: 2020-01-01"), "no phrase"),
        (("{year: 2001}", "{year: 2001}, {year: 2001}"), "twice"),
        (("{year: 2001}", "{year: 2001, from: 2001-02-01, until: 2000-01-01}"), "ends before"),
        (("phrases: [Kites]", "frases: [Kites]"), "frases"),
        (("phrases: [Kites]", "patterns: [{literal: kite, pattern: '('}]"), "unterminated|missing"),
        ((GOOD, "acts: ["), "expected"),
    ],
)
def test_a_faulty_dictionary_is_refused(change: tuple[str, str], told: str) -> None:
    assert len(read_dictionary(GOOD).records) == 2
    with pytest.raises(DictionaryFault, match=told):
        read_dictionary(GOOD.replace(*change))
