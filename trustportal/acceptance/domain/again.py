"""Whether a new version of the trust's text asks the people of a place to sign again. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from trustportal.policies.domain.answers import Added, Answer, Override
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Clause, Weight, Words, by_key
from trustportal.policies.domain.rebase import rebase


class Effect(StrEnum):
    """What a version does at a place."""

    MATERIAL = "material"  # its own words change materially: whoever signed is asked again
    EDITORIAL = "editorial"  # its words change, not materially, or not at all: signatures stand
    TO_DECIDE = "to_decide"  # the head decides first; until then nothing changes


def effect_at(
    old: Sequence[Clause],
    new: Sequence[Clause],
    marks: Mapping[str, Mark],
    answers: tuple[Mapping[str, Override], Sequence[Added]],
) -> Effect:
    """What bringing `new` to a place does that has `old` in force with its own answers.

    `marks`: how the trust marked each changed clause. What nobody marked yet counts as material: the number that the
    network manager sees must not be smaller than what comes.
    """
    plan = rebase(old, new, answers[0], answers[1])
    if plan.needs_decision:
        return Effect.TO_DECIDE
    before, after = by_key(old), by_key(new)
    for key in dict.fromkeys((*after, *before)):
        was = _said(before.get(key), answers[0].get(key))
        now = _said(after.get(key), plan.overrides.get(key))
        if was == now:
            continue
        mark = marks.get(key)
        if mark is None or mark.weight is Weight.MATERIAL:
            return Effect.MATERIAL
    kept = {one.key for one in plan.added}
    return Effect.MATERIAL if any(one.key not in kept for one in answers[1]) else Effect.EDITORIAL


def _said(clause: Clause | None, override: Override | None) -> Words | None:
    """What a place says in a clause, before its values are filled in; None: nothing."""
    if clause is None or (override is not None and override.answer is Answer.LEAVE_OUT):
        return None
    if override is not None and override.answer is Answer.REPLACE:
        return Words(
            override.heading if override.heading is not None else clause.heading, override.text or ""
        )
    return clause.words
