"""Fixtures of the integration tests: applications over a fresh database, mail, a world, browsers."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from jinja2 import BytecodeCache, FileSystemBytecodeCache
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.hygiene import faults_of
from tests.integration.moments import Moments, database_name, moment
from tests.midnight import wait_over_midnight
from tests.world import Someone, World
from trustportal.app import create_app
from trustportal.config import Settings
from trustportal.db import db
from trustportal.kernel_models import WebSession
from trustportal.migrate import upgrade
from trustportal.servers import DatabaseUrls, Servers
from trustportal.sessions import cookie_name, token_hash
from trustportal.times import now
from trustportal.workflows.services import defining

#: The files that take longest, first: no process is left alone with one at the end. While one process furnishes the
#: trusts of the sweeps, the next has something else to do.
_LONGEST = (
    "sweeps/test_pages",
    "test_supervise",
    "sweeps/test_routes",
    "kernel/test_backup",
    "kernel/test_chaos",
    "sweeps/test_jobs",
    "test_non_interference",
    "test_inheritance_machine",
    "test_servers",
    "test_pdf.py",
    "acceptance/test_life",
    "test_managing_allegations",
)
ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "only-for-tests-" + "x" * 32
_CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In which order processes take the files."""

    def place(item: pytest.Item) -> int:
        return next((at for at, part in enumerate(_LONGEST) if part in item.nodeid), len(_LONGEST))

    items.sort(key=place)


def pytest_runtest_setup() -> None:
    """No test goes from one day into the next."""
    wait_over_midnight(timedelta(seconds=30))


# -- database and applications -----------------------------------------------------------------------------------


def _migrations_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted([*(ROOT / "migrations").rglob("*.py"), *(ROOT / "migrations").rglob("*.sql")]):
        digest.update(path.read_bytes())
    digest.update((ROOT / "trustportal" / "protection.py").read_bytes())
    return digest.hexdigest()[:12]


@pytest.fixture(scope="session")
def template(servers: Servers) -> str:
    """The name of a migrated database to copy from."""
    name = f"trustportal_template_{_migrations_hash()}"
    servers.template(name, prepare=upgrade)
    return name


@dataclass(slots=True)
class Postbox:
    """What the mail server has taken."""

    received: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        return "250 Taken"

    def to(self, address: str) -> list[EmailMessage]:
        """The mails to one address, in the order in which they came."""
        return [mail for mail in self.received if address in str(mail["To"])]

    def last_link(self, address: str, contains: str) -> str:
        """The path of the newest link in a mail to an address that contains some words."""
        for mail in reversed(self.to(address)):
            body = mail.get_body(("plain",))
            found = re.findall(r"https?://[^/\s]+(/\S*)", body.get_content() if body else "")
            for path in found:
                if contains in path:
                    return str(path)
        raise AssertionError(f"no mail to {address} with a link to {contains}")


@pytest.fixture(scope="session")
def smtp_server() -> Iterator[tuple[str, Postbox]]:
    """A real SMTP server, and what it has taken."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    postbox = Postbox()
    controller = Controller(postbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield f"smtp://127.0.0.1:{port}", postbox
    controller.stop()


@pytest.fixture
def postbox(smtp_server: tuple[str, Postbox]) -> Postbox:
    """The mails of this test; `world.run_jobs()` sends what is queued."""
    smtp_server[1].received.clear()
    return smtp_server[1]


@pytest.fixture(scope="session")
def settings(
    servers: Servers, smtp_server: tuple[str, Postbox], tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """Settings as on a machine with real people: no demonstration mode."""
    urls = servers.urls(database_name())
    return Settings.from_env(
        {
            **urls.environment(),
            "REDIS_URL": servers.queue_url(os.getpid() % 60),
            "PUBLIC_URL": "http://portal.example",
            "SECRET_KEY": SECRET,
            "SMTP_URL": smtp_server[0],
            "MAIL_BATCH_SECONDS": "0",
            "VAR": str(tmp_path_factory.mktemp("var")),
        }
    )


@pytest.fixture(scope="session")
def _moments(servers: Servers, template: str, _applications: dict[str, Flask]) -> Iterator[Moments]:
    made = Moments(servers, template, database_name(), _applications)
    yield made
    made.end()


@pytest.fixture
def database(_moments: Moments, request: pytest.FixtureRequest) -> DatabaseUrls:
    """A fresh database for one test, in which the furthest moment that it asks for is present."""
    return _moments.enter(request)


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> BytecodeCache:
    """Templates, compiled once in a run: not again by each process and for each of its applications."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return FileSystemBytecodeCache(str(shared))


@pytest.fixture(scope="session")
def _applications(settings: Settings, compiled_templates: BytecodeCache) -> dict[str, Flask]:
    """Applications are made once: the database's address stays the same, its content does not."""
    return {
        "web": for_tests(create_app(settings), compiled_templates),
        "worker": for_tests(create_app(settings, role="worker"), compiled_templates),
    }


def for_tests(app: Flask, compiled_templates: BytecodeCache) -> Flask:
    """An application whose test clients look at what they are given."""
    app.test_client_class = PortalClient
    app.jinja_env.bytecode_cache = compiled_templates
    return app


def _over_fresh(app: Flask) -> Iterator[Flask]:
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def app(database: DatabaseUrls, _applications: dict[str, Flask]) -> Iterator[Flask]:
    """The web application, with the web's database role. No context is pushed: use `world.acting` or a client."""
    yield from _over_fresh(_applications["web"])


@pytest.fixture
def worker_app(database: DatabaseUrls, _applications: dict[str, Flask]) -> Iterator[Flask]:
    """The application in which jobs run, with the workers' database role."""
    yield from _over_fresh(_applications["worker"])


@pytest.fixture
def demo_app(
    database: DatabaseUrls,
    settings: Settings,
    compiled_templates: BytecodeCache,
    _applications: dict[str, Flask],
) -> Iterator[Flask]:
    """The web application in demonstration mode."""
    if "demo" not in _applications:
        _applications["demo"] = for_tests(create_app(replace(settings, demo=True)), compiled_templates)
    yield from _over_fresh(_applications["demo"])


# -- browsers' stand-ins -----------------------------------------------------------------------------------------


class PortalClient(FlaskClient):
    """A client that refuses a badly made page, remembers the CSRF token and puts it into what it posts."""

    csrf = ""
    #: Set to False in a test that is about a broken page.
    strict = True

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        method = kwargs.get("method", "GET")
        if method == "POST" and kwargs.get("json") is None and self.csrf:
            sent = kwargs.get("data")
            if sent is None or isinstance(sent, dict):
                kwargs["data"] = {"csrf_token": self.csrf, **(sent or {})}
        response = super().open(*args, **kwargs)
        if response.mimetype == "text/html" and response.status_code != 304:
            html = response.get_data(as_text=True)
            found = _CSRF.search(html)
            if found:
                self.csrf = found.group(1)
            if (
                self.strict
                and method != "HEAD"
                and html
                and response.status_code not in {301, 302, 303, 307, 308}
            ):
                whole = html.lstrip().lower().startswith("<!doctype")
                faults = faults_of(html, fragment=not whole)
                assert not faults, f"{response.request.path}:\n" + "\n".join(faults)
        return response


@pytest.fixture
def client(app: Flask) -> PortalClient:
    """Somebody who is not signed in."""
    made = app.test_client()
    assert isinstance(made, PortalClient)
    return made


@pytest.fixture
def client_for(app: Flask) -> Callable[[Someone], PortalClient]:
    """`client_for(person)`: a client of somebody who is signed in (the session is made directly)."""

    def sign_in(person: Someone, *, of: Flask = app, method: str = "password and code") -> PortalClient:
        assert person.account_id is not None, f"{person.name} has no account"
        token, raw = secrets.token_urlsafe(32), secrets.token_hex(20)
        with of.app_context(), Session(db.engine) as own, own.begin():
            own.add(
                WebSession(
                    token_hash=token_hash(token),
                    account_id=person.account_id,
                    content={"csrf_token": raw},
                    created_at=now(),
                    seen_at=now(),
                    authenticated_at=now(),
                    method=method,
                    user_agent="test",
                )
            )
        made = of.test_client()
        assert isinstance(made, PortalClient)
        made.set_cookie(cookie_name(of), token, secure=of.config["SESSION_COOKIE_SECURE"])
        made.csrf = str(URLSafeTimedSerializer(SECRET, salt="wtf-csrf-token").dumps(raw))
        return made

    return sign_in


# -- worlds ------------------------------------------------------------------------------------------------------


@moment
def world(app: Flask, worker_app: Flask) -> World:
    """A trust with a network manager; add schools and people as the test needs them. See tests/world.py.

    It has its workflows, as every trust from its first night on: no test waits until its first school brings them.
    """
    made = World(app, worker_app, name="Larkfield Academies Trust", slug="larkfield")
    with made.looking():
        defining.install(now=now())
    return made


@pytest.fixture
def other_world(app: Flask, worker_app: Flask) -> World:
    """Another trust on the same installation."""
    return World(app, worker_app, name="Brookside Learning Trust", slug="brookside")
