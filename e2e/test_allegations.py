"""Allegations in browsers: about a teacher, closed by the head; about the head, who is signed in beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from e2e.portal import Portal
from e2e.visitor import PHONE, Visitor, Visitors, go_home, task
from tests.world import Place, Someone, World
from trustportal.access import Role

WAITS = "Confidential item"
REPORT = "Report a concern about an adult"
SAID = "He pulled her out of the line by her arm and shouted at her."


@dataclass
class School:
    """A school with the posts that an allegation meets."""

    world: World
    school: Place
    teacher: Someone
    about: Someone
    head: Someone
    chair: Someone


@pytest.fixture
def brookside(portal: Portal) -> School:
    """A trust of its own."""
    world = portal.trust("Brook Valley Trust")
    school = world.school("Brookside")

    def person(name: str, role: Role) -> Someone:
        return world.person(name, (role, school))

    made = School(
        world,
        school,
        teacher=person("Nell Nash", Role.STAFF),
        about=person("Gareth Glover", Role.STAFF),
        head=person("Ingrid Iver", Role.HEADTEACHER),
        chair=person("Marcus Moon", Role.CHAIR_OF_GOVERNORS),
    )
    world.person("Wanda West", Role.CHAIR_OF_TRUST_BOARD)
    return made


def report(visitor: Visitor, at: School, name: str, *, involved: str) -> str:
    """Report a concern as a teacher does; the code."""
    # A new trust gets the workflows that we ship from a job.
    visitor.until(
        at.world.url(f"schools/{at.school.slug}/requests"),
        lambda page: page.get_by_role("link", name=REPORT).count() > 0,
    )
    visitor.follow(REPORT).sees("Ring 999", "LADO")
    visitor.shot("allegation-form")
    visitor.page.get_by_label("Whom is it about? (optional), person 1").select_option(label=name)
    visitor.page.locator(f"input[name=f_involved][value={involved}]").check()
    visitor.page.locator("input[name=f_capacity][value=saw]").check()
    visitor.page.locator("input[name=f_no_images]").check()
    visitor.press_in_vain("Send the report")
    visitor.sees("Fill this in.")
    visitor.fill("What did you see or hear?", SAID)
    visitor.press("Send the report").sees("Thank you. It is sent.")
    visitor.shot("allegation-sent")
    return visitor.page.locator(".receipt").inner_text()


def take(visitor: Visitor, at: School) -> Visitor:
    """From the home page to the case that waits."""
    visitor.until(at.world.url(), lambda page: page.locator("ul.tasks > li", has_text=WAITS).count() > 0)
    return visitor.follow(re.compile("^Open"), within=task(visitor, WAITS))


def day(visitor: Visitor, name: str) -> None:
    """Today, in the three boxes of a field."""
    today = visitor.page.evaluate(
        "() => { const d = new Date(); return [d.getDate(), d.getMonth()+1, d.getFullYear()]; }"
    )
    for box, part in zip(visitor.page.locator(f"input[name='{name}']").all(), today, strict=True):
        box.fill(str(part))


def test_an_allegation_about_a_teacher_is_closed_by_the_head(brookside: School, visitors: Visitors) -> None:
    teacher = visitors.of(brookside.teacher, width=PHONE)
    report(teacher, brookside, "Gareth Glover", involved="no")
    about = visitors.of(brookside.about)
    head = take(visitors.of(brookside.head), brookside)
    head.sees(SAID, "Contact with the LADO", "within one working day").shot("allegation-case")
    address = head.path
    head.unfold("Record something").follow("Record a contact with the LADO")
    for label, words in {
        "With whom?": "Lana Officer",
        "Of which local authority?": "Northshire",
        "At what time?": "14:20",
        "What was advised?": "Gather the facts; a meeting on Friday.",
        "Who may be told what, and when?": "Nobody yet.",
    }.items():
        head.fill(label, words)
    day(head, "f_on")
    head.shot("allegation-record")
    head.press("Record it").sees("Lana Officer", "In time")
    head.unfold("The harm threshold may be met")
    head.page.locator("input[name=f_limbs][value=harm]").check()
    head.page.locator("[name=f_why_threshold]").fill("She was hurt.")
    head.press("The harm threshold may be met")
    head.until(address, lambda page: page.locator("summary", has_text="Record the outcome").count() > 0)
    head.unfold("Record the outcome")
    for name, value in {
        "outcome": "unsubstantiated",
        "employment": "stays",
        "dbs": "not_met",
        "tra": "not_met",
    }.items():
        head.page.locator(f"input[name=f_{name}][value={value}]").check()
    head.page.locator("[name=f_rationale]").fill("Two people saw it differently.")
    head.page.locator("[name=f_dbs_why]").fill("Nobody was removed from regulated activity.")
    head.page.locator("[name=f_lessons]").fill("Two adults are in the corridor at break.")
    head.shot("allegation-outcome")
    head.press("Record the outcome")
    head.until(address, lambda page: page.locator("summary", has_text="The file is up to date").count() > 0)
    head.unfold("The file is up to date")
    head.page.locator("input[name=f_reference][value=no]").check()
    head.page.locator("[name=f_summary]").fill("Alleged to have pulled a child by the arm; unsubstantiated.")
    head.press("The file is up to date").sees("Concluded", "It is kept until").shot("allegation-closed")
    about.allowed = {404}
    about.page.goto(address)
    about.sees_no(SAID)
    about.allowed = set()
    go_home(about, brookside.world).sees_no(WAITS)


def test_an_allegation_about_the_head_goes_to_the_chair_and_the_head_sees_nothing(
    brookside: School, visitors: Visitors
) -> None:
    head = visitors.of(brookside.head)
    before = go_home(head, brookside.world).text
    code = report(visitors.of(brookside.teacher), brookside, "Ingrid Iver", involved="head")
    chair = take(visitors.of(brookside.chair, width=PHONE), brookside)
    chair.sees(SAID, "Ingrid Iver").shot("allegation-chair")
    head.allowed = {404}
    head.page.goto(chair.path)
    head.sees_no(SAID)
    head.allowed = set()
    assert go_home(head, brookside.world).text == before
    head.open(brookside.world.url("cases")).sees_no(WAITS, "Ingrid Iver")
    # Whoever reported it adds something without their name, from anywhere.
    anybody = visitors.somebody()
    anybody.open(f"/p/{brookside.world.slug}/{brookside.school.slug}/report-a-concern")
    anybody.shot("allegation-public")
    anybody.follow("Add to your report")
    anybody.fill("The code that you were given", code).fill("What do you want to add?", "It happened again.")
    anybody.press("Send it").sees("If your code is right")
    chair.until(chair.path, lambda page: "It happened again." in page.locator("main").inner_text())
