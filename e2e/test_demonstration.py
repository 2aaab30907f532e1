"""The demonstration: everybody signs in with one click, and every page that they can reach is well made."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error
from werkzeug.exceptions import HTTPException

from e2e.portal import Portal
from e2e.visitor import PHONE, WIDE, Visitor, Visitors

#: How many pages of one person are opened: one of each kind, so that this is a safeguard and not a choice.
MOST_PAGES = 60
#: How many people open a page of one kind. The sweeps have every role look at every page; here it is a browser that
#: looks, and to a third person it shows nothing that the first two have not seen.
MOST_PEOPLE = 2
#: The mailbox shows everybody's mail: its links lead to pages of others.
NOT_FOLLOWED = {"demonstration.mailbox"}
#: The same for everybody: looked at once.
FOR_ALL = {
    "demonstration.mailbox",
    "pages.accessibility",
    "pages.privacy",
    "public_pages.check",
    "sign_in.sign_in",
}
#: Answers that are files, not pages.
FILES = {
    "acceptance.certificate_pdf",
    "acceptance.evidence_file",
    "acceptance.export",
    "acceptance.policy_to_sign",
    "acceptance.scan",
    "acceptance.signed_policy",
    "policies.version_pdf",
    "policies.version_word",
    "public_pages.earlier_pdf",
    "public_pages.pdf",
    "school_policies.pdf",
    "school_policies.word",
    "static",
    "tenants.logo",
    "tenants.theme",
}
FILE_ENDINGS = (".pdf", ".xlsx", ".docx", ".csv", ".zip", ".json", ".atom", ".ics")


@pytest.fixture(scope="module")
def accounts(portal: Portal) -> list[str]:
    """The names of the people that one may sign in as."""
    lines = portal.load_demonstration().splitlines()
    return [line.strip().split("  ")[0] for line in lines[1:] if line.strip()]


def enter_as(visitors: Visitors, name: str, *, width: int = WIDE) -> Visitor:
    """One click on the sign-in page."""
    visitor = visitors.somebody(width=width, address=visitors.portal.demonstration)
    visitor.open("/sign-in")
    visitor.press(f"Sign in as {name}")
    return visitor


def test_each_account_signs_in_with_one_click_on_a_phone(visitors: Visitors, accounts: list[str]) -> None:
    assert len(accounts) >= 6
    for name in accounts:
        visitor = enter_as(visitors, name, width=PHONE)
        visitor.sees("My tasks")
        visitor.shot(f"demo-home-{name.split()[0].lower()}")
        visitor.context.close()


def test_the_mailbox_shows_what_was_sent(visitors: Visitors, accounts: list[str]) -> None:
    visitor = visitors.somebody(address=visitors.portal.demonstration)
    visitor.until("/demo/mailbox", lambda page: page.locator("article.change").count() > 3)
    visitor.shot("demo-mailbox")
    link = visitor.page.locator("article.change a").first
    assert str(link.get_attribute("href")).startswith("/")


def test_every_page_that_somebody_can_reach_is_well_made(visitors: Visitors, accounts: list[str]) -> None:
    """One person of each role: two trustees see the same pages."""
    faults: list[str] = []
    visited: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    roles: set[str] = set()
    for name in accounts:
        visitor = enter_as(visitors, name)
        role = visitor.page.locator(".me").inner_text().removeprefix(name)
        if role in roles:
            continue
        roles.add(role)
        known = (FOR_ALL & kinds.keys()) | {kind for kind, people in kinds.items() if people >= MOST_PEOPLE}
        for address, kind, fault in crawl(visitor, visitors.portal, known - {"pages.home"}):
            visited[name] += 1
            kinds[kind] += 1
            if fault:
                faults.append(f"{name}: {address}: {fault}")
        visitor.context.close()
    assert not faults, "\n\n".join(faults)
    assert len(kinds) >= 60, sorted(kinds)
    assert sum(visited.values()) >= 100, visited


def crawl(visitor: Visitor, portal: Portal, known: set[str]) -> list[tuple[str, str, str]]:
    """Open one page of every kind that links lead to, from the home page on, but for those that are `known`: each
    address, its kind, and what is wrong with it.
    """
    adapter = portal.app.url_map.bind("127.0.0.1")
    waiting, seen = [(visitor.path, "the home page")], set(known)
    found: list[tuple[str, str, str]] = []
    while waiting and len(found) < MOST_PAGES:
        address, linked_from = waiting.pop(0)
        try:
            path = urlsplit(address).path
            endpoint, _ = adapter.match(path)
        except HTTPException:
            found.append((address, "", f"a link that leads nowhere, on {linked_from}"))
            continue
        if endpoint in seen or endpoint in FILES or path.endswith(FILE_ENDINGS):
            continue
        seen.add(endpoint)
        fault = ""
        try:
            visitor.open(address)
        except (AssertionError, Error) as wrong:
            fault = f"linked from {linked_from}: {wrong}"
        found.append((address, endpoint, fault))
        if endpoint not in NOT_FOLLOWED:
            waiting += [(link, address) for link in links_of(visitor)]
    return found


def links_of(visitor: Visitor) -> list[str]:
    """The addresses within the portal that the page links to."""
    links = visitor.page.evaluate("() => [...document.querySelectorAll('a[href]')].map(one => one.href)")
    own = visitor.visitors.portal.demonstration
    return [link.removeprefix(own).split("#")[0] for link in links if link.startswith(own + "/")]
