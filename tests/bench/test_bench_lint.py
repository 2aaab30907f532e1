"""Reading a draft for faults: against rendering the same words for the page, and as drafts grow."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.bench.measuring import Line, Report, in_turn, milliseconds, ratio
from trustportal.markdown import to_html
from trustportal.policies.dictionary.loading import load_dictionary
from trustportal.policies.domain.clauses import NumberingStyle, Tree
from trustportal.policies.domain.lint import lint
from trustportal.policies.domain.lint.sources import of_tree
from trustportal.policies.starter.loading import load_template, read_builtin

ROUNDS = 5
TODAY = date(2026, 9, 1)


def copies(tree: Tree, count: int) -> Tree:
    """The tree several times over, each with keys of its own."""
    return tuple(
        replace(one, key=f"{one.key}-{at}", parent=f"{one.parent}-{at}" if one.parent else None)
        for at in range(count)
        for one in tree
    )


def test_lint(report: Report) -> None:
    """A draft of 115 clauses, as every page of the editor reads it; rendering is what the page does anyhow."""
    template, dictionary = load_template(read_builtin("social_media")), load_dictionary()
    header = template.header_for("Larkfield Academies Trust")
    draft = of_tree(template.tree, NumberingStyle.DECIMAL, header, safeguarding=True)
    large = of_tree(copies(template.tree, 4), NumberingStyle.DECIMAL, header, safeguarding=True)
    render = getattr(to_html, "__wrapped__", to_html)
    taken = in_turn(
        {
            "lint": lambda: lint(draft, dictionary, TODAY),
            "large": lambda: lint(large, dictionary, TODAY),
            "render": lambda: [render(clause.text) for clause in template.tree],
        },
        rounds=ROUNDS,
        warm_up=1,
    )
    words = f"{len(draft.clauses)} clauses in {milliseconds(taken['lint']):.0f} ms"
    report.add(
        Line(
            "Reading a draft for faults against rendering it",
            ratio(taken["lint"], taken["render"]),
            "times",
            3,
            detail=words,
        )
    )
    report.add(
        Line("Reading four times the clauses for faults", ratio(taken["large"], taken["lint"]), "times", 5)
    )
