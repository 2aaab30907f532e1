"""A parent who does not come, twice, in browsers; and the pages of ties, interests and figures."""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import UUID, uuid4

from e2e.portal import Portal
from e2e.stage import Stage, set_stage
from e2e.visitor import PHONE, WIDE, Visitor, Visitors, go_home, task
from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.times import now, today
from trustportal.workflows.meeting_models import CaseFigure
from trustportal.workflows.queries import cases


def _day(visitor: Visitor, name: str, on: date) -> None:
    boxes = visitor.page.locator(
        f"details[open] input[name='{name}'], form.doing:visible input[name='{name}']"
    )
    boxes = boxes if boxes.count() else visitor.page.locator(f"input[name='{name}']")
    for box, part in zip(boxes.all()[:3], (on.day, on.month, on.year), strict=True):
        box.fill(str(part))


def report(teacher: Visitor, stage: Stage) -> None:
    """A teacher tells what a parent wrote."""
    world = stage.world
    teacher.until(
        world.url(f"schools/{stage.school.slug}/requests"),
        lambda page: page.get_by_role("link", name="Report a parent's post").count() > 0,
    )
    teacher.follow("Report a parent's post")
    page = teacher.page
    page.locator("input[name=f_about_whom][value=no]").check()
    _day(teacher, "f_seen_on", today() - timedelta(days=1))
    for label, words in {
        "On which platform?": "Picturegram",
        "On which account, page or group?": "Families of Hollybush",
        "What does it say, word for word?": "They lose every key and then lie about it.",
        "The parent or carer’s name, as a letter begins": "Ms R Calder",
        "Their postal address": "4 Mill Lane\nLarkfield\nLF1 2AB",
    }.items():
        page.get_by_label(label).first.fill(words)
    page.get_by_label("Other pupils who are named or affected").fill("Noor Aziz")
    page.locator("input[name=f_identity][value=likely]").check()
    teacher.shot("parent-form")
    teacher.press_in_vain("Send it")
    page.locator("input[name=f_household][value=one]").check()
    teacher.press("Send it").sees("It is with the people who may receive it.")


def invite(head: Visitor, button: str) -> Visitor:
    """Fill in an invitation and make it."""
    page = head.page
    form = page.locator("form.doing").first
    _day(head, "f_meeting_on", today() + timedelta(days=10))
    form.get_by_label("Time", exact=True).fill("15:45")
    form.locator("input[name=f_meeting_for][value='45']").check()
    form.get_by_label("Where, or how online?").fill("The head’s office")
    for number, name in enumerate(("Hattie Holm", "Dara Dunn"), 1):
        form.get_by_label(f"Who takes part for the school, person {number}", exact=True).select_option(
            label=name
        )
    form.get_by_label("Who takes notes").select_option(label="Bella Brook")
    form.get_by_label("The concern, in two or three sentences").fill(
        "A post in a group of families says that the school loses keys and does not tell the truth about it."
    )
    form.get_by_label("What do you ask for until then?").fill("Please take the post down until we have met.")
    form.get_by_label("With whom can they rearrange it?").fill("Bella Brook, 01632 960002")
    form.locator("input[name=f_sent_how][value=post]").check()
    return head.press(button).sees("Done: you invited the parent")


def the_day_comes(stage: Stage, address: str) -> None:
    """Ten days later."""
    case_id = UUID(address.rsplit("/", 1)[-1])
    with stage.world.acting(stage.head), unit_of_work():
        case = cases.get_case(case_id, lock=True)
        case.row.sealed = case.seal.close({**case.values, "meeting_on": today().isoformat()}, case_id)


def missed(head: Visitor, address: str, stage: Stage) -> None:
    the_day_comes(stage, address)
    head.until(address, lambda page: page.locator("summary", has_text="They did not come").count() > 0)
    head.unfold("They did not come")
    head.fill("What happened?", "Nobody came, no message by 16:15.")
    head.shot("parent-missed")
    head.press("They did not come").sees("the parent did not come")


def keep_letter(head: Visitor, address: str, title: str, name: str) -> None:
    """The letter as it is printed."""
    head.until(address, lambda page: page.get_by_role("link", name=f"{title} (PDF)").count() > 0)
    link = head.page.get_by_role("link", name=f"{title} (PDF)").first
    made = head.pdf(str(link.get_attribute("href")))
    assert made.startswith(b"%PDF-")
    shots = head.visitors.shots
    if shots is not None:
        (shots / f"{name}.pdf").write_bytes(made)


def test_a_parent_who_does_not_come_twice(portal: Portal, visitors: Visitors) -> None:
    stage = set_stage(portal.trust("Rowan Hill Trust"))
    world, school = stage.world, stage.school
    deputy = world.person("Dara Dunn", (Role.DEPUTY_HEADTEACHER, school))
    world.person("Bella Brook", (Role.BUSINESS_MANAGER, school))
    world.person("Charlie Crane", (Role.CHAIR_OF_GOVERNORS, school))
    teacher, head = visitors.of(stage.staff[0]), visitors.of(stage.head)
    report(teacher, stage)
    head.until(
        world.url(), lambda page: page.locator("ul.tasks > li", has_text="Meeting with a parent").count() > 0
    )
    head.follow(re.compile("^Open"), within=task(head, "Meeting with a parent"))
    address = head.path
    head.shot("parent-triage")
    page = head.page
    page.locator("input[name=f_triage][value=meeting]").check()
    page.locator("input[name=f_repeat][value=no]").check()
    clause = page.get_by_label("Which clauses of our policy does it not keep to?, clause 1", exact=True)
    clause.select_option(index=1)
    head.press("Go on")
    head.until(address, lambda page: page.locator("button", has_text="Make the invitation").count() > 0)
    head.shot("parent-invite")
    invite(head, "Make the invitation")
    keep_letter(head, address, "Invitation to a meeting", "letter-invitation")
    assert page.get_by_role("link", name="Calendar file of the meeting (.ics)").count() == 1
    missed(head, address, stage)
    head.until(
        address, lambda page: page.locator("button", has_text="Make the second invitation").count() > 0
    )
    _day(head, "f_meeting_on", today() + timedelta(days=10))
    head.press("Make the second invitation").sees("a second time")
    missed(head, address, stage)
    head.until(address, lambda page: page.locator("button", has_text="Decide on the papers").count() > 0)
    restricting = page.get_by_text("Only if you chose “A restriction")
    page.locator("input[name=f_outcome][value=restriction]").check()
    assert restricting.is_visible()
    head.shot("parent-decide-restriction")
    page.locator("input[name=f_outcome][value=warning]").check()
    assert not restricting.is_visible()
    head.fill("Why?", "The post is untrue, and names people who cannot answer.")
    form = page.locator("form.doing").first
    form.locator("textarea[name=comment]").fill("I have read the post and our record of the keys.")
    form.locator("input[name=confirmed]").check()
    head.shot("parent-decide")
    head.press("Decide on the papers").sees("Settled")
    keep_letter(head, address, "What was decided", "letter-outcome")
    head.shot("parent-settled")
    # The deputy was to take part, so sees it, on a phone; whoever reported it does not.
    watching = visitors.of(deputy, width=PHONE)
    watching.open(address).sees("Settled").shot("parent-settled")
    teacher.allowed = {404}
    teacher.page.goto(address)
    teacher.sees_no("Ms R Calder")
    teacher.allowed = set()
    go_home(teacher, world).sees_no("Meeting with a parent")


def test_ties_interests_and_figures(portal: Portal, visitors: Visitors) -> None:
    world = portal.trust("Sorrel Bank Trust")
    school = world.school("Sorrel Bank")
    head = world.person("Hugo Hale", (Role.HEADTEACHER, school))
    chair = world.person("Cora Cole", (Role.CHAIR_OF_GOVERNORS, school))
    trustee, clerk = world.person("Tess Tarn", Role.TRUSTEE), world.person("Clara Clay", Role.CLERK)
    governing = visitors.of(chair, width=PHONE)
    governing.open(world.url("ties")).shot("ties-form")
    governing.press_in_vain("Declare it")
    governing.choose(head.name)
    governing.choose("We are related").choose("It also stands in the trust's register")
    governing.fill("What should the register say? (optional)", "We are cousins.")
    governing.press("Declare it").sees("From now on it counts", "We are cousins.").shot("ties")
    keeping = visitors.of(clerk)
    keeping.open(world.url("interests")).sees("Cora Cole", "Hugo Hale", "We are cousins.").shot("interests")
    with world.acting(trustee), unit_of_work():
        for position, (key, title, began, ended, in_time) in enumerate(
            (
                ("site-approval", "Social media account", 14, 12, "nearly_all"),
                ("parent-meeting", "Meeting with a parent", 6, None, "most"),
                ("blocked-content", "Blocked website", None, None, None),
                ("", "All together", None, None, None),
            )
        ):
            db.session.add(
                CaseFigure(
                    id=uuid4(),
                    person_id=trustee.id,
                    term="2026-2",
                    workflow=key,
                    title=title,
                    position=position,
                    began=began,
                    ended=ended,
                    in_time=in_time,
                    frozen_at=now(),
                )
            )
    for width in (WIDE, PHONE):
        reading = visitors.of(trustee, width=width)
        reading.open(world.url("case-figures")).sees("Summer term 2026", "hidden", "nearly all").shot(
            "figures"
        )
