"""Every page there is: well made, with its headers, from a template that somebody renders, in so many queries."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import BaseLoader, Environment
from sqlalchemy import event
from werkzeug.test import TestResponse

from tests.hygiene import faults_of
from tests.integration.conftest import PortalClient
from tests.integration.sweeps.addresses import Address, addresses
from tests.integration.sweeps.conftest import Estate
from tests.integration.sweeps.estate import stored_pdfs
from tests.world import Someone
from trustportal.access import Role
from trustportal.db import db
from trustportal.error_pages import error_page
from trustportal.kernel_models import Mail
from trustportal.mail import compose
from trustportal.web import POLICY

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = ROOT / "templates"
#: Whoever they are, these people together can open every page.
WALKERS: dict[str, Callable[[Estate], Someone | None]] = {
    "the network manager": lambda estate: estate.ours.world.manager,
    "a trustee": lambda estate: estate.ours.given.trustees[0],
    "the clerk": lambda estate: estate.ours.people[Role.CLERK],
    "the data protection officer": lambda estate: estate.ours.people[Role.DPO],
    "the headteacher": lambda estate: estate.ours.given.head,
    "the chair of governors": lambda estate: estate.ours.given.chair,
    "a teacher": lambda estate: estate.ours.reader,
    "a supply teacher of two schools": lambda estate: estate.ours.at_both_schools,
    "nobody": lambda estate: None,
}


def gets(estate: Estate) -> list[Address]:
    return [address for address in addresses(estate.app) if address.method == "GET"]


#: Says 503 when a part is not well: in these tests no worker runs.
HONEST = {"/healthz"}


@dataclass
class Walk:
    """What one walk over all pages found: the tests below ask about it."""

    statuses: dict[tuple[str, str], int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    templates: set[str] = field(default_factory=set)

    def look(self, name: str, address: Address | str, response: TestResponse) -> None:
        """Note what is wrong with an answer."""
        where = f"{address} for {name}"
        if response.status_code >= 500 and response.request.path not in HONEST:
            self.faults.append(f"{where}: {response.status_code}")
        html = response.get_data(as_text=True) if response.mimetype == "text/html" else ""
        if html and not 300 <= response.status_code < 400:
            whole = html.lstrip().lower().startswith("<!doctype")
            self.faults += [f"{where}: {fault}" for fault in faults_of(html, fragment=not whole)]
        self.headers += [f"{where}: {fault}" for fault in wrong_headers(response)]


def wrong_headers(response: TestResponse) -> Iterator[str]:
    """What an answer lacks of what every answer has."""
    policy = response.headers.get("Content-Security-Policy", "")
    expected = POLICY
    if "frame-ancestors *" in policy and response.request.path.startswith("/p/"):
        # What others may put into a frame has no script.
        expected = POLICY.replace("frame-ancestors 'none'", "frame-ancestors *").replace(
            "script-src 'self'; ", ""
        )
    if policy != expected and not (policy.startswith("sandbox") or "sandbox" in policy):
        yield f"the content policy is {policy!r}"
    for header, value in {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }.items():
        if response.headers.get(header) != value:
            yield f"{header} is {response.headers.get(header)!r}"
    inside = response.request.path.startswith("/t/") and response.mimetype == "text/html"
    if inside and "no-store" not in response.headers.get("Cache-Control", ""):
        yield "it may stay on a shared computer"
    for cookie in response.headers.getlist("Set-Cookie"):
        if "HttpOnly" not in cookie or "SameSite=Lax" not in cookie:
            yield f"the cookie {cookie.split('=')[0]} is open"


@pytest.fixture(scope="module")
def walkers(estate: Estate) -> dict[str, PortalClient]:
    found = {name: estate.client_for(who(estate)) for name, who in WALKERS.items()}
    for client in found.values():
        client.strict = False  # the walk notes what the client would stop at
    estate.keep()
    return found


@pytest.fixture(scope="module")
def walk(estate: Estate, walkers: dict[str, PortalClient]) -> Walk:
    """Every page as each of them, whole and as HTMX asks for it; then every form, empty."""
    found = Walk()
    in_place: Counter[str] = Counter()
    with recording(estate.app) as asked_for:
        for name, client in walkers.items():
            for address in gets(estate):
                url = address.url(estate.ours)
                response = client.get(url)
                found.statuses[name, address.endpoint] = response.status_code
                found.look(name, address, response)
                # What is put into a page is one template, whoever asks for it: two of them see enough of it.
                if response.status_code == 200 and in_place[address.endpoint] < 2:
                    in_place[address.endpoint] += 1
                    found.look(name, address, client.get(url, headers={"HX-Request": "true"}))
        for name, path in beside(estate):
            client = walkers[name]
            response = client.get(path)
            found.look(name, path, response)
        asked = walkers["nobody"].post("/reset-password", data={"email": "somebody@larkfield.example"})
        found.look("nobody", "/reset-password", asked)
        for address in addresses(estate.app):
            if address.method != "POST" or address.endpoint == "sign_in.sign_out":
                continue
            for name, client in walkers.items():
                response = client.post(address.url(estate.ours), data={})
                found.look(name, address, response)
                if response.status_code == 422:
                    again = client.post(address.url(estate.ours), data={}, headers={"HX-Request": "true"})
                    found.look(name, address, again)
                if response.status_code in {422, 409, 204} or answers_somewhere_else(response):
                    found.statuses[name, f"POST {address.endpoint}"] = response.status_code
                    break
            if estate.touched:
                estate.restore()
    found.templates = asked_for.seen
    return found


def beside(estate: Estate) -> Iterator[tuple[str, str]]:
    """Pages that an address shows in another state."""
    ours = estate.ours
    yield "a teacher", f"{ours.given.url()}?on=2001-01-01"
    yield "a teacher", f"{ours.given.url()}?on=tomorrow"
    yield "the headteacher", f"{ours.given.url('compare')}?from=1.1&to=1.2&whole=1"
    yield "a teacher", ours.world.url("policies/nothing")
    yield "a teacher", ours.world.url("settings")


def answers_somewhere_else(response: TestResponse) -> bool:
    """Whether a form was taken (and not its sender asked to sign in)."""
    return response.status_code == 303 and not response.headers["Location"].startswith("/sign-in")


# -- well made ---------------------------------------------------------------------------------------------------


def test_every_page_is_well_made(walk: Walk) -> None:
    """One h1, ids once, labels, no handlers: see tests/hygiene.py."""
    assert not walk.faults, "\n" + "\n".join(dict.fromkeys(walk.faults))


def test_every_answer_has_its_headers(walk: Walk) -> None:
    assert not walk.headers, "\n" + "\n".join(dict.fromkeys(walk.headers))


def test_every_page_was_opened(estate: Estate, walk: Walk) -> None:
    #: Outside the demonstration it is not there; a made-up token belongs to nobody.
    closed = {"demonstration.mailbox", "sign_in.invitation", "sign_in.reset_password", "pages.healthz"}
    opened = {endpoint for (_, endpoint), status in walk.statuses.items() if status in {200, 303}}
    assert {address.endpoint for address in gets(estate)} - opened <= closed


def test_most_forms_refuse_to_be_empty(walk: Walk) -> None:
    assert sum(status == 422 for (_, endpoint), status in walk.statuses.items() if "POST" in endpoint) > 20


def test_what_is_no_page_has_its_headers_too(walkers: dict[str, PortalClient]) -> None:
    for path in ("/nowhere", "/static/nothing.css", "/t/nobody/", "/robots.txt"):
        response = walkers["nobody"].get(path)
        assert list(wrong_headers(response)) == [], path


# -- templates ---------------------------------------------------------------------------------------------------

FORBIDDEN = {
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.I),
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.I),
    "hx-on": re.compile(r"\bhx-on\b"),
    "a trigger's filter": re.compile(r"hx-trigger\s*=\s*[\"'][^\"']*\["),
    "script in a value": re.compile(r"hx-(vals|headers)\s*=\s*[\"']js:|javascript:", re.I),
    "inline script": re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(?!\s*</script>)", re.I),
    "inline style": re.compile(r"<style\b", re.I),
    "somebody else's file": re.compile(r"(?:\ssrc|<link[^>]*\shref)\s*=\s*[\"'](?:https?:)?//", re.I),
}
#: What a template may do all the same, with the reason.
ALLOWED = {
    ("mail/message.html", "a style attribute"): "mail programs know no style sheets",
    ("mail/message.html", "inline style"): "mail programs know no style sheets",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_templates_do_nothing_that_the_policy_forbids(what: str) -> None:
    found = [
        f"{path.relative_to(TEMPLATES)}:{number}"
        for path in sorted(TEMPLATES.rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if FORBIDDEN[what].search(line) and (str(path.relative_to(TEMPLATES)), what) not in ALLOWED
    ]
    assert found == []


def test_the_lint_sees_what_it_looks_for() -> None:
    samples = {
        "a style attribute": '<p class="x" style="color: red">',
        "an inline handler": '<a href="#" onclick="x()">',
        "hx-on": '<div hx-on:click="x()">',
        "a trigger's filter": '<div hx-trigger="load[cond]">',
        "script in a value": "<div hx-vals='js:{a: 1}'>",
        "inline script": "<script>alert(1)</script>",
        "inline style": "<style>",
        "somebody else's file": '<script src="//cdn.example.com/x.js">',
    }
    for what, sample in samples.items():
        assert FORBIDDEN[what].search(sample), what


#: Templates that no page shows, with who renders them instead.
RENDERED_ELSEWHERE = {
    **dict.fromkeys(("print/certificate.html", "print/redline.html"), "the tests of PDFs"),
    **dict.fromkeys(("print/policy.html", "print/_paper.html"), "the tests of PDFs"),
    "policies/being_made.html": "the tests of PDFs: it takes one that is not made yet",
    "policies/school/pdf_is_made.html": "the tests of PDFs: it takes one that is not made yet",
    "policies/approvals/chairs_action.html": "the tests of approving: only the chair of the board sees it",
    "policies/school/brought.html": "the tests of joining: only who brought the file corrects it",
    "acceptance/_picture.html": "the tests of figures: it takes signatures of several days",
    "policies/public/withdrawn.html": "the tests of the public side: it takes a policy that was withdrawn",
    "policies/public/pdf_is_made.html": "the tests of PDFs: it takes one that is not made yet",
    **dict.fromkeys(
        ("policies/school/own_brought.html", "policies/school/own_save.html"),
        "the tests of own policies: only who brought the file corrects and saves it",
    ),
    "archives/cover.html": "the tests of archives: it is the first page of one",
    "acceptance/_document_to_read.html": "the tests of outside documents: only who is asked reads it",
    **dict.fromkeys(
        (
            "acceptance/_kiosk_answers.html",
            "acceptance/kiosk_ask.html",
            "print/paper_form.html",
            "acceptance/kiosk_list.html",
            "acceptance/kiosk_sign.html",
            "layouts/kiosk.html",
            "print/codes.html",
        ),
        "the tests of signing without e-mail: it takes a printed code",
    ),
    "acceptance/at_school_empty.html": "the tests of acceptance: it takes a trust without campaigns",
    **dict.fromkeys(("print/letter.html", "print/form.html"), "the tests of cases"),
    **dict.fromkeys(
        (
            "workflows/concern_sent.html",
            "workflows/_concern_sent.html",
            "workflows/public_concern_sent.html",
            "workflows/_allegation.html",
            "workflows/_allegation_now.html",
        ),
        "the tests of allegations: a code is shown once, a case to who has it",
    ),
    "workflows/on_its_way.html": "the tests of cases: it takes a moment before the job",
    "workflows/try_nowhere.html": "the tests of workflows: it takes a trust without schools",
    "tenants/second_factor.html": "the tests of signing in: it takes half a sign-in",
    "tenants/mailbox.html": "the tests of the demonstration: it exists in no other mode",
    "tenants/front.html": "the tests of tenants: for people of several trusts",
    "tenants/invitation.html": "the tests of signing in: it needs the token of a mail",
    "tenants/reset_password.html": "the tests of signing in: it needs the token of a mail",
    "tenants/recovery_codes.html": "the tests of signing in: codes are shown once",
    "errors/429.html": "the tests of signing in: it takes many failures",
    "errors/409.html": "the tests of drafts: it takes two windows",
    "errors/500.html": "below",
    "errors/503.html": "below",
}


class Recording(BaseLoader):
    """Notes which templates are asked for: whole pages, and whatever they include, import or extend."""

    def __init__(self, inner: BaseLoader) -> None:
        self.inner = inner
        self.seen: set[str] = set()

    def get_source(self, environment: Environment, template: str) -> Any:
        """As the inner loader."""
        self.seen.add(template)
        return self.inner.get_source(environment, template)

    def load(self, environment: Environment, name: str, globals: Any = None) -> Any:
        """As the inner loader."""
        self.seen.add(name)
        return self.inner.load(environment, name, globals)


@contextmanager
def recording(app: Flask) -> Iterator[Recording]:
    assert app.jinja_env.loader is not None
    before = app.jinja_env.loader
    noted = Recording(before)
    app.jinja_env.loader = noted
    if app.jinja_env.cache is not None:
        app.jinja_env.cache.clear()
    try:
        yield noted
    finally:
        app.jinja_env.loader = before


def test_every_template_is_rendered(estate: Estate, walk: Walk) -> None:
    with recording(estate.worker_app) as mailed, estate.ours.world.looking():
        letter = db.session.query(Mail).first()
        assert letter is not None
        with estate.worker_app.test_request_context():
            compose(letter, estate.worker_app.config["PORTAL"])
    templates = {
        str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.suffix in {".html", ".txt"}
    }
    unseen = templates - walk.templates - mailed.seen
    nowhere = sorted(unseen - set(RENDERED_ELSEWHERE))
    assert not nowhere, "nothing renders these:\n" + "\n".join(nowhere)
    assert set(RENDERED_ELSEWHERE) <= templates, "listed, and gone"


@pytest.mark.parametrize("status", [403, 404, 409, 422, 429, 500, 503])
def test_error_pages_are_well_made(estate: Estate, status: int) -> None:
    with estate.app.test_request_context("/sign-in"):
        html = error_page(status, "Something to say.", theirs=None, ours=None).get_data(as_text=True)
    assert faults_of(html) == []


# -- queries -----------------------------------------------------------------------------------------------------


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements that the application sends meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def queries(
    estate: Estate, walkers: dict[str, PortalClient], *, before: Mapping[str, list[str]] | None = None
) -> dict[str, list[str]]:
    """The statements of each page that four people can open, when nothing is looked at for the first time.

    `before`: what they were earlier, of the pages to look at. One that asks no more when it is opened for the first
    time asks no more afterwards: only the others are opened again.
    """
    found: dict[str, list[str]] = {}
    for name in ("the network manager", "the headteacher", "a trustee", "a teacher"):
        client = walkers[name]
        for address in gets(estate):
            page, url = f"{address} by {name}", address.url(estate.ours)
            if before is not None and page not in before:
                continue
            with counted(estate.app) as sent:
                status = client.get(url).status_code
            if status != 200:
                continue
            if before is None or len(sent) > len(before[page]):
                with counted(estate.app) as sent:
                    client.get(url)
            found[page] = sent
    return found


def grow(estate: Estate, *, schools: int, staff: int) -> None:
    """More schools, with their people, policies and assignments."""
    world = estate.ours.world
    for number in range(schools):
        place = world.school(f"Further {number}")
        world.person(f"Head of Further {number}", (Role.HEADTEACHER, place))
        world.person(f"Chair of Further {number}", (Role.CHAIR_OF_GOVERNORS, place))
        for other in range(staff):
            world.person(f"Staff {number} {other}", (Role.STAFF, place), (Role.STAFF, estate.ours.ashgrove))
    world.run_jobs()
    stored_pdfs(estate.ours)


def test_pages_ask_no_more_queries_of_a_larger_trust(
    estate: Estate, walkers: dict[str, PortalClient]
) -> None:
    before = queries(estate, walkers)
    assert len(before) > 60
    assert {page: len(sent) for page, sent in before.items() if len(sent) > 30} == {}, "very many"
    grow(estate, schools=4, staff=3)
    after = queries(estate, walkers, before=before)
    estate.restore()
    wrong = []
    for page, sent in before.items():
        if page in after and len(after[page]) > len(sent):
            more = [one for one in after[page] if after[page].count(one) > sent.count(one)]
            wrong.append(f"{page}: {len(sent)} queries became {len(after[page])}, such as {more[0][:300]}")
    assert not wrong, "\n" + "\n".join(wrong)
