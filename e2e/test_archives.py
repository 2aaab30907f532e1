"""A school starts once nothing is missing; a trust takes everything away, with case records after two people agreed."""

from __future__ import annotations

import re
import zipfile

from playwright.sync_api import Page

from e2e.visitor import PHONE, Visitor, Visitors, go_home, task
from tests.world import Place, Someone, World
from trustportal.access import Role
from trustportal.tenants import queries as tenants
from trustportal.times import now
from trustportal.workflows.services import reporting

WORDS = "He pushed her past the lockers."


def _taken(visitor: Visitor) -> dict[str, bytes]:
    """The files of the archive that the page offers."""
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Take the archive (ZIP)").first.click()
    with zipfile.ZipFile(download.value.path()) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


def _ready(page: Page) -> bool:
    return page.get_by_role("button", name="Take the archive (ZIP)").count() > 0


def test_a_school_starts_and_a_trust_takes_everything_away(visitors: Visitors) -> None:
    world = visitors.portal.trust("Alder Valley Trust")
    manager = visitors.of(world.manager)
    manager.open(world.url("schools/new")).fill("Full name", "Alderbrook Primary School")
    manager.fill("Short name", "Alderbrook").press("Add this school")
    manager.sees("Alderbrook is being set up").follow("Start this school")
    manager.sees("being set up", "Missing", "Somebody who receives an allegation about the head")
    manager.shot("school-start-missing")
    assert not manager.offers("Start this school")
    two = _people(world)
    go_home(manager, world)
    manager.follow("Start Alderbrook").sees("There", "Chandra Cole").shot("school-start-ready")
    phone = visitors.of(world.manager, width=PHONE)
    phone.open(manager.path).shot("school-start-ready")
    manager.press("Start this school").sees("is live").sees_no("being set up")

    manager.open(world.url("settings")).follow("Take your data away").sees("in one file")
    manager.shot("archives")
    manager.choose("With case records, after two people agreed").press_in_vain("Ask for the archive")
    manager.fill("Why?", "We change the supplier.").press("Ask for the archive")
    manager.sees("Both have to agree").shot("archive-waits")
    phone.open(manager.path).shot("archive-waits")

    dpo, chair = visitors.of(two[0], width=PHONE), visitors.of(two[1])
    dpo.until(
        world.url("archives"), lambda page: "We change the supplier." in page.locator("main").inner_text()
    )
    dpo.sees_no(WORDS).shot("archive-decide")
    dpo.press("Agree to this archive").sees("You agreed. It is made once both of you have.", "Being decided")
    go_home(chair, world)
    assert task(chair, "Decide about an archive with case records").count() == 1
    chair.open(world.url("archives")).shot("archive-decide")
    chair.press("Agree to this archive").sees("You agreed. It is made once both of you have.")
    dpo.until(world.url("archives"), _ready).shot("archive-collect")
    files = _taken(dpo)
    (case,) = (name for name in files if re.fullmatch(r"cases/[^/]+/[^/]+/case\.txt", name))
    assert WORDS in files[case].decode()
    manager.open(manager.path).sees("The data protection officer collects it")
    assert not _ready(manager.page)
    manager.shot("archive-made")

    manager.open(world.url("settings/archives")).fill("Why?", "For our records.").press("Ask for the archive")
    manager.until(manager.path, _ready).shot("archive-ready")
    plain = _taken(manager)
    assert not [name for name, content in plain.items() if "cases/" in name or WORDS.encode() in content]
    manager.open(world.url("settings/archives")).shot("archives-listed")
    phone.open(world.url("settings/archives")).shot("archives-listed")


def _people(world: World) -> tuple[Someone, Someone]:
    """Alderbrook's people and a concern about one of them; the two who agree to case records."""
    with world.looking():
        row = tenants.get_school_by_slug("alderbrook")
        school = Place(row.id, row.slug, row.name, row.short_name)
    world.person("Hesper Hall", (Role.HEADTEACHER, school))
    world.person("Chandra Cole", (Role.CHAIR_OF_GOVERNORS, school))
    teacher = world.person("Tobin Tate", (Role.STAFF, school))
    colleague = world.person("Cilla Crane", (Role.STAFF, school))
    two = world.person("Dina Dale", Role.DPO), world.person("Brita Boyd", Role.CHAIR_OF_TRUST_BOARD)
    said = {"involved": "no", "what": WORDS, "capacity": "saw", "no_images": True}
    with world.acting(colleague):
        reporting.report(
            colleague.id,
            school_id=school.id,
            given={"about": [str(teacher.id)], **said},
            may_be_named={teacher.id},
            now=now(),
        )
    return two
