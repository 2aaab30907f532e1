"""Names: of roles, of the organisation, of suppliers and people, and words for the same thing: L29 to L34, L45."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from trustportal.policies.domain.clauses import Kind
from trustportal.policies.domain.lint.dictionary import RecordKind
from trustportal.policies.domain.lint.front import personal_names
from trustportal.policies.domain.lint.model import Severity, Source
from trustportal.policies.domain.lint.registry import Context, Hit, Piece, rule


@dataclass(frozen=True, slots=True)
class _Family:
    """One post and the ways in which policies write it: (name of the way, pattern, a literal in every match)."""

    post: str
    ways: tuple[tuple[str, re.Pattern[str], str], ...]


def _ways(*ways: tuple[str, str]) -> tuple[tuple[str, re.Pattern[str], str], ...]:
    return tuple((name, re.compile(pattern), name.split()[0].rstrip("s")) for name, pattern in ways)


_OTHER_POST = re.compile(r"\b(?:deputy|assistant|executive|associate|vice)\s$", re.IGNORECASE)
_FAMILIES = (
    _Family(
        "the head",
        _ways(
            ("headteacher", r"\b[Hh]eadteachers?\b"),
            ("head teacher", r"\b[Hh]ead[ -][Tt]eachers?\b"),
            ("head of school", r"\b[Hh]ead\s[Oo]f\s[Ss]chool\b"),
            ("principal", r"\b(?:Principal|the\sprincipal(?!\s(?:of|aim|purpose|reason|act))\b)"),
        ),
    ),
    _Family(
        "the network manager",
        _ways(
            ("network manager", r"(?<!Trust\s)\b[Nn]etwork\s[Mm]anager\b"),
            ("network lead", r"\b[Nn]etwork\s[Ll]ead\b"),
            ("network administrator", r"\b[Nn]etwork\s[Aa]dministrator\b"),
        ),
    ),
    _Family(
        "the business manager",
        _ways(
            ("school business manager", r"\b[Ss]chool\s[Bb]usiness\s[Mm]anager\b"),
            ("bursar", r"\b[Bb]ursar\b"),
            ("business lead", r"\b[Bb]usiness\s[Ll]ead\b"),
        ),
    ),
    _Family(
        "the safeguarding lead",
        _ways(
            ("designated safeguarding lead", r"\b[Dd]esignated\s[Ss]afeguarding\s[Ll]ead\b"),
            ("designated safeguarding officer", r"\b[Dd]esignated\s[Ss]afeguarding\s[Oo]fficer\b"),
            (
                "designated child protection officer",
                r"\b[Dd]esignated\s[Cc]hild\s[Pp]rotection\s[Oo]fficer\b",
            ),
        ),
    ),
    _Family(
        "the chair",
        _ways(
            ("chair of governors", r"\b[Cc]hair\sof\s(?:the\s)?[Gg]overnors\b"),
            ("chair of the governing body", r"\b[Cc]hair\sof\s(?:the\s)?[Gg]overning\s[Bb]o(?:dy|ard)\b"),
            ("chairman of governors", r"\b[Cc]hair(?:man|person)\sof\s(?:the\s)?[Gg]overnors\b"),
        ),
    ),
)
_VAGUE = re.compile(
    r"\b(?:relevant|appropriate|nominated)\s+(?:school\s+|trust\s+|academy\s+)?(?:officer|manager)\b"
)
_POSTS = ("manager", "officer", "lead", "ordinator", "director")
_POST = re.compile(
    r"\b(?:The\s)?(?P<post>(?:[A-Z][a-z]{2,20}\s){1,3}(?:Manager|Officer|Lead|Coordinator|Co-ordinator|Director))\b(?!\s+of\b)"
)


@rule("L29", "Post called by two names, or not known", Severity.WARNING, heuristic=True)
def role_names(context: Context) -> Iterator[Hit]:
    labels = "\n".join(fact.label for fact in context.document.header)
    for family in _FAMILIES:
        places: dict[str, list[tuple[Piece, re.Match[str]]]] = {}
        extra: Counter[str] = Counter()
        for way, pattern, needle in family.ways:
            found = [
                (piece, match)
                for piece, match in context.scan(pattern, needle)
                if not _OTHER_POST.search(piece.text[max(0, match.start() - 12) : match.start()])
            ]
            extra[way] = sum(1 for _ in pattern.finditer(labels))
            if found or extra[way]:
                places[way] = found
        if len(places) < 2:
            continue
        usual = max(places, key=lambda way: len(places[way]) + extra[way])
        for way, found in places.items():
            if way != usual and found:
                piece, match = found[0]
                yield piece.match(
                    f"Elsewhere this policy says “{usual}” for {family.post}. Use one name, best a placeholder.",
                    match,
                )
    for piece, match in context.scan(_VAGUE, any_of=("officer", "manager")):
        yield piece.match("It is not said who this is. Name the post.", match)
    known = {role.casefold() for role in context.document.roles}
    if not known:
        return
    told: set[str] = set()
    for piece, match in context.scan(_POST, any_of=_POSTS, headings=False):
        post = match["post"].casefold()
        if post in known or post in told or any(post in role or role in post for role in known):
            continue
        told.add(post)
        yield piece.match(
            "The trust has no post of this name. Use its own name for it, best a placeholder.", match, "post"
        )


#: Words of posts, and what may stand for them without being a slip.
_ROLE_WORDS: dict[str, frozenset[str]] = {
    "headteacher": frozenset({"headteachers"}),
    "governors": frozenset({"governor", "governors'"}),
    "safeguarding": frozenset(),
    "trustees": frozenset({"trustee"}),
    "designated": frozenset(),
}
_BEFORE_MANAGER = frozenset({"line", "network", "business", "site", "office"})
_TOKEN = re.compile(r"[A-Za-z]+")


@rule("L30", "Post misspelt", Severity.WARNING)
def role_typo(context: Context) -> Iterator[Hit]:
    slips = {word: right for word in set(_TOKEN.findall(context.whole_lowered)) if (right := _meant(word))}
    for slip in sorted(slips):
        for piece, found in context.scan(
            re.compile(rf"(?<![A-Za-z]){slip}(?![A-Za-z])", re.IGNORECASE), slip
        ):
            right = slips[slip]
            before = _BEFORE.search(piece.text[max(0, found.start() - 20) : found.start()])
            if right != "manager" or (before and before[1].lower() in _BEFORE_MANAGER):
                yield piece.match(f"This looks like a slip for “{right}”.", found)


_BEFORE = re.compile(r"([A-Za-z]+)[^A-Za-z]*$")


def _meant(word: str) -> str:
    """The word of a post that a word in small letters may be a slip for; "" for none."""
    if word[0] == "m" and 5 <= len(word) <= 9 and word not in ("manager", "managers", "manage", "managed"):
        return "manager" if Levenshtein.distance(word, "manager", score_cutoff=2) <= 2 else ""
    if not 7 <= len(word) <= 13:
        return ""
    return next(
        (
            right
            for right, fine in _ROLE_WORDS.items()
            if word[0] == right[0]
            and word != right
            and word not in fine
            and Levenshtein.distance(word, right, score_cutoff=1) <= 1
        ),
        "",
    )


_TWO_POSTS = re.compile(
    r"\b[Tt]he\s+(?P<one>(?:[A-Z][\w-]{1,20}\s+){1,4}|(?:[a-z]{3,20}\s+){0,2}(?:manager|headteacher|lead|governors|principal|officer)\s+)"
    r"and\s+(?:the\s+)?(?P<two>(?:[A-Z][\w-]{1,20}\s+){1,4}|(?:[a-z]{3,20}\s+){0,2}(?:manager|headteacher|lead|governors|principal|officer)\s+)"
    r"(?P<verb>is|has|was)\b"
)
_POST_WORD = re.compile(
    r"\b(?:manager|lead|officer|headteacher|principal|governors?|teacher|director|chair|trustee)\b", re.I
)


@rule("L31", "Two posts, one verb", Severity.INFORMATION)
def singular_plural(context: Context) -> Iterator[Hit]:
    plural = {"is": "are", "has": "have", "was": "were"}
    for piece, found in context.scan(_TWO_POSTS, " and "):
        if _POST_WORD.search(found["one"]) and _POST_WORD.search(found["two"]):
            yield piece.match(
                f"Two posts are named, so write “{plural[found['verb']]}”, or name the one that is meant.",
                found,
            )


_COUNCIL = re.compile(
    r"\b(?:(?:[A-Z][a-z]+(?:[ -][A-Z][a-z]+){0,3})\s+)?"
    r"(?:County|City|Borough|District|Metropolitan)\s+Council\b"
)
_COUNCIL_HOST = re.compile(r"\b(?:https?://)?(?:www\.)?(?P<host>[a-z][a-z-]{2,30})\.gov\.uk\b")
_SETTING = re.compile(
    r"\b(?:the|our|within the|of the|this)\s+setting\b(?!\s+(?:up|out|of|for|aside|in)\b)|"
    r"\bsetting(?=\s+(?:hours|devices|provided|staff|community|leaders?)\b)"
)


@rule("L32", "Another organisation’s name, or ours written differently", Severity.WARNING, heuristic=True)
def organisation_names(context: Context) -> Iterator[Hit]:
    document = context.document
    ours = {name.casefold() for name in document.authorities}
    foreign = "This names a council that is not the trust’s. Take it out, or use a placeholder."
    for piece, found in context.scan(_COUNCIL, "council"):
        if found[0].casefold() not in ours:
            yield piece.match(foreign, found)
    for fact in document.header:
        for host in _COUNCIL_HOST.finditer(fact.value):
            if _is_foreign(context, host["host"]):
                yield Hit(foreign, None, f"header:{fact.name}", *host.span())
    for piece, found in context.scan(_COUNCIL_HOST, ".gov.uk"):
        if _is_foreign(context, found["host"]):
            yield piece.match(foreign, found)
    yield from _variants(context)
    if document.template and document.source is Source.DRAFT:
        for piece in context.pieces:
            for name in document.school_names:
                start = piece.text.find(name)
                if start >= 0:
                    yield piece.hit(
                        "This names one school in a text for all of them. Write {{school.name}}.",
                        start,
                        start + len(name),
                    )
    others = re.search(r"\b(?:[Ss]chools?|[Tt]rust|[Aa]cadem(?:y|ies))\b", context.whole)
    if others:
        for piece, found in context.scan(_SETTING, "setting"):
            yield piece.match(
                "“Setting” comes from another kind of organisation. Say “school” or “trust” throughout.",
                found,
            )
            break


def _is_foreign(context: Context, host: str) -> bool:
    if host in context.dictionary.national_hosts:
        return False
    return not any(
        host in authority.casefold().replace(" ", "") for authority in context.document.authorities
    )


_WORDS = re.compile(r"[^\W_]+")


def _variants(context: Context) -> Iterator[Hit]:
    """The organisation as its header writes it, against how the text writes the same words."""
    fact = context.document.fact("organisation")
    if fact is None:
        return
    bare = re.sub(r"\([^()]*\)", " ", fact.value)
    words = _WORDS.findall(bare)
    if len(words) < 2:
        return
    pattern = re.compile(r"\b" + r"[\s–—,.'’-]{1,4}".join(map(re.escape, words)) + r"\b", re.IGNORECASE)
    written = Counter(" ".join(found[0].split()) for _, found in context.scan(pattern))
    if not written:
        return
    usual = written.most_common(1)[0][0]
    if usual.casefold() != " ".join(fact.value.split()).casefold():
        yield Hit(
            f"The text calls the organisation “{usual}”. Use one name, best a placeholder.",
            None,
            "header:organisation",
            0,
            len(fact.value),
        )
    for piece, found in context.scan(pattern):
        if " ".join(found[0].split()).casefold() != usual.casefold():
            yield piece.match(
                f"Elsewhere the organisation is “{usual}”. Use one name, best a placeholder.", found
            )
            break


_TERMS: tuple[tuple[tuple[str, re.Pattern[str], str], ...], ...] = (
    _ways(
        ("pupils", r"\b[Pp]upils?\b"),
        ("students", r"\b[Ss]tudents?\b"),
        ("learners", r"\blearners?\b"),
    ),
    _ways(
        ("school", r"\b(?:[Tt]he|[Oo]ur|this|each)\s[Ss]chool\b"),
        ("setting", _SETTING.pattern),
        ("academy", r"\b[Tt]he\s[Aa]cademy\b"),
    ),
)


@rule("L33", "Several words for one thing", Severity.INFORMATION)
def terminology(context: Context) -> Iterator[Hit]:
    for group in _TERMS:
        places = {
            term: list(context.scan(pattern, needle, headings=False)) for term, pattern, needle in group
        }
        used = {term: found for term, found in places.items() if found}
        if len(used) < 2:
            continue
        # "School" is what a school is, however often a text says otherwise.
        usual = "school" if "school" in used else max(used, key=lambda term: len(used[term]))
        for term, found in used.items():
            if term != usual:
                piece, match = found[0]
                yield piece.match(f"Elsewhere this policy says “{usual}”. Use one word for one thing.", match)


_SUPPLIER = re.compile(
    r"\b(?:[Mm]anager|[Ll]ead|[Pp]rovider|[Ss]upplier|[Tt]eam)\s\((?P<name>[A-Z0-9][\w&.-]{2,24})\)"
)


@rule("L34", "Supplier, product or person named in a template", Severity.WARNING, heuristic=True, local=False)
def supplier_names(context: Context) -> Iterator[Hit]:
    said = "This names a supplier or product. Write a placeholder, so that each school can name its own."
    for name, start, end in personal_names(context):
        yield Hit("This looks like a person’s name. Name the post.", None, f"header:{name}", start, end)
    told: set[tuple[int, str]] = set()
    for piece, mention in context.mentions:
        if mention.record.kind is RecordKind.SUPPLIER and (piece.clause, mention.record.id) not in told:
            told.add((piece.clause, mention.record.id))
            yield piece.hit(said, mention.start, mention.end, record=mention.record.id)
    names = {
        found["name"]
        for _, found in context.scan(_SUPPLIER, " (")
        # DSL, SLT and the like stand for a post; a name has digits, or small letters too
        if re.search(r"\d", found["name"]) or re.search(r"[a-z][A-Z]", found["name"])
    }
    for name in sorted(names):
        for piece, found in context.scan(re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")):
            yield piece.match(said, found)


_SCOPE = re.compile(
    r"\bapplies\s+to\b(?P<who>[^.\n]{0,200}?)\b(?:at|of|in|by)\s+the\s+(?:school|academy)\b", re.IGNORECASE
)
_CENTRAL = re.compile(r"\b(?:trust|central|trustees?|schools)\b", re.IGNORECASE)


@rule(
    "L45",
    "Applies to “the school” only, though it is the trust’s",
    Severity.WARNING,
    heuristic=True,
    local=False,
)
def scope_gap(context: Context) -> Iterator[Hit]:
    document = context.document
    organisation = document.value("organisation") or document.trust_name
    if not document.template and not re.search(
        r"\b(?:trust|academies|federation)\b", organisation, re.IGNORECASE
    ):
        return
    for piece, found in context.scan(_SCOPE, "applies", headings=False):
        if context.clauses[piece.clause].kind is Kind.APPENDIX:
            continue
        sentence = piece.text[found.start() :].partition("\n")[0].partition(". ")[0]
        if not _CENTRAL.search(sentence):
            yield piece.match(
                "This leaves out the trust’s central staff and trustees. Say “at the trust and its schools”.",
                found,
            )
