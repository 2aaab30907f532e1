"""Cases in browsers: a teacher's request to the register; and the network manager changes how requests go."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from e2e.portal import Portal
from e2e.visitor import PHONE, Visitor, Visitors, go_home, task
from tests.world import Place, Someone, World
from trustportal.access import Role

NAME = "Year 6 at Larchwood"


@dataclass
class Office:
    """A school with the posts that a request meets."""

    world: World
    school: Place
    teacher: Someone
    leader: Someone
    head: Someone
    dsl: Someone
    chair: Someone
    office: Someone
    third: Someone

    def url(self, path: str) -> str:
        """An address of the school."""
        return self.world.url(f"schools/{self.school.slug}/{path}")


@pytest.fixture
def larchwood(portal: Portal) -> Office:
    """A trust of its own."""
    world = portal.trust("Larch Valley Trust")
    school = world.school("Larchwood")

    def person(name: str, role: Role) -> Someone:
        return world.person(name, (role, school))

    made = Office(
        world,
        school,
        teacher=person("Tess Turner", Role.STAFF),
        leader=person("Leo Lamb", Role.LINE_MANAGER),
        head=person("Harriet Hill", Role.HEADTEACHER),
        dsl=person("Dora Dale", Role.DSL),
        chair=person("Charlie Crane", Role.CHAIR_OF_GOVERNORS),
        office=person("Bella Brook", Role.BUSINESS_MANAGER),
        third=person("Theo Thorn", Role.STAFF),
    )
    world.person("Cleo Vane", Role.CEO)
    return made


def ask(teacher: Visitor, larchwood: Office, name: str = NAME) -> str:
    """Fill in the form as a teacher does; the address of the case."""
    teacher.open(larchwood.world.url("cases")).follow("Ask for something")
    offered = "Ask for a new account"  # a new trust gets the workflows that we ship from a job
    teacher.until(teacher.path, lambda page: page.get_by_role("link", name=offered).count() > 0)
    teacher.shot("offered")
    teacher.follow(offered)
    page = teacher.page
    teacher.fill("Name of the account or site", name).fill("Department or year group", "Year 6")
    teacher.fill("Platform", "Picturegram")
    teacher.fill("Which school e-mail address will it be registered with?", "year6@larchwood.example")
    page.get_by_label("Your line manager", exact=True).select_option(label="Leo Lamb")
    for group, people in {
        "Administrators": ("Tess Turner", "Theo Thorn"),
        "Moderators": ("Bella Brook", "Leo Lamb"),
    }.items():
        for number, one in enumerate(people, 1):
            page.get_by_label(f"{group}, person {number}", exact=True).select_option(label=one)
    page.get_by_label("Who keeps the sign-in details", exact=True).select_option(label="Bella Brook")
    for label, words in {
        "What do you want to achieve with it?": "Families see what the children make.",
        "What will be on it?": "Pictures of work, never of faces.",
        "How will you know that it works?": "We ask families after a term.",
        "What keeps unsuitable people from contributing?": "Comments are closed.",
        "What could go wrong, and what do you do about it?": "A name slips in: two people read each post first.",
    }.items():
        teacher.fill(label, words)
    page.locator("input[name=f_audience][value=families]").check()
    page.locator("input[name=f_contributors][value=staff]").check()
    page.locator("input[name=f_minimum_age][value=adults]").check()
    page.locator("input[name=f_host][value=own]").check()
    page.get_by_label("Who reads each post before it is published?", exact=True).select_option(
        label="Theo Thorn"
    )
    page.locator("input[name=f_emergency_access]").check()
    page.locator("input[name=f_logo][value=no]").check()
    _day(teacher, "f_go_live_on", "1", "9", "2035")
    teacher.shot("form")
    teacher.press_in_vain("Send it")
    teacher.sees("Enter a day.")
    _day(teacher, "f_closes_on", "1", "7", "2036")
    teacher.press("Send it")
    address = teacher.path
    teacher.until(address, lambda page: "It waits for" in page.locator("main").inner_text())
    return address


def _day(visitor: Visitor, name: str, *parts: str) -> None:
    for box, part in zip(visitor.page.locator(f"input[name='{name}']").all(), parts, strict=True):
        box.fill(part)


def decide(visitor: Visitor, larchwood: Office, words: str, button: str) -> Visitor:
    """From the home page to what waits, tick the statement, and do it."""
    visitor.until(
        larchwood.world.url(), lambda page: page.locator("ul.tasks > li", has_text=words).count() > 0
    )
    visitor.follow(re.compile("^Open"), within=task(visitor, words))
    visitor.shot(f"decide-{button.lower()}")
    box = visitor.page.locator("form.doing").first.locator("input[name=confirmed]")
    if box.count():
        box.check()
    return visitor.press(button).sees("Done: you")


def test_a_teachers_request_reaches_the_register(larchwood: Office, visitors: Visitors) -> None:
    teacher = visitors.of(larchwood.teacher)
    outsider = visitors.of(larchwood.dsl)
    address = ask(teacher, larchwood)
    teacher.sees("It waits for Leo Lamb", "in 5 working days")
    teacher.shot("case")
    decide(visitors.of(larchwood.leader), larchwood, f"{NAME}: the line manager reads and signs", "Sign")
    head = visitors.of(larchwood.head, width=PHONE)
    decide(head, larchwood, f"{NAME}: the headteacher decides", "Approve")
    teacher.until(address, lambda page: page.get_by_role("link", name="Approval of your account").count() > 0)
    teacher.sees("Approved", "Harriet Hill").shot("case-approved")
    for link in teacher.page.locator("a[href$='.pdf']").all():
        teacher.pdf(str(link.get_attribute("href")))
    office = visitors.of(larchwood.office)
    office.open(larchwood.url("register")).shot("register")
    office.follow(NAME).sees("It may go live from 1 September 2035", "Bella Brook").shot("entry")
    outsider.allowed = {404}
    outsider.page.goto(address)
    outsider.sees_no(NAME)
    outsider.allowed = set()
    go_home(outsider, larchwood.world).sees_no(NAME)


def test_the_next_request_follows_what_was_changed_and_the_running_one_does_not(
    larchwood: Office, visitors: Visitors
) -> None:
    teacher, manager = visitors.of(larchwood.teacher), visitors.of(larchwood.world.manager)
    running = ask(teacher, larchwood)
    manager.open(larchwood.world.url("workflows")).shot("workflows")
    manager.follow("Social media account")
    deciding = manager.page.locator("#step-head")
    deciding.locator("summary", has_text="Change the deadline").click()
    manager.fill("Working days", "8", within=deciding).press("Change the deadline", within=deciding)
    deciding.locator("summary", has_text="Add an approver").click()
    deciding.get_by_label("Who has to agree too?").select_option(label="Chair of governors")
    manager.press("Add an approver", within=deciding)
    manager.page.get_by_label("After which step?").select_option(label="The line manager reads and signs")
    manager.fill("What happens in it?", "The DSL reads it")
    manager.page.get_by_label("Who does it?").select_option(label="Designated safeguarding lead")
    manager.fill("Within how many working days?", "2").press("Add the step")
    manager.sees("A draft of version 2", "Within 8 working days", "The DSL reads it").shot("workflow")
    manager.follow("Try it out").sees("Dora Dale", "Charlie Crane").shot("try")
    manager.open(larchwood.world.url("workflows/site-approval"))
    manager.fill("Why is this change needed?", "The DSL wants to know first.").press("Publish").sees(
        "Published"
    )

    following = ask(teacher, larchwood, "The choir")
    leader = visitors.of(larchwood.leader)
    decide(leader, larchwood, f"{NAME}: the line manager reads and signs", "Sign")
    decide(leader, larchwood, "The choir: the line manager reads and signs", "Sign")
    teacher.until(running, lambda page: "It waits for Harriet Hill" in page.locator("main").inner_text())
    teacher.until(following, lambda page: "It waits for Dora Dale" in page.locator("main").inner_text())
