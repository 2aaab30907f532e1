"""Numbers, levels and references: L01, L02, L21, L22, L23, L27, L28."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trustportal.policies.domain import references
from trustportal.policies.domain.clauses import Kind
from trustportal.policies.domain.lint.labels import letter_value, paths_of, roman_value, shape, targets
from trustportal.policies.domain.lint.model import Note, Severity, Source
from trustportal.policies.domain.lint.registry import Context, Hit, rule

_IMPORTS = frozenset({Source.IMPORT})
_WORD = re.compile(r"[^\W_]+")


def _label_hit(context: Context, index: int, message: str) -> Hit:
    return Hit(message, index, "label", 0, len(context.clauses[index].label))


@rule("L01", "Duplicate clause number", Severity.ERROR, applies=_IMPORTS, local=False)
def duplicate_number(context: Context) -> Iterator[Hit]:
    first: dict[tuple[object, ...], int] = {}
    for index, path in enumerate(paths_of(context.clauses, context.parents)):
        if not path:
            continue
        kind = shape(context.clauses[index].label)[0]
        # A letter belongs to the clause above it; a decimal number is the same wherever it is printed.
        owner = context.parents[index] if kind in ("sign", "number") else None
        is_appendix = context.clauses[index].kind is Kind.APPENDIX
        earlier = first.setdefault((owner, is_appendix, path), index)
        if earlier != index:
            printed = context.clauses[index].label
            yield _label_hit(
                context,
                index,
                f"The number {printed} is printed twice. Give this clause a number of its own.",
            )


def _value(kind: str, sign: str, last: int | None) -> int | None:
    """The count that a sign stands for; a letter such as i is a Roman number where that continues the run."""
    if sign.isdigit():
        return int(sign)
    letter, roman = letter_value(sign), roman_value(sign)
    if letter is not None and (last is None or letter == last + 1) and not (last is None and roman == 1):
        return letter
    return roman if roman is not None else letter


@rule("L02", "Missing number", Severity.WARNING, applies=_IMPORTS, local=False)
def missing_number(context: Context) -> Iterator[Hit]:
    paths = paths_of(context.clauses, context.parents)
    printed = {path for path in paths if path}
    last: dict[tuple[object, ...], int] = {}
    counted: dict[tuple[str, ...], int] = {}
    for path in paths:
        counted[path[:-1]] = counted.get(path[:-1], 0) + 1
    section: tuple[str, ...] = ()
    told: set[tuple[object, ...]] = set()
    for index, path in enumerate(paths):
        clause = context.clauses[index]
        if not path:
            continue
        kind = shape(clause.label)[0]
        if clause.depth == 0 and kind in ("number", "appendix"):
            section = path
        if kind == "decimal":
            message = _decimal(path, section, printed, last, counted, told)
        elif kind in ("sign", "number") and clause.kind is not Kind.APPENDIX:
            message = _sign(path, context.parents[index], last)
        else:
            message = ""
        if message:
            yield _label_hit(context, index, message)


def _decimal(
    path: tuple[str, ...],
    section: tuple[str, ...],
    printed: set[tuple[str, ...]],
    last: dict[tuple[object, ...], int],
    counted: dict[tuple[str, ...], int],
    told: set[tuple[object, ...]],
) -> str:
    shown, above, count = ".".join(path), path[:-1], int(path[-1])
    before = last.get(above)
    said = ""
    if section and path[0] != section[0]:
        if ("section", section) not in told:
            told.add(("section", section))
            said = f"{shown} stands in section {section[0]}. Number the clauses there {section[0]}.1, {section[0]}.2."
    elif len(above) > 1 and above not in printed and before is None:
        said = f"There is no {'.'.join(above)} above {shown}. Add it, or number this {'.'.join(above)}."
        last[above[:-1]] = max(int(above[-1]), last.get(above[:-1], 0))
    elif before is None and count != 1:
        said = (
            f"{shown} is the first here: is {'.'.join((*above, '1'))} missing? Add it, or number them again."
        )
    elif before is not None and count > before + 1:
        said = f"{shown} comes after {'.'.join((*above, str(before)))}. Add what is missing, or number them again."
    elif len(path) > 2 and counted[above] == 1:
        said = (
            f"{shown} is the only one of its kind: there is no {'.'.join((*above, '2'))}."
            f" Join it to {'.'.join(above)}."
        )
    last[above] = max(count, before or 0)
    return said


def _sign(path: tuple[str, ...], parent: int | None, last: dict[tuple[object, ...], int]) -> str:
    run = ("sign", parent, path[-1].isdigit())
    before = last.get(run)
    value = _value("", path[-1], before)
    if value is None:
        return ""
    last[run] = value
    if before is not None and value > before + 1:
        return f"“{path[-1]}” does not follow the label before it. Add what is missing, or letter them again."
    return ""


@rule("L21", "Broken nesting", Severity.WARNING, applies=_IMPORTS, local=False)
def broken_nesting(context: Context) -> Iterator[Hit]:
    noted = {index for index, note in context.document.notes if note is Note.NESTING}
    for index, clause in enumerate(context.clauses):
        kind, signs = shape(clause.label)
        if index in noted:
            wrong = True
        elif kind == "sign" and len(signs[0]) > 1:
            # "ii." without an "i." before it under the same clause
            siblings = context.children[context.parents[index]]
            before = [shape(context.clauses[one].label)[1] for one in siblings if one < index]
            wrong = (roman_value(signs[0]) or 0) > 1 and not any(
                one and roman_value(one[-1]) == (roman_value(signs[0]) or 0) - 1 for one in before
            )
        else:
            wrong = False
        if wrong:
            yield _label_hit(
                context,
                index,
                f"“{clause.label}” stands at another level than the list that it belongs to. Move it in or out.",
            )


# References

_WORDS_OF_REFERENCE = ("section", "paragraph", "clause")
_NUMBERS = r"(?:\d{1,3}(?:\.\d{1,3}){0,4}(?:\(?[a-z]\)?)?(?![\w%£:]|\.\d|,\d))"
_REFERENCE = re.compile(
    r"\b(?P<kind>[Ss]ections?|[Pp]aragraphs?|[Cc]lauses?)\s{1,3}"
    rf"(?P<numbers>{_NUMBERS}(?:(?:,\s?|\s+(?:and|or|to|&)\s+|,\s+and\s+|\s?[-–]\s?){_NUMBERS}){{0,8}})"
)
_ELSEWHERE = re.compile(
    r"\s{1,3}(?:of|in|to)\s{1,3}(?:the\s{1,3}|that\s{1,3}|our\s{1,3})?(?:[A-Z*_“‘'\"]|(?:statutory|guidance|act)\b)|"
    r"\s{1,3}[A-Z][\w ]{0,60}\bAct\b|,?\s{1,3}(?:KCSIE|Keeping)"
)
_ACT_BEFORE = re.compile(r"\bAct(?:\s+\d{4})?,?\s*(?:\(?)$|\bKCSIE,?\s*$|\bRegulations(?:\s+\d{4})?,?\s*$")
_APPENDIX = re.compile(
    r"\b(?P<kind>Appendi(?:x|ces)|appendi(?:x|ces)|Annex(?:es)?|Schedules?)\s{1,3}"
    r"(?P<names>(?:[A-Z]|\d{1,2}|[IVX]{1,4})\b(?:(?:,\s?|\s+(?:and|or|&)\s+)(?:[A-Z]|\d{1,2}|[IVX]{1,4})\b){0,8})"
)
_RANGE = re.compile(
    r"(?<![\w.])\(?(?P<first>[a-z])\)?\s?(?:[-–]|to|through)\s?\(?(?P<last>[a-z])\)?\s{1,3}(?:in|of|under)\s{1,3}"
    r"(?:section|paragraph|clause|Section|Paragraph|Clause)\s{1,3}(?P<number>\d{1,3}(?:\.\d{1,3}){0,4})"
)
_RANGE_AFTER = re.compile(
    r"\b(?:[Ss]ection|[Pp]aragraph|[Cc]lause)\s{1,3}(?P<number>\d{1,3}(?:\.\d{1,3}){0,4})\s?"
    r"\(?(?P<first>[a-z])\)?\s?(?:[-–]|to)\s?\(?(?P<last>[a-z])\)?(?!\w)"
)


@rule("L22", "Cross-reference to a range that does not fit", Severity.ERROR)
def wrong_range(context: Context) -> Iterator[Hit]:
    found_targets = targets(context.clauses, context.parents)
    for pattern in (_RANGE, _RANGE_AFTER):
        for piece, found in context.scan(pattern, any_of=_WORDS_OF_REFERENCE):
            target = found_targets.get(tuple(found["number"].split(".")))
            if target is None:
                continue
            signs = [
                shape(context.clauses[one].label)[1][-1:]
                for one in context.children.get(target, ())
                if context.clauses[one].label
            ]
            letters = [value for (sign,) in filter(None, signs) if (value := letter_value(sign)) is not None]
            first, last = letter_value(found["first"]), letter_value(found["last"])
            if not letters or first is None or last is None:
                continue
            # A range that ends one short of the list was mostly written before a point was added to it.
            short = first == letters[0] and last == letters[-1] - 1
            if last > letters[-1] or first < letters[0] or short:
                runs = f"{chr(96 + letters[0])} to {chr(96 + letters[-1])}"
                yield piece.match(
                    f"{found['number']} runs from {runs}. Correct the range, or refer to the clause as a whole.",
                    found,
                )


@rule("L23", "Cross-reference to something missing", Severity.ERROR)
def missing_reference(context: Context) -> Iterator[Hit]:
    found_targets = targets(context.clauses, context.parents)
    known = {clause.key for clause in context.clauses if clause.key}
    for piece, found in context.scan(references.REFERENCE, "[["):
        if known and found[1] not in known:
            yield piece.match("This refers to a clause that does not exist. Correct the reference.", found)
    for piece, found in context.scan(_REFERENCE, any_of=_WORDS_OF_REFERENCE):
        if _ELSEWHERE.match(piece.text, found.end()) or _ACT_BEFORE.search(
            piece.text[max(0, found.start() - 40) : found.start()]
        ):
            continue
        for number in re.finditer(r"\d{1,3}(?:\.\d{1,3})*", found["numbers"]):
            if tuple(number[0].split(".")) not in found_targets:
                start = found.start("numbers") + number.start()
                yield piece.hit(
                    f"There is no {found['kind'].lower().rstrip('s')} {number[0]}. Correct the reference.",
                    start,
                    start + len(number[0]),
                )
    appendices = {path[1] for path in found_targets if path[0] == "appendix" and len(path) > 1}
    for piece, found in context.scan(_APPENDIX, any_of=("appendi", "annex", "schedule")):
        if found["kind"].lower().startswith("schedule") and not appendices:
            continue  # schedules of an Act
        if _ELSEWHERE.match(piece.text, found.end()):
            continue
        for name in re.finditer(
            r"\w+", re.sub(r"\b(?:and|or)\b", lambda one: " " * len(one[0]), found["names"])
        ):
            if name[0].upper() not in appendices:
                start = found.start("names") + name.start()
                yield piece.hit(
                    f"There is no appendix {name[0]}. Add it, or correct the reference.",
                    start,
                    start + len(name[0]),
                )


# Contents page and headings

_ENTRY = re.compile(
    r"^\s{0,8}(?:[-*]\s+)?(?:(?P<appendix>(?:Appendix|Annex|APPENDIX|ANNEX)\s+\w{1,4})[:.]?|(?P<number>\d{1,3}(?:\.\d{1,3})*)[.)]?)"
    r"\s+(?P<heading>[^\n]+?)(?:[\s.…]*\d{0,3})\s*$",
    re.MULTILINE,
)


def _bare(heading: str) -> str:
    return " ".join(_WORD.findall(heading)).casefold()


@rule("L27", "Contents page and heading differ", Severity.WARNING, applies=_IMPORTS, local=False)
def contents_mismatch(context: Context) -> Iterator[Hit]:
    page = context.contents_page
    if page is None:
        return
    found_targets = targets(context.clauses, context.parents)
    text = context.clauses[page].text
    entries = list(_ENTRY.finditer(text))
    for position, entry in enumerate(entries):
        path = (
            ("appendix", entry["appendix"].split()[-1].upper())
            if entry["appendix"]
            else tuple(entry["number"].split("."))
        )
        index = found_targets.get(path)
        if index is None or not context.clauses[index].heading:
            continue
        # An entry may run over two lines.
        end = entries[position + 1].start() if position + 1 < len(entries) else len(text)
        listed = {_bare(entry["heading"]), _bare(entry["heading"] + text[entry.end() : end])}
        heading = context.clauses[index].heading
        if _bare(heading) not in listed:
            yield Hit(
                f"The contents page calls this “{entry['heading'].strip()}”. Give both the same words.",
                index,
                "heading",
                0,
                len(heading),
            )


@rule("L28", "Headings of one kind at different levels", Severity.INFORMATION, local=False)
def heading_levels(context: Context) -> Iterator[Hit]:
    for index, note in context.document.notes:
        if note is Note.HEADING_SIZE:
            yield Hit(
                "This heading is printed at another level than its neighbours. Give all sections one level.",
                index,
                "heading",
                0,
                len(context.clauses[index].heading),
            )
    top = [index for index in context.children.get(None, ()) if index != context.contents_page]
    sections = [one for one in top if context.clauses[one].kind is Kind.SECTION]
    for index in top:
        clause = context.clauses[index]
        if sections and index > sections[0] and clause.kind is Kind.CLAUSE and clause.heading:
            yield Hit(
                "This clause stands beside the sections. Move it into one, or make it a section.",
                index,
                "heading",
                0,
                len(clause.heading),
            )
