"""The forms that matter, without scripts; and signing with nothing but a keyboard."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from e2e import journeys
from e2e.stage import Stage, set_stage
from e2e.visitor import PHONE, Visitor, Visitors, go_home
from trustportal.db import db, unit_of_work
from trustportal.tenants import sealing
from trustportal.tenants.models import Account

PASSWORD = "nine patient herons"


@dataclass
class Scene:
    """A stage, and the people in front of it."""

    visitors: Visitors
    stage: Stage


@pytest.fixture
def scene(visitors: Visitors) -> Scene:
    """A policy in force that waits for signatures, and its next version for votes."""
    return Scene(visitors, set_stage(visitors.portal.trust("Hollybush Learning Trust")))


def test_without_scripts_one_signs_in_and_signs_votes_and_answers_a_clause(scene: Scene) -> None:
    stage, visitors = scene.stage, scene.visitors
    world, stella = stage.world, stage.staff[0]
    with world.app.app_context(), unit_of_work():
        db.session.get_one(Account, stella.account_id).password = sealing.hash_password(PASSWORD)

    trustee = visitors.of(stage.trustees[0], width=PHONE, scripts=False)
    journeys.open_decision(trustee, world).sees("Whoever loses a key", "hour")
    trustee.press("Approve").sees("Your approval is recorded", "1 of 2")

    head = visitors.of(stage.head, scripts=False)
    head.until(stage.url(), lambda page: "Edition 1.1" in page.locator("main").inner_text())
    head.follow("Change our clauses").follow("Change 1.1")
    head.choose("Use our own text").fill("Text", "Keys of {{school.name}} are counted every evening.")
    head.press_in_vain("Keep this answer").sees("reason")
    head.fill("Why is this different at your school?", "We have many clubs.")
    head.press("Keep this answer").sees("Your answer is kept", "counted every evening")

    staff = visitors.somebody(scripts=False)
    journeys.sign_in(staff, stella.email or "", PASSWORD)
    journeys.wait_for_signing(staff, world)
    staff.follow(re.compile("^Read and sign"))
    staff.press_in_vain("Sign")
    journeys.sign(staff, world)
    staff.sees("Keys policy")


def test_with_the_keyboard_alone_one_skips_to_the_text_and_signs(scene: Scene) -> None:
    world = scene.stage.world
    staff = scene.visitors.of(scene.stage.staff[1])
    journeys.wait_for_signing(staff, world)

    go_home(staff, world)
    tab_to(staff, "Skip to main content", most=1)
    staff.page.keyboard.press("Enter")
    assert staff.page.evaluate("() => document.activeElement.id") == "main"
    tab_to(staff, "Sign Keys policy", most=3)
    enter(staff)
    staff.sees("Your signature")

    tab_to(staff, "Go to signing", most=40)
    staff.page.keyboard.press("Enter")
    assert staff.page.evaluate("() => location.hash") == "#signing"
    tab_to(staff, "I agree to this statement", most=3)
    staff.page.keyboard.press("Space")
    tab_to(staff, "Sign", most=1)
    enter(staff)
    staff.sees("Thank you. You have signed")


_FOCUSED = """() => {
  const one = document.activeElement;
  const box = one.type === 'checkbox' && one.closest('.govuk-checkboxes__item')?.querySelector('label');
  const drawn = getComputedStyle(box || one, box ? '::before' : null);
  return {
    name: (one.labels?.[0]?.innerText ?? one.innerText ?? '').trim(),
    marked: drawn.outlineStyle !== 'none' || drawn.boxShadow !== 'none',
  };
}"""


def tab_to(visitor: Visitor, name: str, *, most: int) -> None:
    """Press Tab until the focus is on what has a name; wherever it comes by, it can be seen."""
    for _ in range(most):
        visitor.page.keyboard.press("Tab")
        focused = visitor.page.evaluate(_FOCUSED)
        assert focused["marked"], f"the focus cannot be seen on “{focused['name']}”"
        if focused["name"].startswith(name):
            return
    raise AssertionError(f"“{name}” is not reached; the focus is on “{focused['name']}”")


def enter(visitor: Visitor) -> None:
    """Press Enter, which leads to another page."""
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")
    visitor.look()
