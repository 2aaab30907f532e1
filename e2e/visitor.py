"""Somebody with a browser. Every page that they come to is looked at: axe, the console, one heading, a phone's width.

    head = visitors.of(world, hana)                   # signed in
    head.open(world.url("policies"))
    head.follow("Change our clauses")                 # a link
    head.fill("Reason", "…"); head.press("Send")      # a button that leads to another page
    head.until("…", lambda page: …)                   # reload until the workers have done it

What one looks at is in `Visitors.looked_at`: the same page in the same state is given to axe once per test and width.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Response, expect
from sqlalchemy.orm import Session

from e2e.portal import Portal
from tests.world import Someone, World
from trustportal.db import db
from trustportal.kernel_models import WebSession
from trustportal.sessions import cookie_name, token_hash
from trustportal.times import now

WIDE, PHONE = 1280, 390
_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|(?<=/clauses/)[a-z0-9-]+|[0-9a-f]{64}")
#: A rule says how its violations weigh: those that never weigh more than "moderate" are not run, since they are not
#: asked for; and what is preloaded (style sheets, sounds) serves none of the others.
_AXE = """() => {
  const rules = {};
  for (const one of axe._audit.rules) {
    if (['minor', 'moderate'].includes(one.impact)) rules[one.id] = {enabled: false};
  }
  return axe.run(document, {resultTypes: ['violations'], iframes: false, preload: false, rules});
}"""
_OVERFLOW = """() => {
  const limit = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= limit) return '';
  const wide = [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > limit + 1);
  return wide.slice(-3).map(one => one.outerHTML.slice(0, 160)).join(' | ') || 'something';
}"""
#: A broken page says so in its answer; what Chromium writes about it in the console adds nothing.
_SAID_ALREADY = "Failed to load resource"


@dataclass
class Visitors:
    """The people of a test, each with a browser context of their own."""

    portal: Portal
    browser: Browser
    #: Where pictures of the key pages go, if anybody wants them.
    shots: Path | None = None
    looked_at: set[tuple[str, ...]] = field(default_factory=set)
    people: list[Visitor] = field(default_factory=list)

    def somebody(self, *, width: int = WIDE, scripts: bool = True, address: str = "") -> Visitor:
        """Somebody who is not signed in."""
        context = self.browser.new_context(
            base_url=address or self.portal.address,
            viewport={"width": width, "height": 844 if width == PHONE else 900},
            java_script_enabled=scripts,
            locale="en-GB",
            timezone_id="Europe/London",
            reduced_motion="reduce",
            has_touch=width == PHONE,
        )
        context.set_default_timeout(20_000)
        visitor = Visitor(self, context, width=width, scripts=scripts)
        self.people.append(visitor)
        return visitor

    def of(self, person: Someone, *, width: int = WIDE, scripts: bool = True) -> Visitor:
        """Somebody who is signed in: the session is made directly."""
        visitor = self.somebody(width=width, scripts=scripts)
        token, app = secrets.token_urlsafe(32), self.portal.app
        assert person.account_id is not None
        with app.app_context(), Session(db.engine) as own, own.begin():
            own.add(
                WebSession(
                    token_hash=token_hash(token),
                    account_id=person.account_id,
                    content={"csrf_token": secrets.token_hex(20)},
                    created_at=now(),
                    seen_at=now(),
                    authenticated_at=now(),
                    method="password and code",
                    user_agent="browser test",
                )
            )
        visitor.context.add_cookies(
            [{"name": cookie_name(app), "value": token, "url": self.portal.address, "httpOnly": True}]
        )
        return visitor

    def close(self) -> None:
        """Close every browser; what went wrong on a page that nobody looked at any more is told now."""
        faults = [fault for one in self.people for fault in one.faults]
        for one in self.people:
            one.context.close()
        assert not faults, "\n".join(faults)


class Visitor:
    """One person's browser."""

    def __init__(self, visitors: Visitors, context: BrowserContext, *, width: int, scripts: bool) -> None:
        self.visitors, self.context, self.width, self.scripts = visitors, context, width, scripts
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.allowed: set[int] = set()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("response", self._response)

    # -- moving about ------------------------------------------------------------------------------------------

    def open(self, path: str) -> Visitor:
        """Go to an address."""
        self.page.goto(path)
        return self.look()

    def follow(self, name: str | re.Pattern[str], *, within: Locator | None = None) -> Visitor:
        """Follow the first link with a name."""
        link = (within or self.page).get_by_role("link", name=name, exact=isinstance(name, str)).first
        with self.page.expect_navigation():
            link.click()
        return self.look()

    def press(self, name: str | re.Pattern[str], *, within: Locator | None = None) -> Visitor:
        """Press a button that leads to another page."""
        button = (within or self.page).get_by_role("button", name=name, exact=isinstance(name, str)).first
        with self.page.expect_navigation():
            button.click()
        return self.look()

    def press_in_vain(self, name: str) -> Visitor:
        """Press a button, and be told what to put right."""
        self.allowed = {422}
        self.press(name)
        self.allowed = set()
        return self.sees("There is a problem")

    def press_in_place(self, name: str, *, within: Locator) -> None:
        """Press a button whose answer is put into the page."""
        within.get_by_role("button", name=name, exact=True).first.click()

    def fill(self, label: str, value: str, *, within: Locator | None = None) -> Visitor:
        """Type into a field, in place of what stands there."""
        (within or self.page).get_by_label(label, exact=True).first.fill(value)
        return self

    def choose(self, label: str, *, within: Locator | None = None) -> Visitor:
        """Click the words beside a radio button or a box to tick."""
        (within or self.page).locator("label", has_text=label).first.click()
        return self

    def unfold(self, summary: str) -> Visitor:
        """Open a folded part."""
        self.page.locator("summary", has_text=summary).first.click()
        return self

    def until(self, path: str, sees: Callable[[Page], bool], *, seconds: int = 60) -> Visitor:
        """Load an address again and again until it shows what the workers were asked to do."""
        for _ in range(seconds * 2):
            self.page.goto(path)
            # It need not be there yet; but nothing else may be wrong.
            self.faults = [fault for fault in self.faults if not fault.startswith("404 ")]
            assert not self.faults, "\n".join(self.faults)
            if sees(self.page):
                return self.look()
            self.page.wait_for_timeout(500)
        raise AssertionError(f"{path} does not show it after {seconds} seconds:\n{self.text[:2000]}")

    # -- what is there -----------------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """The address without its host."""
        return self.page.evaluate("() => location.pathname")

    @property
    def text(self) -> str:
        """The words of the page's main part."""
        return self.page.locator("main").inner_text()

    def sees(self, *words: str) -> Visitor:
        """The main part of the page shows all these words, now or in a moment."""
        for one in words:
            expect(self.page.locator("main")).to_contain_text(one)
        return self

    def sees_no(self, *words: str) -> Visitor:
        """The main part of the page shows none of these words."""
        for one in words:
            expect(self.page.locator("main")).not_to_contain_text(one)
        return self

    def offers(self, name: str | re.Pattern[str], role: Any = "button") -> bool:
        """Whether there is a button (or link) of this name."""
        return self.page.get_by_role(role, name=name, exact=isinstance(name, str)).count() > 0

    @property
    def csrf(self) -> str:
        """The token that the page's forms carry."""
        return self.page.locator("input[name=csrf_token]").first.get_attribute("value") or ""

    def forge(self, path: str, **fields: str) -> tuple[int, str]:
        """Post what no page offers, with a good token; the status and the words of the answer."""
        answer = self.context.request.post(
            path, form={"csrf_token": self.csrf, **fields}, max_redirects=0, fail_on_status_code=False
        )
        return answer.status, answer.text()

    def pdf(self, path: str, *, seconds: int = 90) -> bytes:
        """A PDF, as soon as it is made."""
        for _ in range(seconds * 2):
            answer = self.context.request.get(path, fail_on_status_code=False)
            if answer.headers.get("content-type", "").startswith("application/pdf"):
                return answer.body()
            assert answer.status in {202, 503}, f"{path}: {answer.status}"
            self.page.wait_for_timeout(500)
        raise AssertionError(f"{path} is not made after {seconds} seconds")

    def shot(self, name: str) -> None:
        """A picture for a person to look at, where pictures are wanted."""
        if self.visitors.shots is not None:
            self.visitors.shots.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=self.visitors.shots / f"{name}-{self.width}.png", full_page=True)

    # -- looking -----------------------------------------------------------------------------------------------

    def look(self) -> Visitor:
        """Look at the page that one has come to: nothing may be wrong with it."""
        page = self.page
        page.wait_for_load_state("load")
        faults, self.faults = self.faults, []
        headings = page.locator("h1").count()
        if headings != 1:
            faults.append(f"{headings} main headings")
        heading = page.locator("h1").first.inner_text() if headings else ""
        state = "error" if page.locator(".govuk-error-summary").count() else ""
        place = (_IDS.sub("…", self.path), heading, state, str(self.width), str(self.scripts))
        if place not in self.visitors.looked_at:
            self.visitors.looked_at.add(place)
            faults += self._overflow()
            if self.scripts:
                faults += self._axe()
        assert not faults, f"{self.page.url} ({heading}):\n" + "\n".join(faults)
        return self

    def _overflow(self) -> list[str]:
        """Nothing reaches out of a phone's screen, whatever the width of this browser."""
        size = self.page.viewport_size
        assert size is not None
        if self.width != PHONE:
            self.page.set_viewport_size({"width": PHONE, "height": size["height"]})
        over = self.page.evaluate(_OVERFLOW)
        if self.width != PHONE:
            self.page.set_viewport_size(size)
        return [f"wider than a phone: {over}"] if over else []

    def _axe(self) -> list[str]:
        """Serious and critical violations, each with where it is."""
        # Not the library's own runner: it writes a report of everything that is well, too.
        self.page.evaluate(AXE_SCRIPT)
        result = self.page.evaluate(_AXE)
        return [
            f"axe {one['impact']}: {one['id']}: {one['help']}: {node['html'][:200]} {node['failureSummary'][:300]}"
            for one in result["violations"]
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"][:3]
        ]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and _SAID_ALREADY not in message.text:
            self.faults.append(f"console: {message.text[:400]}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.allowed:
            self.faults.append(f"{response.status} {response.url}")


def task(visitor: Visitor, words: str) -> Locator:
    """The task of a home page that has these words in it."""
    return visitor.page.locator("ul.tasks > li", has_text=words)


def go_home(visitor: Visitor, world: World) -> Visitor:
    """My tasks."""
    return visitor.open(world.url())
