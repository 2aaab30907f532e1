"""Other documents that a policy names: L24, L25."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import Indel

from trustportal.policies.domain.lint.model import Severity
from trustportal.policies.domain.lint.registry import Context, Hit, Piece, rule

_CAP = r"[A-Z][\w'’-]{0,25}"
_LINK = r"(?:and|of|for|the|to|on|in|with|&|[–-])"
_KIND = (
    r"(?:Policy|Policies|Procedures?|Agreements?|Handbook|Charter|Code\sof\sConduct|Code\sof\sPractice|"
    r"Terms\sof\sUse\sAgreement|House\sRules)"
)
_TITLE = re.compile(
    rf"(?:{_CAP}(?:[ \t]{_LINK})?[ \t](?:{_LINK}[ \t])?){{0,9}}{_KIND}\b"
    r"(?:[ \t]and[ \t](?:Policy|Procedures?)\b)?"
    rf"(?:[ \t]for[ \t](?:the[ \t])?{_CAP}(?:,?[ \t](?:&|and)?[ \t]?{_CAP}){{0,3}})?"
)
_SIGNED = re.compile(
    r"\b(?:sign|signs|signed|signing|complete|completes)\s+(?:our|the|an?|this)\s+"
    r"(?P<title>(?:[a-z][\w'’-]{1,20}\s+){1,5}(?:policy|agreement|code\sof\sconduct))\b"
)
_LISTS = re.compile(
    r"\b(?:read\s+(?:in\s+conjunction|with|alongside|together)|in\s+conjunction\s+with|related\s+(?:policies|documents)|"
    r"following\s+(?:school\s+|trust\s+)?polic(?:y|ies))\b",
    re.IGNORECASE,
)
_OPENERS = re.compile(
    r"^(?:The|Our|This|These|Any|All|In|See|A|An|Each|Both|Their|Under|Please|School|Schools|Trust)\s+(?=\S)"
)
_LEAD = re.compile(rf"^.*\b(?:the|our|this|an?|any)\s+(?=[A-Z].*{_KIND})")
_POSSESSIVE = re.compile(r"^.*['’]s?\s+(?=[A-Z])")
_PLURALS = re.compile(r"(?<=[a-z]{3})s\b")


@dataclass(frozen=True, slots=True)
class Named:
    """A document that the text names."""

    piece: Piece
    title: str
    start: int
    end: int


@lru_cache(4096)
def _plain(title: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", title.casefold()))


@lru_cache(4096)
def _stem(title: str) -> str:
    """A title without endings of the plural: "policies" is "policy"."""
    return " ".join(_PLURALS.sub("", word.replace("policies", "policy")) for word in _plain(title).split())


def related_titles(context: Context) -> frozenset[str]:
    """Titles of the related policies: of the header, and of the lists in the text."""
    found = {_plain(title) for title in context.document.related}
    for piece in _list_pieces(context):
        for line in re.split(r"\n|✦|;", piece.text):
            entry = line.strip().lstrip("-*• ").rstrip(". ")
            if entry and not _LISTS.search(entry):
                found.add(_plain(entry))
        found.update(_plain(one.title) for one in _titles(piece))
    return frozenset(found - {""})


def _list_pieces(context: Context) -> list[Piece]:
    """The clauses that list related policies, with what stands directly below them."""
    leads = {piece.clause for piece in context.pieces if _LISTS.search(piece.text)}
    below = {one for lead in leads for one in context.children.get(lead, ())}
    return [piece for piece in context.texts if piece.clause in leads | below]


def _titles(piece: Piece) -> Iterator[Named]:
    if not any(
        word in piece.text
        for word in ("Polic", "Procedure", "Agreement", "Handbook", "Code of", "Charter", "House Rules")
    ):
        return
    for found in _TITLE.finditer(piece.text):
        title = found[0]
        for opening in (_LEAD, _POSSESSIVE, _OPENERS):
            title = opening.sub("", title)
        while (shorter := _OPENERS.sub("", title)) != title:
            title = shorter
        start = found.end() - len(title)
        for part in _apart(title):
            if len(part[0].split()) > 1 and not _NO_DOCUMENT.match(part[0]):
                yield Named(piece, part[0], start + part[1], start + part[1] + len(part[0]))


_NO_DOCUMENT = re.compile(
    r"(?:Government|National|Public|Local|Government['’]s|Education)\s(?:Policy|Policies|Procedures?)$"
)
_BETWEEN = re.compile(
    r"(?<=Policy)\s(?:and|or)\s(?=[A-Z][\w-]+\s)|(?<=Procedures)\s(?:and|or)\s(?=[A-Z][\w-]+\s)"
)


def _apart(title: str) -> Iterator[tuple[str, int]]:
    """“Behaviour Policy and Uniform Policy” are two documents: each with its offset."""
    start = 0
    for gap in _BETWEEN.finditer(title):
        yield title[start : gap.start()], start
        start = gap.end()
    yield title[start:], start


def named_documents(context: Context) -> Iterator[Named]:
    """Every document that a text names with capitals, or asks to be signed."""
    for piece in context.texts:
        yield from (one for one in _titles(piece) if not context.in_furniture(piece, one.start))
    for piece, found in context.scan(_SIGNED, any_of=("sign", "complete"), headings=False):
        yield Named(piece, found["title"], *found.span("title"))


def _own_titles(context: Context) -> frozenset[str]:
    headings = {_plain(clause.heading) for clause in context.clauses if clause.heading}
    return frozenset(headings | {_plain(context.document.title)} | {_plain(c.label) for c in context.clauses})


@rule("L24", "Document named but not listed or attached", Severity.WARNING, heuristic=True)
def unlisted_document(context: Context) -> Iterator[Hit]:
    related = context.keep("related titles", lambda: related_titles(context))
    stems = {_stem(title) for title in related}
    own = _own_titles(context)
    lists = {piece.clause for piece in _list_pieces(context)}
    told: set[str] = set()
    for named in context.keep("named documents", lambda: tuple(named_documents(context))):
        plain, stem = _plain(named.title), _stem(named.title)
        if stem in told or named.piece.clause in lists:
            continue
        if plain in related or stem in stems or plain in own or _known(stem, stems):
            continue
        told.add(stem)
        yield named.piece.hit(
            f"“{named.title}” is not among the related policies. Add it there, attach it, or take it out.",
            named.start,
            named.end,
        )


def _known(stem: str, stems: set[str]) -> bool:
    """Whether a listed title is this one with more words: "Staff Code of Conduct" for "code of conduct"."""
    words = set(stem.split()) - {"and", "of", "the", "for"}
    return any(words <= set(listed.split()) for listed in stems)


_AUDIENCE = re.compile(
    r"\bfor\s+(?P<who>parents?|pupils?|students?|staff)\b|\b(?P<lead>parents?|pupils?|students?|staff)\b",
    re.I,
)
_RULES = re.compile(r"\b(?:code of conduct|acceptable use)\b", re.IGNORECASE)


@rule("L25", "One document under two names", Severity.WARNING, heuristic=True, local=False)
def two_names(context: Context) -> Iterator[Hit]:
    related = context.keep("related titles", lambda: related_titles(context))
    first: dict[str, Named] = {}
    for named in context.keep("named documents", lambda: tuple(named_documents(context))):
        first.setdefault(_plain(named.title), named)
    ordered = sorted(first.items(), key=lambda one: (one[1].piece.clause, one[1].start))
    told: set[str] = set()
    for position, (plain, named) in enumerate(ordered):
        for earlier, other in ordered[:position]:
            if plain in told or not _same(plain, earlier, related):
                continue
            told.add(plain)
            yield named.piece.hit(
                f"Clause {context.name(other.piece.clause)} calls this “{other.title}”. Use one name for one document.",
                named.start,
                named.end,
            )


def _same(one: str, other: str, related: frozenset[str]) -> bool:
    if _stem(one) == _stem(other):
        return True
    # One letter or two apart, as by a plural.
    if min(len(one), len(other)) > 8 and Indel.distance(one, other, score_cutoff=2) <= 2:
        return True
    if one in related or other in related or not (_RULES.search(one) and _RULES.search(other)):
        return False
    first, second = _audience(one), _audience(other)
    return first != "" and first == second


def _audience(title: str) -> str:
    found = _AUDIENCE.search(title)
    return (found["who"] or found["lead"]).lower().rstrip("s") if found else ""
