"""Fixtures of the browser tests: one running portal and one browser for all of them, people with windows for each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from e2e.portal import KEPT, ROOT, Portal, running_portal
from e2e.visitor import Visitors
from tests.midnight import wait_over_midnight
from trustportal.servers import ensure_servers

_OPTIONS = [
    "--no-sandbox",  # Chromium refuses its sandbox to root
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
]


#: The longest first, so that no process is left alone with one at the end.
_LONGEST = (
    *(
        "test_main_job.py",
        "test_demonstration.py",
        "test_signing.py",
        "test_parent_meeting.py",
        "test_cases.py",
    ),
    *("test_inheritance.py", "test_allegations.py", "test_keyboard_and_no_script.py", "test_late.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In which order processes take them."""
    items.sort(
        key=lambda item: _LONGEST.index(item.path.name) if item.path.name in _LONGEST else len(_LONGEST)
    )


def pytest_runtest_setup() -> None:
    """No journey goes from one day into the next."""
    wait_over_midnight(timedelta(minutes=3))


@pytest.fixture(scope="session")
def portal() -> Iterator[Portal]:
    """The portal, running."""
    with (
        ensure_servers(ROOT / "var" / "test", env={}, durable=False, in_memory=True) as servers,
        running_portal(servers) as one,
    ):
        yield one


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium: the one that CHROMIUM names, Debian's, or Playwright's own.

    Without a window it draws the same pages in about half of the processor's time.
    """
    named = os.environ.get("CHROMIUM") or next(
        (found for name in ("chromium-headless-shell", "chromium") if (found := shutil.which(name))), None
    )
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=named, args=_OPTIONS)
        yield one
        one.close()


@pytest.fixture
def visitors(portal: Portal, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visitors]:
    """People with browsers. Afterwards, no process of the portal may have complained."""
    portal.complaints()
    shots = os.environ.get("E2E_SHOTS")
    people = Visitors(portal, browser, shots=Path(shots) if shots else None)
    failed_before = request.session.testsfailed
    yield people
    if request.session.testsfailed > failed_before:
        _keep_pictures(people, request.node.name)
    people.close()
    assert not (said := portal.complaints()), said


def _keep_pictures(people: Visitors, name: str) -> None:
    """What each browser shows when a test has failed."""
    folder = KEPT / "failed" / name.replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(people.people):
        if one.page.is_closed():
            continue
        one.page.screenshot(path=folder / f"{number}.png", full_page=True)
        (folder / f"{number}.html").write_text(one.page.content())
