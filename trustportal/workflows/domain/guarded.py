"""What nobody changes by editing a definition about somebody's conduct: who receives a case, and who sees it. Pure.

That is the trustees' to decide, in the table of recipients. A deadline can become tighter, and words can change.
"""

from __future__ import annotations

from trustportal.errors import RuleBroken
from trustportal.workflows.domain.definition import Definition, State


def check(before: Definition, after: Definition) -> None:
    """Raise `RuleBroken` for a change that would let somebody else receive or see such a case, or give it more time."""
    if not (before.safeguarding or after.safeguarding):
        return
    if _reach(before) != _reach(after):
        raise RuleBroken(
            "Who receives a confidential item, and who sees it, is decided by the trustees in “Who receives"
            " allegations”. It cannot be changed here."
        )
    for state in after.states:
        if _wait(state) > _wait(next(one for one in before.states if one.key == state.key)):
            raise RuleBroken(
                f"When it is late, “{state.title}” can go upwards earlier, and not later.", "escalate_after"
            )
        there = next(one for one in before.states if one.key == state.key)
        if _days(state) > _days(there):
            raise RuleBroken(
                f"“{state.title}” can be given less time than {_days(there)} days, and not more.", "within"
            )


def _reach(definition: Definition) -> object:
    return (
        definition.key,
        definition.safeguarding,
        definition.subject_fields,
        definition.watchers,
        definition.upwards,
        definition.routes,
        definition.who_may_start,
        definition.school_may,
        tuple((one.key, one.closed, one.starter_edits) for one in definition.states),
        tuple((state.key, seat) for state, seat in definition.seats()),
        tuple(
            (state.key, state.deadline.escalate if state.deadline else None, state.actions)
            for state in definition.states
        ),
        tuple((one.key, one.to) for one in definition.letters),
        tuple((one.key, one.kind, one.asked_by) for one in definition.fields),
    )


def _wait(state: State) -> int:
    return state.deadline.escalate_after if state.deadline else 0


def _days(state: State) -> int:
    return state.deadline.within if state.deadline else 0
