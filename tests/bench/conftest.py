"""Fixtures of the bench: servers that keep what they commit, applications, estates, and the table at the end.

`make bench` measures time, so it decides nothing: a goal that is missed is printed as missed. `make test` does not
collect this folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

import psycopg
import pytest
from flask import Flask

from tests.bench import floor
from tests.bench.estate import CLAUSES, Estate, build
from tests.bench.measuring import ROOT, Report, served
from trustportal.app import create_app
from trustportal.config import Settings
from trustportal.db import db
from trustportal.migrate import upgrade
from trustportal.servers import Servers, ensure_servers

RESULT = ROOT / "var" / "bench.json"
_DATABASE = "trustportal_bench"
_report = Report()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL and Valkey as an installation has them: what is committed is on the disk."""
    with ensure_servers(ROOT / "var" / "bench", env={}, durable=True) as running:
        yield running


@pytest.fixture(scope="session")
def superuser_url(servers: Servers) -> Iterator[str]:
    """A fresh, migrated database; gives the superuser's address of it, for filling it."""
    template = f"{_DATABASE}_empty_{os.getpid()}"
    servers.template(template, prepare=upgrade)
    servers.fresh_database(_DATABASE, template=template)
    yield servers.superuser_url(_DATABASE)
    servers.drop_database(_DATABASE)
    _drop_template(servers, template)


def _drop_template(servers: Servers, name: str) -> None:
    with psycopg.connect(servers.superuser_url(), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} IS_TEMPLATE false")
    servers.drop_database(name)


@pytest.fixture(scope="session")
def settings(servers: Servers, superuser_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings as on a machine with real people."""
    return Settings.from_env(
        {
            **servers.urls(_DATABASE).environment(),
            "REDIS_URL": servers.queue_url(0),
            "PUBLIC_URL": "http://portal.example",
            "SECRET_KEY": "only-for-the-bench-" + "x" * 32,
            "VAR": str(tmp_path_factory.mktemp("var")),
        }
    )


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    """The web application, with the web's database role."""
    made = create_app(settings)
    yield made
    _let_go(made)


@pytest.fixture(scope="session")
def worker_app(settings: Settings) -> Iterator[Flask]:
    """The application in which jobs run, with the workers' database role."""
    made = create_app(settings, role="worker")
    yield made
    _let_go(made)


def _let_go(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def estate_of(app: Flask, worker_app: Flask, superuser_url: str) -> Callable[[int], Estate]:
    """`estate_of(200)`: a trust with 200 schools, made once."""
    made: dict[int, Estate] = {}

    def of(size: int) -> Estate:
        if size not in made:
            made[size] = build(app, worker_app, superuser_url, slug=f"estate-{size}", size=size)
        return made[size]

    return of


@pytest.fixture(scope="session")
def floor_port(
    superuser_url: str, tmp_path_factory: pytest.TempPathFactory, estate_of: Callable[[int], Estate]
) -> Iterator[int]:
    """The port at which the floor is served: the page of `floor.py`, with the clauses of our own page."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for statement in floor.EDITIONS:
            connection.execute(statement)
    clauses = estate_of(10).floor_clauses()
    assert len(clauses) == CLAUSES
    path = tmp_path_factory.mktemp("floor") / "clauses.json"
    path.write_text(json.dumps(clauses), "utf-8")
    environment = {"FLOOR_DATABASE_URL": superuser_url, "FLOOR_CLAUSES": str(path)}
    with served("tests.bench.floor:create()", environment) as port:
        yield port


@pytest.fixture(scope="session")
def report() -> Report:
    """The table of this run."""
    return _report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, and write it to var/bench.json."""
    if not _report.lines:
        return
    terminalreporter.write_sep("=", "measured in this run, beside the goals")
    for line in _report.table():
        terminalreporter.write_line(line)
    _report.write(RESULT)
    missed = sum(line.met is False for line in _report.lines)
    terminalreporter.write_line("")
    terminalreporter.write_line(
        f"{missed} goals missed. Ratios of one run; written to {RESULT.relative_to(ROOT)}."
    )
