"""The signed-in policy page against the floor, and lists of schools that must not grow in queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from flask import Flask
from sqlalchemy import event

from tests.bench.estate import Estate
from tests.bench.measuring import Line, Reader, Report, in_turn, milliseconds, ratio, served
from trustportal.config import Settings
from trustportal.db import db
from trustportal.servers import Servers

ROUNDS = 200
#: What the content system of performance.md took, as multiples of the floor of its run: 60 ms and 54 ms over 2.0 ms.
LIST_OF_OTHERS, COMPARE_OF_OTHERS = 60 / 2.0, 54 / 2.0


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """The SQL that an application sends while the block runs."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def queries_of(app: Flask, path: str, cookie: str) -> list[str]:
    """The statements of the second reading of a page, when what is kept is warm."""
    client = app.test_client(use_cookies=False)
    for _ in range(2):
        with statements(app) as sent:
            assert client.get(path, headers={"Cookie": cookie}).status_code == 200
    return sent


def test_pages(
    app: Flask,
    settings: Settings,
    servers: Servers,
    estate_of: Callable[[int], Estate],
    floor_port: int,
    report: Report,
) -> None:
    """The policy page of a head, the trust's list of schools, and a comparison, each against the floor."""
    large, small = estate_of(200), estate_of(10)
    first = large.patterns[0]
    head, manager = large.cookie(first.head), large.cookie(large.world.manager)
    policy_path = first.url()
    list_path = large.world.url(f"policies/{first.slug}")
    compare_path = first.url("compare?from=1.1&to=1.2")
    environment = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PUBLIC_URL": settings.public_url,
        "SECRET_KEY": settings.secret_key,
        "VAR": str(settings.var),
    }
    sent = queries_of(app, policy_path, head)
    counts = {
        estate.size: len(
            queries_of(
                app,
                estate.world.url(f"policies/{estate.patterns[0].slug}"),
                estate.cookie(estate.world.manager),
            )
        )
        for estate in (small, large)
    }
    compared = len(queries_of(app, compare_path, head))
    with ExitStack() as stack:
        ours = stack.enter_context(served("trustportal.app:create_app()", environment))
        readers = {
            name: stack.enter_context(Reader(port, path, cookie))
            for name, port, path, cookie in (
                ("floor", floor_port, "/77", ""),
                ("page", ours, policy_path, head),
                ("list", ours, list_path, manager),
                ("compare", ours, compare_path, head),
            )
        }
        pair = in_turn({name: readers[name].read for name in ("floor", "page")}, rounds=ROUNDS, warm_up=20)
        rest = in_turn(
            {name: readers[name].read for name in ("floor", "list", "compare")}, rounds=ROUNDS // 4, warm_up=5
        )
    assert b"clause-12-9" in readers["page"].body
    assert b"School 0150" in readers["list"].body
    report.add(
        Line(
            "policy page, signed in, against the floor",
            ratio(pair["page"], pair["floor"]),
            "times",
            2,
            detail=f"{milliseconds(pair['page']):.1f} ms over {milliseconds(pair['floor']):.1f} ms;"
            f" {len(sent)} queries",
        )
    )
    report.add(
        Line(
            "list of schools: queries at 200, as at 10",
            counts[200],
            "queries",
            counts[10],
            "equal",
            f"{counts[10]} at 10",
        )
    )
    report.add(
        Line(
            "list of 200 schools against the floor (others: 30 times)",
            ratio(rest["list"], rest["floor"]),
            "times",
            LIST_OF_OTHERS / 4,
            detail=f"{milliseconds(rest['list']):.1f} ms",
        )
    )
    report.add(
        Line(
            "compare two editions against the floor (others: 27 times)",
            ratio(rest["compare"], rest["floor"]),
            "times",
            COMPARE_OF_OTHERS / 4,
            detail=f"{milliseconds(rest['compare']):.1f} ms; {compared} queries",
        )
    )
