"""Inheritance at size: merging long clauses, the divergence map and the search with 200 schools against 10."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack

from flask import Flask

from tests.bench.estate import Estate
from tests.bench.measuring import Line, Reader, Report, in_turn, milliseconds, ratio, served
from tests.bench.test_bench_pages import queries_of
from trustportal.config import Settings
from trustportal.policies.domain.merge import Merged, merge3

WORDS_OF_A_LONG_CLAUSE = 5_000
#: From the issue: a three-way merge, and how much longer the map may take with 200 schools than with 10.
MOST_MILLISECONDS_TO_MERGE, MOST_TIMES = 50.0, 3.0
ROUNDS = 60
_VOCABULARY = "every account school staff pupil record office before after must may never the of and in"


def long_clause() -> tuple[str, str, str]:
    """A clause that says the same few words again and again, and what two sides made of it, a change in every fifty."""
    chance = random.Random(11)  # noqa: S311 (words, not secrets)
    vocabulary = _VOCABULARY.split()
    words = [chance.choice(vocabulary) for _ in range(WORDS_OF_A_LONG_CLAUSE)]
    ours, theirs = words.copy(), words.copy()
    for at in range(0, WORDS_OF_A_LONG_CLAUSE, 100):
        ours[at + 10] = f"ours{at}"
        theirs[at + 60] = f"theirs{at}"
    return " ".join(words), " ".join(ours), " ".join(theirs)


def test_merging(report: Report) -> None:
    """Three texts of 5,000 words, with fifty changes on each side."""
    base, ours, theirs = long_clause()
    assert isinstance(merge3(base, ours, theirs), Merged)
    taken = in_turn({"merge": lambda: merge3(base, ours, theirs)}, rounds=30)["merge"]
    report.add(
        Line(
            f"three-way merge of clauses of {WORDS_OF_A_LONG_CLAUSE:,} words",
            milliseconds(taken),
            "ms",
            MOST_MILLISECONDS_TO_MERGE,
            detail="fifty changes on each side",
        )
    )


def test_map_and_search(
    app: Flask, settings: Settings, estate_of: Callable[[int], Estate], report: Report
) -> None:
    """The pages of the network manager, in a trust with 10 schools and in one with 200."""
    estates = {size: estate_of(size) for size in (10, 200)}
    environment = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PUBLIC_URL": settings.public_url,
        "SECRET_KEY": settings.secret_key,
        "VAR": str(settings.var),
    }
    paths = {
        "divergence map": lambda one: one.world.url(f"policies/{one.patterns[0].slug}/map"),
        "search of all clauses": lambda one: one.world.url("search?q=agreed+parents"),
        "search for a piece of a word": lambda one: one.world.url("search?q=gree+aren"),
    }
    cookies = {size: one.cookie(one.world.manager) for size, one in estates.items()}
    for name, path in paths.items():
        counts = {size: len(queries_of(app, path(one), cookies[size])) for size, one in estates.items()}
        with ExitStack() as stack:
            port = stack.enter_context(served("trustportal.app:create_app()", environment))
            readers = {
                str(size): stack.enter_context(Reader(port, path(one), cookies[size]))
                for size, one in estates.items()
            }
            taken = in_turn({size: one.read for size, one in readers.items()}, rounds=ROUNDS, warm_up=10)
        assert b"School 0150" in readers["200"].body or name != "divergence map"
        report.add(
            Line(
                f"{name}: 200 schools against 10",
                ratio(taken["200"], taken["10"]),
                "times",
                MOST_TIMES,
                detail=f"{milliseconds(taken['200']):.1f} ms over {milliseconds(taken['10']):.1f} ms;"
                f" {len(readers['200'].body) // 1024} KiB",
            )
        )
        report.add(Line(f"{name}: queries at 200, as at 10", counts[200], "queries", counts[10], "equal"))
