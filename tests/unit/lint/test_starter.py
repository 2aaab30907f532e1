"""The starter template that we ship is quiet; a draft of ours and a place's edition are read as what they are."""

from __future__ import annotations

from datetime import date

from trustportal.access import ROLE_LABELS
from trustportal.policies.dictionary.loading import load_dictionary
from trustportal.policies.domain.lint import lint
from trustportal.policies.domain.lint.sources import Surroundings, of_edition, of_tree
from trustportal.policies.domain.resolve import Origin, resolve
from trustportal.policies.starter.loading import load_demonstration, load_template, read_builtin

TODAY = date(2026, 9, 1)
TEMPLATE = load_template(read_builtin("social_media"))
DEMONSTRATION = load_demonstration(read_builtin("demonstration"))
HEADER = TEMPLATE.header_for(DEMONSTRATION.trust.name)
TRUST = Surroundings(
    trust_name=DEMONSTRATION.trust.name,
    school_names=tuple(school.name for school in DEMONSTRATION.schools),
    placeholders=frozenset(slot.name for slot in TEMPLATE.placeholders),
    roles=tuple(ROLE_LABELS.values()),
)


def test_the_starter_template_is_quiet() -> None:
    read = of_tree(TEMPLATE.tree, TEMPLATE.numbering, HEADER, TRUST, safeguarding=True)
    assert lint(read, load_dictionary(), TODAY) == ()


def test_it_stays_quiet_for_years() -> None:
    read = of_tree(TEMPLATE.tree, TEMPLATE.numbering, HEADER, TRUST, safeguarding=True)
    for year in range(2025, 2036):
        assert lint(read, load_dictionary(), date(year, 9, 1)) == ()


def test_a_school_that_takes_it_is_quiet() -> None:
    values = {slot.name: slot.example for slot in TEMPLATE.placeholders}
    resolved = resolve(TEMPLATE.tree, TEMPLATE.numbering, {}, (), values)
    assert {one.origin for one in resolved.clauses} == {Origin.TRUST}
    read = of_edition(resolved.clauses, HEADER, TRUST, safeguarding=True)
    assert lint(read, load_dictionary(), TODAY) == ()
