"""September: a teacher at two schools, guidance from outside, a cleaner with a code and a question, a business manager,
a head, the clerk's evidence.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass

import pdfplumber
import pytest

from e2e.portal import Portal
from e2e.stage import Stage, set_stage
from e2e.visitor import PHONE, Visitor, Visitors, go_home, task
from tests.papers import code_on
from tests.world import Place, Someone, World
from trustportal.access import Role
from trustportal.times import today

GUIDANCE = "Keeping children safe"


@dataclass
class Cast:
    """A trust with two schools where everybody is asked to sign the policy of the keys."""

    world: World
    stage: Stage
    rowan: Place
    both: Someone
    cleaner: Someone
    sbm: Someone
    clerk: Someone


@pytest.fixture(scope="module")
def cast(portal: Portal) -> Cast:
    """Made once: the journeys below follow each other."""
    world = portal.trust("September Academies")
    rowan = world.school("Rowan")
    clerk = world.person("Clara Clerk", Role.CLERK)
    stage = set_stage(world)
    school = stage.school
    return Cast(
        world,
        stage,
        rowan,
        both=world.person("Tara Twoschools", (Role.STAFF, school), (Role.SUPPLY, rowan)),
        cleaner=world.person("Carl Cleaner", (Role.CONTRACTOR, school), email=None),
        sbm=world.person("Sue Business", (Role.BUSINESS_MANAGER, school)),
        clerk=clerk,
    )


def wait_to_sign(visitor: Visitor, world: World, count: int) -> None:
    visitor.until(
        world.url("sign"), lambda page: page.locator("ul.tasks a.btn").count() >= count, seconds=120
    )


def test_a_teacher_at_two_schools_signs_on_a_phone(visitors: Visitors, cast: Cast) -> None:
    teacher = visitors.of(cast.both, width=PHONE)
    wait_to_sign(teacher, cast.world, 2)
    teacher.shot("september-list")
    go_home(teacher, cast.world)
    teacher.follow(re.compile("^Read and sign"), within=task(teacher, "Sign "))
    for _ in range(2):
        teacher.follow(re.compile("^Read and sign")) if teacher.path.endswith("/sign") else None
        bar = teacher.page.locator(".sign-bar")
        # However long the text, the way to the signature is on the screen.
        assert bar.is_visible()
        box = bar.bounding_box()
        assert box is not None
        assert box["y"] < 844
        teacher.shot("september-read")
        teacher.page.get_by_role("link", name="Go to signing").click()
        teacher.choose("I agree to this statement")
        teacher.press("Sign").sees("You have signed")
    teacher.sees("nothing is left to sign")
    teacher.shot("september-signed")
    teacher.open(cast.world.url("my-policies"))
    teacher.fill("Search in the words of my policies", "lends").press("Search").sees("lends a key")
    teacher.shot("september-search")


def test_a_head_answers_a_question(visitors: Visitors, cast: Cast) -> None:
    stella = visitors.of(cast.stage.staff[0])
    wait_to_sign(stella, cast.world, 1)
    stella.follow(re.compile("^Read and sign")).follow("I have a question")
    stella.shot("question-ask")
    stella.press_in_vain("Send")
    stella.fill("In your own words", "May I lend my key to the supply teacher?").press("Send")
    stella.sees("Waits for an answer")
    head = visitors.of(cast.stage.head, width=PHONE)
    head.until(
        cast.world.url(),
        lambda page: page.locator("ul.tasks", has_text="Stella Stone’s question").count() > 0,
    )
    head.follow("Answer Stella Stone’s question")
    head.shot("question-answer")
    head.fill("Your answer", "No: the office has one for supply teachers.").press("Send the answer")
    stella.open(cast.world.url("questions")).follow(re.compile("^Keys policy"))
    stella.sees("the office has one for supply teachers").follow("Go on to signing")
    stella.choose("I agree to this statement").press("Sign").sees("Thank you")


def test_guidance_from_outside_is_asked_for_and_confirmed_on_a_phone(visitors: Visitors, cast: Cast) -> None:
    office = visitors.of(cast.world.manager)
    office.open(cast.world.url("acceptance")).follow("Outside documents")
    office.shot("documents-none")
    office.follow("Record a document")
    office.fill("Title", GUIDANCE).fill("Who publishes it?", "The Inspectorate of Schools")
    office.fill("Edition", "September 2026")
    published = office.page.get_by_role("group", name="Published on")
    for box, value in (("Day", "1"), ("Month", "9"), ("Year", str(today().year - 1))):
        office.fill(box, value, within=published)
    office.fill("What is to be read?", "part one").press_in_vain("Record it")
    office.shot("document-new")
    office.fill("Address at which it can be read", "https://inspectorate.example/keeping-children-safe")
    office.press("Record it").sees("It is recorded", "Counts now")
    office.shot("document")
    office.follow("Choose it in a campaign").follow(re.compile("^Progress")).follow("Change it")
    office.choose(GUIDANCE).shot("campaign-change")
    office.press("Save the changes").sees(GUIDANCE)
    office.shot("campaign-with-document")

    teacher = visitors.of(cast.both, width=PHONE)
    wait_to_sign(teacher, cast.world, 1)
    teacher.shot("guidance-list")
    # Who serves at two schools confirms it once.
    assert teacher.page.locator("ul.tasks a.btn").count() == 1
    teacher.follow(re.compile("^Read and")).sees("part one", "once is enough, wherever you serve")
    teacher.shot("guidance-read")
    teacher.press_in_vain("Confirm")
    teacher.choose("I agree to this statement").press("Confirm").sees(
        "You have confirmed", "nothing is left to sign"
    )
    teacher.shot("guidance-confirmed")


def test_a_business_manager_chases_and_a_cleaner_signs_with_a_code(visitors: Visitors, cast: Cast) -> None:
    office = visitors.of(cast.sbm)
    office.until(
        cast.world.url("acceptance"), lambda page: page.locator("ul.tasks > li").count() > 0, seconds=90
    )
    office.follow(re.compile("^Progress")).sees("Who has not signed", "Carl Cleaner")
    office.shot("chasing")
    office.follow("Stan Stead").shot("chasing-person")
    office.press("Remind Stan Stead").sees("will get a reminder")
    office.open(cast.world.url("acceptance")).follow(re.compile("^Progress")).follow("Carl Cleaner")
    office.shot("chasing-cleaner")
    with office.page.expect_download() as download:
        office.page.get_by_role("link", name="Print a form to sign on paper").click()
    with pdfplumber.open(io.BytesIO(download.value.path().read_bytes())) as form:
        words = " ".join(" ".join(page.extract_text() for page in form.pages).split())
    # What is to be read of the guidance, and the words that its reader signs, are on the paper too.
    assert "Carl Cleaner" in words
    assert f"I have read part one of {GUIDANCE}, September 2026" in words
    office.open(cast.world.url("acceptance/codes")).sees("Carl Cleaner")
    office.shot("codes")
    with office.page.expect_download() as download:
        office.page.get_by_role("button", name="Make the sheet (PDF)").click()
    with pdfplumber.open(io.BytesIO(download.value.path().read_bytes())) as sheet:
        code = code_on(sheet.pages[0].extract_text())

    cleaner = visitors.somebody(width=PHONE)
    cleaner.open("/sign-with-code")
    cleaner.shot("kiosk-code")
    cleaner.fill("Your code", "AAAAA-AAAAA").press_in_vain("Go on")
    cleaner.fill("Your code", code.lower()).press("Go on").sees("Hello Carl Cleaner")
    cleaner.shot("kiosk-list")
    cleaner.follow(re.compile("Keys policy$"), within=cleaner.page.locator("ul.tasks"))
    cleaner.shot("kiosk-sign")
    cleaner.choose("I agree to this statement").press("Sign as Carl Cleaner").sees("You have signed")
    cleaner.follow(re.compile(f"{GUIDANCE}$"), within=cleaner.page.locator("ul.tasks"))
    cleaner.shot("kiosk-guidance")
    cleaner.follow("I have a question")
    cleaner.fill("In your own words", "Where can I read it? I have no computer here.")
    cleaner.shot("kiosk-question")
    cleaner.press("Send as Carl Cleaner").sees("It has been sent", "Waits for an answer")
    head = visitors.of(cast.stage.head, width=PHONE)
    head.until(
        cast.world.url(),
        lambda page: page.locator("ul.tasks", has_text="Carl Cleaner’s question").count() > 0,
    )
    head.follow("Answer Carl Cleaner’s question").sees(GUIDANCE, "I have no computer here")
    head.shot("kiosk-question-answer")
    head.fill("Your answer", "The office has a copy on paper.").press("Send the answer")
    # The sitting goes on meanwhile: the answer is there, and then nothing is left.
    cleaner.open("/sign-with-code/list").sees("The office has a copy on paper.")
    cleaner.shot("kiosk-answer")
    cleaner.follow(re.compile(f"{GUIDANCE}$"), within=cleaner.page.locator("ul.tasks"))
    cleaner.choose("I agree to this statement").press("Confirm as Carl Cleaner").sees("Nothing left to sign")
    cleaner.shot("kiosk-done")
    cleaner.press("Finish", within=cleaner.page.locator("main")).sees("hand the device on")
    cleaner.open("/sign-with-code/list").sees("Sign with a printed code").sees_no("Carl")


def test_the_clerk_takes_the_evidence(visitors: Visitors, cast: Cast) -> None:
    clerk = visitors.of(cast.clerk)
    clerk.open(cast.world.url("acceptance/evidence"))
    clerk.page.get_by_label("Place").select_option(label=cast.stage.school.name)
    clerk.shot("evidence")
    clerk.press("Make the pack").sees("Evidence of")
    clerk.shot("evidence-making")
    # The page asks again by itself until the pack is there.
    link = clerk.page.get_by_role("link", name="Take the pack (ZIP)")
    link.wait_for(timeout=90_000)
    clerk.look().shot("evidence-ready")
    with clerk.page.expect_download() as download:
        link.click()
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as pack:
        names = pack.namelist()
        for line in pack.read("SHA256SUMS").decode().splitlines():
            digest, _, name = line.partition("  ")
            assert hashlib.sha256(pack.read(name)).hexdigest() == digest
        certificates = [name for name in names if name.startswith("certificates/")]
        assert len(certificates) >= 3
        signed = pack.read("signatures.csv").decode("utf-8-sig")
    assert "printed code" in signed
    assert any(name.startswith("outside-documents/") for name in names)
    number = re.findall(r"^([0-9a-f-]{36}),Carl Cleaner", signed, re.M)[0]
    clerk.open(cast.world.url("signatures/check"))
    clerk.fill("Evidence number", number).press("Check").sees("The evidence is whole")
    clerk.shot("check")
