"""Words: slips of the pen, contradictions, overstatement, sentences that lead nowhere: L36, L37, L43, L44."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trustportal.policies.domain.clauses import Kind
from trustportal.policies.domain.lint.model import Severity
from trustportal.policies.domain.lint.registry import Context, Hit, Piece, rule

_PEOPLE = (
    r"(?:pupils?|students?|staff|employees|governors|trustees|parents|suppliers|members|volunteers|policies|own|"
    r"reputation|values|ethos|community|website|duty|duties|responsibilities|obligations)"
)
#: (a literal in small letters that every match holds, the pattern, what to say)
_SLIPS: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (needle, re.compile(pattern), said)
    for needle, pattern, said in (
        ("it", rf"\b[Ii]t['’]s(?=\s+{_PEOPLE}\b)", "“It’s” means “it is”. Write “its”."),
        (
            "maybe",
            r"(?<=[a-z]\s)maybe(?=\s+(?:an?|the|subject|taken|used|required|considered|dealt|treated|asked)\b)",
            "Write “may be”, in two words.",
        ),
        ("abide", r"\babides?(?=\s+(?:the|this|these|our|all)\b)", "Write “abide by”."),
        ("the and", r"\bthe\s+and\b", "A word is missing or too many here."),
        (
            "enquires",
            r"(?:(?<=police\s)|(?<=any\s)|(?<=all\s)|(?<=media\s)|(?<=press\s)|(?<=further\s))enquires\b",
            "Write “enquiries”.",
        ),
        (
            "not to",
            r"\b(?:should|must|will|may|can|could|would|shall)\s+not\s+to(?=\s+[a-z])(?!\s+(?:be\s+)?mention\b)",
            "“To” is too many here.",
        ),
        ("regarding to", r"\bregarding\s+to\b", "Write “regarding”, or “with regard to”."),
        (" of", r"\b(?:should|could|would|must|might)\s+of\b(?!\s+course)", "Write “have” for “of”."),
        (
            "/",
            r"\b(?P<twice>[A-Za-z]{4,30})/(?P=twice)\b",
            "Both words are the same. Write it once, or the word that was meant.",
        ),
        (
            "",
            r"\b(?P<again>(?!(?:had|that|bye|no|is|in|on)\b)[a-z]{2,20})[ \t\n]+(?P=again)\b(?![-'’])",
            "This word stands twice.",
        ),
    )
)


@rule("L36", "Slip of the pen", Severity.INFORMATION)
def word_slips(context: Context) -> Iterator[Hit]:
    for piece in context.pieces:
        lowered = piece.text.lower()
        for needle, pattern, said in _SLIPS:
            if needle and needle not in lowered:
                continue
            for found in pattern.finditer(piece.text):
                yield piece.match(said, found)


def _any(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


#: (literal, one statement, literal, another that does not go with it, what to say); the finding stands at the first.
_PAIRS: tuple[tuple[str, re.Pattern[str], str, re.Pattern[str], str], ...] = (
    (
        "accessible",
        _any(
            r"\b(?:social\s+media|websites?|sites?)\b[^.\n]{0,40}\bnot\s+(?:be\s+)?accessible\b[^.\n]{0,60}\bat\s+all\b"
        ),
        "permission",
        _any(r"\b(?:network|wi-?fi)\b[^.\n]{0,140}\bunless\b[^.\n]{0,80}\bpermission\b"),
        "Here it cannot be reached at all, in clause {other} it may be with permission.",
    ),
    (
        "moderation",
        _any(
            r"\bmoderation\s+is\s+the\s+responsibility\s+of\s+(?:the|an?)\s+(?:\{\{[\w.]{1,60}\}\}|[\w -]{3,40})"
        ),
        "moderators",
        _any(r"\bat\s+least\s+(?:2|two)\s+(?:approved\s+)?moderators\b"),
        "Here one person moderates, in clause {other} there are at least two moderators.",
    ),
    (
        "attend",
        _any(r"\brequired\s+to\s+attend\s+(?:an?\s+|the\s+)?meetings?\b"),
        "possible",
        _any(r"\battend(?:ing)?\s+meetings?\b[^.\n]{0,140}\bwhere(?:ver)?\s+possible\b"),
        "Here attending is required, in clause {other} only where possible.",
    ),
    (
        "staff",
        _any(
            r"\bstaff\s+(?:must|should|may|will)\s+(?:not|never)\s+use\s+(?:their\s+)?(?:own|personal)\s+(?:devices|phones|mobile\s+phones)\b[^.\n]{0,60}\b(?:at\s+any\s+time|under\s+any\s+circumstances)\b"
        ),
        "staff",
        _any(
            r"\bstaff\s+(?:may|can)\s+use\s+their\s+(?:own|personal)\s+(?:devices|phones|mobile\s+phones)\b"
        ),
        "Here own devices are never used, in clause {other} they may be.",
    ),
)


@rule("L37", "Two clauses contradict each other", Severity.WARNING, heuristic=True)
def contradiction(context: Context) -> Iterator[Hit]:
    for needle, one, other_needle, other, said in _PAIRS:
        against = next(context.scan(other, other_needle, headings=False), None)
        if against is None:
            continue
        for piece, found in context.scan(one, needle, headings=False):
            yield piece.match(
                f"{said.format(other=context.name(against[0].clause))} Decide which holds, and say it once.",
                found,
            )


_OVERSTATED: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "criminal",
        _any(
            r"\ball\s+(?:[a-z]+\s+){0,5}(?:are|is)\s+(?:considered|deemed|regarded\s+as|treated\s+as)?\s*(?:to\s+be\s+)?criminal\b"
        ),
        "Not everything that is meant here is a crime. Say that some of it can be, and who decides.",
    ),
    (
        "statutory",
        _any(r"\bstatutory\s+duty\s+to\s+report\s+(?:\w+\s+){0,4}radicali[sz]ation\b"),
        (
            "The duty in law is to have due regard to preventing people from being drawn into terrorism."
            " Say what staff do."
        ),
    ),
    (
        "prosecuted",
        _any(r"\b(?:will|is\s+guaranteed\s+to)\s+(?:always\s+)?be\s+prosecuted\b"),
        "Whether somebody is prosecuted is not for a school to say. Write “may be reported to the police”.",
    ),
)


@rule("L43", "Law overstated", Severity.INFORMATION, heuristic=True)
def overstated(context: Context) -> Iterator[Hit]:
    for needle, pattern, said in _OVERSTATED:
        for piece, found in context.scan(pattern, needle):
            yield piece.match(said, found)


_CLOSING = re.compile(
    r"^(?:for\s+)?(?:further|more)\s+(?:information|guidance|details|help)\b", re.IGNORECASE
)
_DANGLING = re.compile(
    r"\b(?:the|an?|of|and|or|to|with|for|by|in|that|which|from|their|our)\s*$", re.IGNORECASE
)


@rule("L44", "Last sentence leads nowhere", Severity.INFORMATION, heuristic=True)
def dangling_end(context: Context) -> Iterator[Hit]:
    worded = [piece for piece in context.texts if context.clauses[piece.clause].kind is not Kind.SUBHEADING]
    if not worded:
        return
    last = worded[-1]
    if len(worded) > 1 and _stands_alone(context, worded[-2], last):
        yield last.hit(
            "This sentence follows the end of the part and belongs to nothing before it."
            " Move it to where it belongs, or take it out.",
            0,
            len(last.text),
        )
    ends = last.text.rstrip()
    found = _DANGLING.search(ends)
    if found and not context.children.get(last.clause) and len(ends.split()) > 3:
        yield last.match("The text ends in the middle of a sentence. Finish it.", found)


def _stands_alone(context: Context, before: Piece, last: Piece) -> bool:
    clause = context.clauses[last.clause]
    same_part = context.parents[before.clause] == context.parents[last.clause]
    single = len(re.findall(r"[.!?](?:\s|$)", last.text)) <= 1 and "\n" not in last.text
    return bool(
        same_part
        and single
        and not clause.heading
        and not clause.label
        and _CLOSING.match(before.text.strip())
    )
