"""Moments: what a fixture furnishes is built once, kept as a database to copy from, and found again by every test.

    @moment
    def at_ashgrove(world: World) -> Social:
        return social(world)

is a fixture like any other. The first test that asks for it in a process has it built through the services; the
others get a copy of the database as it was then, and of what the fixture returned. Each test may change both as it
likes.

A moment is built before anything else is in the database. So it may ask for the two applications and for one other
moment, and for nothing else. What it returns must be plain: names and ids, no rows.
"""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from trustportal.db import db
from trustportal.policies import texts
from trustportal.servers import DatabaseUrls, Servers

_Build = Callable[..., Any]
_KEY = "moment_of"
_APPLICATIONS = {"app": "web", "worker_app": "worker"}


def moment(build: _Build) -> Any:
    """Make a fixture of a function, whose database is kept. See the module's docstring."""
    signature = inspect.signature(build)

    def fixture(_moments: Moments, **given: Any) -> Any:
        present = _moments.present
        return present[build] if build in present else build(**given)

    fixture.__name__, fixture.__doc__, fixture.__module__ = build.__name__, build.__doc__, build.__module__
    own = inspect.Parameter("_moments", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    fixture.__signature__ = signature.replace(parameters=[own, *signature.parameters.values()])  # type: ignore[attr-defined]
    setattr(fixture, _KEY, build)
    return pytest.fixture(fixture)


def database_name() -> str:
    """The database that the tests of this process use in turn."""
    return f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'one')}_{os.getpid()}"


@dataclass(frozen=True, slots=True)
class _Kept:
    database: str
    values: Mapping[_Build, Any]


@dataclass
class Moments:
    """The moments of one process, over the one database that its tests use in turn."""

    servers: Servers
    template: str
    database: str
    applications: Mapping[str, Flask]
    kept: dict[tuple[_Build, ...], _Kept] = field(default_factory=dict)
    #: What the running test finds in its database already.
    present: dict[_Build, Any] = field(default_factory=dict)

    def enter(self, request: pytest.FixtureRequest) -> DatabaseUrls:
        """Bring the database to the furthest moment that the test asks for, or make it empty."""
        self.present = {}
        known = _moments_of(request)
        furthest = max((_chain(build, known) for build in known.values()), key=len, default=())
        if not furthest:
            return self._fresh(self.template)
        self._keep(furthest)
        urls, self.present = self._begin(furthest)
        return urls

    def _keep(self, chain: tuple[_Build, ...]) -> None:
        """Build what is not kept yet of a chain, from its beginning."""
        for length, build in enumerate(chain, 1):
            if chain[:length] in self.kept:
                continue
            _, values = self._begin(chain[: length - 1])
            given = {}
            for name in inspect.signature(build).parameters:
                before = next((one for one in values if one.__name__ == name), None)
                given[name] = values[before] if before else self.applications[_APPLICATIONS[name]]
            values[build] = build(**given)
            self.let_go()
            name = f"{self.database}_{len(self.kept)}"
            self.servers.fresh_database(name, template=self.database)
            self.kept[chain[:length]] = _Kept(name, values)

    def _begin(self, chain: tuple[_Build, ...]) -> tuple[DatabaseUrls, dict[_Build, Any]]:
        if not chain:
            return self._fresh(self.template), {}
        kept = self.kept[chain]
        shared = {id(app): app for app in self.applications.values()}
        return self._fresh(kept.database), copy.deepcopy(dict(kept.values), shared)

    def _fresh(self, template: str) -> DatabaseUrls:
        self.let_go()
        texts.forget()
        return self.servers.fresh_database(self.database, template=template)

    def let_go(self) -> None:
        """End every connection to the database, which could not be copied otherwise."""
        for app in self.applications.values():
            with app.app_context():
                db.session.remove()
                db.engine.dispose()

    def end(self) -> None:
        """Drop everything."""
        self.let_go()
        for name in (self.database, *(one.database for one in self.kept.values())):
            self.servers.drop_database(name)


def _moments_of(request: pytest.FixtureRequest) -> dict[str, _Build]:
    """The moments among everything that a test asks for, by the name of their fixture."""
    found = {}
    for name, definitions in request.node._fixtureinfo.name2fixturedefs.items():
        build = getattr(definitions[-1].func, _KEY, None)
        if build is not None:
            found[name] = build
    return found


def _chain(build: _Build, known: Mapping[str, _Build]) -> tuple[_Build, ...]:
    """A moment with those that it stands on, the first one first; nothing where it stands on an ordinary fixture."""
    asked = [name for name in inspect.signature(build).parameters if name not in _APPLICATIONS]
    if not asked:
        return (build,)
    assert asked[1:] == [], f"{build.__qualname__} may ask for one other moment only"
    before = _chain(known[asked[0]], known) if asked[0] in known else ()
    return (*before, build) if before else ()
