"""What a report of a concern has to hold, and who may be meant by its words. Pure.

Whoever reports is never asked whether it is serious enough. What could be a picture is refused: there is no upload.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from trustportal.access import Role
from trustportal.workflows.domain.answers import Fault
from trustportal.workflows.domain.routing import Roster, people_in

_EMBEDDED = re.compile(r"data:[a-z]+/[a-z0-9.+-]+;|[A-Za-z0-9+/]{400,}", re.I)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
#: Words for posts that people use instead of a name.
_POSTS: Mapping[str, Role] = {
    "head": Role.HEADTEACHER,
    "headteacher": Role.HEADTEACHER,
    "headmaster": Role.HEADTEACHER,
    "headmistress": Role.HEADTEACHER,
    "principal": Role.HEADTEACHER,
    "chair": Role.CHAIR_OF_GOVERNORS,
    "chairman": Role.CHAIR_OF_GOVERNORS,
    "chairwoman": Role.CHAIR_OF_GOVERNORS,
    "dsl": Role.DSL,
    "safeguarding": Role.DSL,
    "ceo": Role.CEO,
    "deputy": Role.DEPUTY_HEADTEACHER,
}
#: Words that begin a name and are none.
_TITLES = {
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "sir",
    "madam",
    "the",
    "of",
    "and",
    "in",
    "a",
    "an",
    "at",
    "on",
}
_SIGNS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def faults(values: Mapping[str, Any]) -> list[Fault]:
    """What keeps a report from being sent, besides what its definition asks."""
    found = []
    if not values.get("about") and not values.get("about_words"):
        found.append(Fault("about_words", "Say whom it is about, as well as you can."))
    found += [
        Fault(key, "Write words only: nothing that could be a picture or a file can be sent here.")
        for key, value in values.items()
        if isinstance(value, str) and _EMBEDDED.search(value)
    ]
    return found


def perhaps_about(words: str, roster: Roster, names: Mapping[UUID, str], school: UUID) -> frozenset[UUID]:
    """Everybody at a school or the trust whom the reporter's words may mean, by surname, whole name or post.

    They are kept out as if the report had named them: better somebody too many than the one whom it is about.
    """
    said = [one.casefold() for one in _WORD.findall(words)]
    found: set[UUID] = set()
    for word in said:
        role = _POSTS.get(word)
        if role is not None:
            found |= set(roster.holders(role, school)) | set(roster.holders(role, None))
    meant = set(said) - _TITLES - set(_POSTS)
    for person, name in names.items():
        parts = [one.casefold() for one in _WORD.findall(name)]
        here = any(post.person == person and post.school in {school, None} for post in roster.posts)
        if here and parts and (parts[-1] in meant or len(meant & set(parts)) > 1):
            found.add(person)
    return frozenset(found)


def subjects(values: Mapping[str, Any]) -> frozenset[UUID]:
    """Everybody whom a report names."""
    return people_in(values.get("about"))


def new_code(choose: Any) -> str:
    """Twelve signs that nobody misreads, in threes of four: what only the reporter knows."""
    signs = [choose(_SIGNS) for _ in range(12)]
    return "-".join("".join(signs[at : at + 4]) for at in (0, 4, 8))


def code_hash(code: str) -> bytes:
    """What is kept of it. Sixty bits chosen at random: nobody finds it by trying."""
    return sha256(b"receipt " + tidy_code(code).encode()).digest()


def tidy_code(code: str) -> str:
    """As it was given, however it was typed."""
    return "".join(one for one in code.upper() if one in _SIGNS)


def without(values: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The answers but for some."""
    out = set(keys)
    return {key: value for key, value in values.items() if key not in out}
