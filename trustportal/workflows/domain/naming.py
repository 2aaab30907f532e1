"""Who is named in what leaves the school, who has to be at a meeting, and whether its day has come. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from trustportal.errors import RuleBroken
from trustportal.workflows.domain.answers import as_day
from trustportal.workflows.domain.definition import Definition
from trustportal.workflows.domain.routing import people_in

_SLOT = re.compile(r"\{\{\s*(?:field\.)?([a-z_]+)\??\s*\}\}")
#: Words of a name that are no name by themselves.
_NOT_NAMES = frozenset(
    {"and", "the", "year", "class", "pupil", "pupils", "others", "other", "none", "nobody"}
)


def words_in(text: str) -> list[str]:
    """The words of a text in lower case, with what hangs on them by an apostrophe or a hyphen."""
    return re.findall(r"[^\W\d_][\w'’-]*", text.lower())


def parts_of(names: str) -> frozenset[str]:
    """The single names in a list of people, in lower case: "Ann Lee, Bo" gives ann, lee and bo."""
    words = {word.strip("'’-") for word in words_in(names)}
    return frozenset(word for word in words if len(word) > 1 and word not in _NOT_NAMES)


def named_in(text: str, names: Iterable[str]) -> list[str]:
    """Which of the names stand in a text, as whole words."""
    there = set(words_in(text))
    # A possessive is the name too, and so is each half of a double name.
    there |= {re.sub(r"['’]s?$", "", word) for word in there}
    there |= {part for word in there for part in word.split("-")}
    return sorted(set(names) & there)


def check(definition: Definition, letters: Iterable[str], values: Mapping[str, Any], comment: str) -> None:
    """Raise `RuleBroken` at the answer that would carry a name into a letter which must not stand there.

    To whom a letter goes may be named, and their child: other pupils may share the family's name.
    """
    for key in letters:
        letter = definition.letter(key)
        if letter is None or not definition.is_outside(letter):
            continue
        theirs = " ".join(str(values.get(one) or "") for one in (letter.to, letter.and_to, letter.address))
        own = parts_of(f"{theirs} {values.get('child') or ''}")
        unnamed = frozenset[str]().union(
            *(parts_of(str(values.get(one.key) or "")) for one in definition.fields if one.unnamed)
        )
        for slot in _SLOT.findall(letter.body):
            text = comment if slot == "comment" else str(values.get(slot) or "")
            found = named_in(text, unnamed - own)
            if found:
                raise RuleBroken(
                    f"This goes into a letter, and names “{found[0].title()}”, who must not be named there:"
                    " write “another pupil”.",
                    slot,
                )


def check_chair(values: Mapping[str, Any], chairs: Collection[UUID]) -> None:
    """Raise `RuleBroken` where a second meeting about the same would take place without the chair of governors."""
    if values.get("repeat") == "yes" and not people_in(values.get("attends")) & set(chairs):
        raise RuleBroken(
            "You have met about the same before: this time the chair of governors takes part.", "attends"
        )


def check_day(values: Mapping[str, Any], today: date) -> None:
    """Raise `RuleBroken` where somebody is said not to have come to a meeting that still lies ahead."""
    day = as_day(values.get("meeting_on"))
    if day is not None and day > today:
        raise RuleBroken("The day of the meeting has not come yet.")
