"""What a policy about safeguarding has to say, and what it must not: L38 to L42, L49, L50."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trustportal.policies.domain.clauses import Kind
from trustportal.policies.domain.lint.model import Severity
from trustportal.policies.domain.lint.registry import Context, Hit, rule

__all__ = ["looks_like_safeguarding"]


def _any(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_TITLES = _any(
    r"\b(?:safeguarding|child\s+protection|social\s+media|social\s+networking|online\s+safety|e-?safety|allegations?|"
    r"low[- ]level\s+concerns?|code\s+of\s+conduct|whistle-?blowing|acceptable\s+use|safer\s+recruitment|"
    r"intimate\s+care|"
    r"positive\s+handling|behaviour|anti-?bullying)\b"
)


def looks_like_safeguarding(title: str) -> bool:
    """Whether a policy is about safeguarding, judged by its title: a suggestion until a person has said so."""
    return _TITLES.search(title) is not None


_HEAD = r"(?:head\s?teacher|head\s+teacher|head\s+of\s+school|principal|\{\{\s*role\.headteacher\s*\}\}|the\s+head\b)"
_ABOVE = (
    r"(?:chair(?:man|person)?\s+of\s+(?:the\s+)?(?:governors|governing\s+(?:body|board)|trust\s+board|trustees|"
    r"academy\s+council|local\s+(?:governing|academy)\s+(?:body|board|council|committee))|"
    r"\{\{\s*role\.chair_of_governors\s*\}\}|chief\s+executive|CEO|LADO|designated\s+officer)"
)
_CONCERN = r"(?:concerns?|allegations?|complaints?)"
_HEAD_ROUTE = (
    _any(
        rf"\b{_CONCERN}\b[^.\n|]{{0,80}}\b(?:about|against|involv\w+|regarding|relat\w+\s+to|is)\b[^.\n|]{{0,40}}{_HEAD}"
    ),
    _any(rf"\babout\s+(?:the\s+)?{_HEAD}"),
)
_HEAD_RE, _ABOVE_RE, _CONCERN_RE = (
    _any(_HEAD),
    _any(rf"\b{_ABOVE}|{{{{\s*role\.chair"),
    _any(rf"\b{_CONCERN}\b"),
)


def _routes_the_head(text: str) -> bool:
    return (
        bool(_ABOVE_RE.search(text))
        and bool(_CONCERN_RE.search(text))
        and any(pattern.search(text) for pattern in _HEAD_ROUTE)
    )


@rule(
    "L38",
    "No route for an allegation about the head",
    Severity.ERROR,
    local=False,
    waivable=True,
)
def head_route(context: Context) -> Iterator[Hit]:
    if not context.document.safeguarding:
        return
    if not any(_routes_the_head(f"{clause.heading}\n{clause.text}") for clause in context.clauses):
        yield Hit(
            "Nothing says where a concern or allegation about the head goes."
            " Say that it goes to the chair of governors, and to the LADO where the chair is involved."
        )


_DSL = r"(?:DSLs?\b|designated\s+safeguarding\s+lead|\{\{\s*role\.dsl\s*\}\})"
_ADULT_CONDUCT = _any(
    rf"\b{_CONCERN}\b[^.\n]{{0,60}}\b(?:conduct|behaviour|actions?)\b[^.\n]{{0,40}}\b(?:of\s+)?(?:any\s+|a\s+)?"
    r"(?:members?\s+of\s+(?:staff|the\s+[\w ]{0,20}community)|staff(?:\s+members?)?|adults?|employees?|"
    r"colleagues?|volunteers?)\b"
    rf"[^.\n]{{0,120}}?\b(?:reported|referred|passed|raised|directed|taken|sent)\s+(?:directly\s+|immediately\s+)?(?:to|with)\s+(?:the\s+)?(?P<who>{_DSL})"
)
_ADULT_ALLEGATION = _any(
    rf"\ballegations?\s+(?:against|about)\s+(?:a\s+|any\s+)?(?:members?\s+of\s+staff|staff|adults?|employees?)\b"
    rf"[^.\n]{{0,120}}?\b(?:reported|referred|passed|raised)\s+(?:to|with)\s+(?:the\s+)?(?P<who>{_DSL})"
)


@rule(
    "L39",
    "Conduct of staff is routed to the safeguarding lead, not the head",
    Severity.ERROR,
    heuristic=True,
    waivable=True,
)
def staff_to_dsl(context: Context) -> Iterator[Hit]:
    if not context.document.safeguarding:
        return
    for pattern in (_ADULT_CONDUCT, _ADULT_ALLEGATION):
        for piece, found in context.scan(pattern, any_of=("dsl", "safeguarding"), headings=False):
            if _HEAD_RE.search(found[0]) or re.search(
                r"\b(?:not|never)\s+(?:be\s+)?(?:reported|referred|sent)", found[0]
            ):
                continue
            yield piece.match(
                "A concern about an adult goes to the head, one about the head to the chair of governors."
                " The safeguarding lead receives concerns about pupils.",
                found,
            )


_LADO = _any(r"\bLADO\b|\bdesignated\s+officers?\b|\{\{\s*contact\.lado\s*\}\}")


@rule("L40", "The LADO is not mentioned", Severity.ERROR, local=False, waivable=True)
def no_lado(context: Context) -> Iterator[Hit]:
    if context.document.safeguarding and not _LADO.search(context.whole):
        yield Hit(
            "The local authority designated officer (LADO) is not mentioned."
            " Say that an allegation that may meet the harm threshold is reported to the LADO within one working day."
        )


_SCREENSHOT = _any(r"\bscreen[\s-]?(?:shots?|prints?|grabs?|captures?)\b|\bprint\s+screens?\b")
_IMAGE_RULE = _any(
    r"\b(?:indecent|nude|semi-nude|sexual|intimate)\b[^.\n]{0,80}\b(?:images?|pictures?|photos?|photographs?|videos?)\b|"
    r"\b(?:images?|pictures?|photos?)\b[^.\n]{0,60}\b(?:indecent|nude|sexual)\b"
)
_MUST_NOT = _any(
    r"\b(?:(?:do|must|should|never|not)\b[^.\n]{0,60}\b(?:sav|cop|forward|shar|view|send|print|download|screenshot)\w*|"
    r"offence\b[^.\n]{0,40}\b(?:sav|send|alter|cop|shar|show)\w*)"
)


@rule(
    "L41",
    "Screenshots are asked for without the rule about images of children",
    Severity.ERROR,
    waivable=True,
)
def image_evidence(context: Context) -> Iterator[Hit]:
    if not context.document.safeguarding:
        return
    if "screen" not in context.whole_lowered:
        return
    if any(_IMAGE_RULE.search(clause.text) and _MUST_NOT.search(clause.text) for clause in context.clauses):
        return
    for piece, found in context.scan(_SCREENSHOT, "screen", headings=False):
        yield piece.match(
            "Staff are asked to keep screenshots, and nothing says what not to copy."
            " Add that a nude or indecent image of a child is never saved, copied or sent on, and who is told.",
            found,
        )
        break


_NO_SEARCH = _any(
    r"\b(?:should|must|will|may|do|shall)\s+(?:not|never)\b[^.\n]{0,60}\b(?:search(?:es)?|check(?:s)?|look\s+up)\b"
    r"[^.\n]{0,60}\b(?:applicants?|candidates?)\b"
)


@rule("L42", "Online checks of applicants are forbidden", Severity.WARNING, heuristic=True)
def no_online_search(context: Context) -> Iterator[Hit]:
    for piece, found in context.scan(_NO_SEARCH, "ca", headings=False):
        yield piece.match(
            "Statutory guidance asks schools to consider an online search on shortlisted candidates."
            " Say who does it, what is looked at, and that candidates are told.",
            found,
        )


_UK_GDPR = _any(r"\bUK\s+GDPR\b|\bUK\s+General\s+Data\s+Protection\s+Regulation\b")
_LAW_HEADING = _any(r"\b(?:legislation|legal|law|laws|statutory)\b")
_DATA_LAW = _any(r"\bdata\s+protection\b|\bpersonal\s+data\b|\bconfidential(?:ity)?\b")
_PERSONAL_DATA = _any(r"\bpersonal\s+data\b")


@rule("L49", "UK GDPR is not mentioned", Severity.WARNING, local=False)
def no_uk_gdpr(context: Context) -> Iterator[Hit]:
    if _UK_GDPR.search(context.whole):
        return
    said = (
        "Personal data is at stake and the UK GDPR is not named. Name it beside the Data Protection Act 2018."
    )
    for index, clause in enumerate(context.clauses):
        if clause.kind is not Kind.SECTION or not _LAW_HEADING.search(clause.heading):
            continue
        if any(_DATA_LAW.search(words) for words in _part(context, index)):
            yield Hit(said, index, "heading", 0, len(clause.heading))
            return
    for piece, found in context.scan(_PERSONAL_DATA, "personal"):
        yield piece.match(said, found)
        return


def _part(context: Context, index: int) -> Iterator[str]:
    """The texts of a clause and of all below it."""
    depth = context.clauses[index].depth
    yield context.clauses[index].text
    for clause in context.clauses[index + 1 :]:
        if clause.depth <= depth and clause.kind is not Kind.SUBHEADING:
            return
        yield clause.text


_COMMERCE = _any(r"\bcommerce\b")
_THREE = frozenset({"content", "contact", "conduct"})
_THREE_CS = _any(
    r"\b(?:content|contact|conduct)\b\W{1,6}(?:content|contact|conduct)\b\W{1,6}(?:and\s+|or\s+)?(?:content|contact|conduct)\b"
)


@rule("L50", "Three kinds of online risk instead of four", Severity.INFORMATION)
def three_cs(context: Context) -> Iterator[Hit]:
    if _COMMERCE.search(context.whole):
        return
    said = "The risks online are taught in four groups: content, contact, conduct and commerce. Add commerce."
    headed = {
        clause.heading.strip(" :").casefold(): index
        for index, clause in reversed(list(enumerate(context.clauses)))
    }
    if set(headed) >= _THREE:
        index = min(headed[name] for name in _THREE)
        yield Hit(said, index, "heading", 0, len(context.clauses[index].heading))
        return
    for piece, found in context.scan(_THREE_CS, "content", "contact", "conduct", headings=False):
        if {word.lower() for word in re.findall(r"[A-Za-z]+", found[0])} >= _THREE:
            yield piece.match(said, found)
            return
