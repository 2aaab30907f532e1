"""Trees, answers and new versions for the tests of the pure core: short makers, and Hypothesis strategies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from trustportal.policies.domain.answers import Added, Answer, Override, effective_override
from trustportal.policies.domain.clauses import Clause, Kind, Mode, Tree, by_key, children, descendants
from trustportal.policies.domain.tree import insert, move, remove

settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, database=None)
settings.load_profile("ci")


def section(key: str, heading: str = "", mode: Mode = Mode.LOCKED, **rest: Any) -> Clause:
    return Clause(key, None, Kind.SECTION, heading or f"Section {key}", mode=mode, **rest)


def clause(key: str, parent: str | None, text: str = "", mode: Mode = Mode.LOCKED, **rest: Any) -> Clause:
    return Clause(key, parent, Kind.CLAUSE, rest.pop("heading", ""), text or f"Text of {key}.", mode, **rest)


def subheading(key: str, parent: str, heading: str = "Reputation") -> Clause:
    return Clause(key, parent, Kind.SUBHEADING, heading)


def appendix(key: str, heading: str = "The form") -> Clause:
    return Clause(key, None, Kind.APPENDIX, heading)


def replaced(
    of: Clause, text: str | None, heading: str | None = None, reason: str = "We are small."
) -> Override:
    return Override(of.key, Answer.REPLACE, heading, text, reason, of.heading, of.text)


def left_out(of: Clause, reason: str = "We have no such rooms.") -> Override:
    return Override(of.key, Answer.LEAVE_OUT, None, None, reason, of.heading, of.text)


def addition(key: str, after: str, text: str = "", reason: str = "We need it.") -> Added:
    return Added(key, after, "", text or f"Our own {key}.", reason)


def changed(tree: Tree, key: str, **fields: Any) -> Tree:
    return tuple(replace(one, **fields) if one.key == key else one for one in tree)


vocabulary = st.sampled_from(
    [*"abcdefghij", "the", "staff", "must", "not", "Head", "post", "photo", "school's"]
)
phrases = st.lists(vocabulary, min_size=1, max_size=14).map(" ".join)
rich_texts = st.text(alphabet="ab c.,\n-*’[]{}é", max_size=60)
modes = st.sampled_from(list(Mode))


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Two or three sections of a few clauses, some nested, some sub-headings; sometimes an appendix."""
    made: list[Clause] = []
    count = 0

    def grow(parent: Clause, depth: int) -> None:
        nonlocal count
        for _ in range(draw(st.integers(0, 3))):
            count += 1
            key = f"c{count}"
            if draw(st.integers(0, 7)) == 0:
                made.append(subheading(key, parent.key))
                continue
            one = clause(
                key, parent.key, draw(phrases), draw(modes), heading=draw(st.sampled_from(["", "Uses"]))
            )
            made.append(one)
            if depth < 4:
                grow(one, depth + draw(st.integers(1, 3)))

    for at in range(draw(st.integers(1, 3))):
        top = section(f"s{at}", mode=draw(modes))
        made.append(top)
        grow(top, 2)
    if draw(st.booleans()):
        made.append(appendix("form"))
        grow(made[-1], 3)
    return tuple(made)


@st.composite
def answers(draw: st.DrawFn, tree: Tree) -> tuple[dict[str, Override], tuple[Added, ...]]:
    """Answers that the modes allow. The school's words end in "-ours-…", so that each can be told."""
    overrides: dict[str, Override] = {}
    added: list[Added] = []
    for one in tree:
        if one.mode is Mode.ADAPTABLE and draw(st.booleans()):
            if draw(st.integers(0, 3)) == 0:
                override = left_out(one)
            else:
                words = one.text.split()
                at = draw(st.integers(0, len(words)))
                cut = draw(st.integers(0, 2))
                override = replaced(
                    one,
                    " ".join([*words[:at], f"ours-{one.key}", *words[at + cut :]]),
                    heading=draw(st.sampled_from([None, one.heading, f"Ours-{one.key}"])),
                )
            if effective_override(tree, one, override) is None:
                overrides[one.key] = override
        if one.mode is not Mode.LOCKED and draw(st.integers(0, 2)) == 0:
            added.append(addition(f"own-{one.key}", one.key, f"ours-after-{one.key} {draw(phrases)}"))
            if draw(st.booleans()):
                added.append(addition(f"own-{one.key}-b", f"own-{one.key}", f"ours-second-{one.key}"))
    return overrides, tuple(added)


@st.composite
def next_versions(draw: st.DrawFn, tree: Tree, prefix: str = "n") -> Tree:
    """What a trust may make of its tree: words, modes, clauses removed, moved and put in (keys with a prefix)."""
    new = tree
    for turn in range(draw(st.integers(0, 5))):
        if not new:
            break
        one = draw(st.sampled_from(new))
        step = draw(st.sampled_from(["text", "heading", "mode", "remove", "move", "insert"]))
        if step == "text" and one.kind is Kind.CLAUSE:
            words = one.text.split()
            at = draw(st.integers(0, len(words)))
            new = changed(new, one.key, text=" ".join([*words[:at], f"theirs{turn}", *words[at + 1 :]]))
        elif step == "heading":
            new = changed(new, one.key, heading=f"Theirs {turn}")
        elif step == "mode":
            new = changed(new, one.key, mode=draw(modes))
        elif step == "remove" and len(new) > 1 and len(descendants(new, one.key)) + 1 < len(new):
            new = remove(new, one.key)
        elif step == "insert":
            parent = one.parent if one.kind is Kind.SUBHEADING else one.key
            fresh = clause(f"{prefix}{turn}", parent, f"theirs{turn} new", draw(modes))
            new = insert(new, fresh)
        elif step == "move" and one.kind is Kind.CLAUSE:
            targets = [top for top in new if top.parent is None and top.kind is Kind.SECTION]
            if targets:
                target = draw(st.sampled_from(targets))
                there = [sibling.key for sibling in children(new, target.key) if sibling.key != one.key]
                new = move(new, one.key, parent=target.key, after=draw(st.sampled_from([None, *there])))
    return new


@st.composite
def situations(draw: st.DrawFn) -> tuple[Tree, Tree, dict[str, Override], tuple[Added, ...]]:
    """An old tree, a new one, and a school's answers to the old."""
    old = draw(trees())
    overrides, added = draw(answers(old))
    return old, draw(next_versions(old)), overrides, added


def texts_of(tree: Tree) -> dict[str, tuple[str, str]]:
    return {key: (one.heading, one.text) for key, one in by_key(tree).items()}
