"""How far a campaign is, who is reminded, and what can be exported."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from openpyxl import load_workbook
from sqlalchemy import event, select

from tests.world import World
from trustportal.acceptance import excel, exports, services
from trustportal.acceptance.queries import asked, overview, progress
from trustportal.acceptance.queries.asked import Line
from trustportal.access import Role
from trustportal.db import Scope, db, scope
from trustportal.errors import Forbidden, NotFound
from trustportal.kernel_models import Notice
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Desk


def test_totals_by_place_and_role(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    ann = world.person("Ann Both", (Role.STAFF, ashgrove), (Role.DSL, ashgrove), (Role.STAFF, birch))
    ben = world.person("Ben Staff", (Role.STAFF, ashgrove))
    world.person("Cara Central", Role.CENTRAL_STAFF)
    social = desk.policy("Social media", ashgrove, birch, None)
    code = desk.policy("Staff code", ashgrove)
    opened = desk.campaign(social, code)
    for one in desk.open_of(ann):
        if one.school_id == ashgrove.id:
            desk.sign(ann, one)
    desk.sign(ben, desk.open_of(ben)[0])
    with world.acting(world.manager) as actor:
        shown = overview.get_overview(actor, opened.id, today=today())
        assert {place.short_name: (place.tally.signed, place.tally.asked) for place in shown.places} == {
            "Central team": (0, 1),
            "Ashgrove": (1, 2),
            "Birch": (0, 1),
        }
        assert (shown.total.signed, shown.total.asked, shown.total.late) == (1, 4, 0)
        assert {role: (tally.signed, tally.asked) for role, tally in shown.roles.items()} == {
            Role.CENTRAL_STAFF: (0, 1),
            Role.DSL: (1, 1),
            Role.STAFF: (1, 3),
        }
        assert shown.unsigned is not None
        assert [(one.name, one.school_name, tuple(one.policies)) for one in shown.unsigned.people] == [
            ("Cara Central", None, ("Social media",)),
            ("Ben Staff", "Ashgrove Primary School", ("Staff code",)),
            ("Ann Both", "Birch Primary School", ("Social media",)),
        ]
        only = overview.get_overview(actor, opened.id, today=today(), place=ashgrove.slug, role="dsl")
        assert only.unsigned is not None
        assert only.unsigned.people == []
        late = overview.get_overview(actor, opened.id, today=opened.due_on + timedelta(days=1))
        assert late.total.late == 3


def test_each_reader_sees_what_they_may(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    world.person("Ann Staff", (Role.STAFF, ashgrove))
    world.person("Ben Staff", (Role.STAFF, birch))
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    chair = world.person("Chris Chair", (Role.CHAIR_OF_GOVERNORS, ashgrove))
    trustee = world.person("Tom Trustee", Role.TRUSTEE)
    opened = desk.campaign(desk.policy("Social media", ashgrove, birch), roles=[Role.STAFF])
    with world.acting(head) as actor:
        shown = overview.get_overview(actor, opened.id, today=today())
        assert [place.short_name for place in shown.places] == ["Ashgrove"]
        assert shown.unsigned is not None
        assert [one.name for one in shown.unsigned.people] == ["Ann Staff"]
        with pytest.raises(NotFound):
            overview.get_overview(actor, opened.id, today=today(), place=birch.slug)
        with pytest.raises(NotFound):
            overview.get_overview(actor, opened.id, today=today(), place="trust")
    with world.acting(chair) as actor:
        shown = overview.get_overview(actor, opened.id, today=today())
        assert (shown.total.asked, shown.unsigned) == (1, None)
    with world.acting(trustee) as actor:
        shown = overview.get_overview(actor, opened.id, today=today())
        assert (shown.total.asked, shown.unsigned) == (2, None)


def test_a_leaver_is_in_no_total(world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    world.person("Ann Staff", (Role.STAFF, ashgrove))
    leaver = world.person("Lee Leaver", (Role.STAFF, ashgrove), to_on=today() + timedelta(days=3))
    opened = desk.campaign(desk.policy("Social media", ashgrove))
    desk.sign(leaver, desk.open_of(leaver)[0])
    with world.acting(world.manager):
        places = [ashgrove.id]
        assert progress.tallies_of(opened, places, today()).places[ashgrove.id].asked == 2
        later = progress.tallies_of(opened, places, today() + timedelta(days=4)).places[ashgrove.id]
        assert (later.signed, later.asked) == (0, 1)


def test_the_queries_do_not_grow_with_schools_or_people(world: World, desk: Desk) -> None:
    counts = []
    social = desk.policy("Social media")
    places = []
    opened = None
    for number in range(3):
        place = world.school(f"School {number}")
        places.append(place)
        for who in range(number + 1):
            world.person(f"Person {number} {who}", (Role.STAFF, place))
        desk.edition(social, place, ["Be kind."])
        if opened is None:
            opened = desk.campaign(social)
        world.run_jobs()
        with world.acting(world.manager) as actor:
            count = 0

            def note(*_: object) -> None:
                nonlocal count
                count += 1

            event.listen(db.engine, "before_cursor_execute", note)
            shown = overview.get_overview(actor, opened.id, today=today())
            overview.list_shown(actor, today=today())
            asked.list_lines(opened, [one.id for one in places], today())
            event.remove(db.engine, "before_cursor_execute", note)
            assert len(shown.places) == number + 1
            counts.append(count)
    assert len(set(counts)) == 1


# -- reminders ---------------------------------------------------------------------------------------------------


def notices(world: World) -> list[str]:
    with world.looking():
        return [one.subject for one in db.session.scalars(select(Notice).order_by(Notice.created_at))]


def test_one_reminder_for_all_that_somebody_owes(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    world.person("Ann Both", (Role.STAFF, ashgrove), (Role.STAFF, birch))
    opened = desk.campaign(desk.policy("Social media", ashgrove, birch), desk.policy("Staff code", ashgrove))
    before = len(notices(world))

    def remind(days: int) -> int:
        with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
            return services.remind_due(today=opened.due_on + timedelta(days=days), now=now())

    assert [remind(days) for days in (-8, -7, -6, 0, 0, 3, 7)] == [0, 1, 0, 1, 0, 0, 1]
    said = notices(world)[before:]
    assert len(said) == 3
    assert said[0].startswith("Two policies to sign by")
    assert said[1] == "Two policies to sign today"


def test_nobody_is_reminded_of_what_was_superseded(world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    world.person("Ann Staff", (Role.STAFF, ashgrove))
    social = desk.policy("Social media", ashgrove)
    opened = desk.campaign(social)
    desk.edition(social, ashgrove, ["Be kinder."], ready=False)
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        assert services.remind_due(today=opened.due_on, now=now()) == 0


def test_a_head_reminds_their_own_school_once_a_day(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    chair = world.person("Chris Chair", (Role.CHAIR_OF_GOVERNORS, ashgrove))
    for number, place in enumerate((ashgrove, ashgrove, birch)):
        world.person(f"Person {number}", (Role.STAFF, place))
    opened = desk.campaign(desk.policy("Social media", ashgrove, birch), roles=[Role.STAFF])
    fields = {"campaign_id": opened.id, "today": today(), "now": now()}
    with world.acting(head) as actor:
        assert services.remind_now(actor, places=[ashgrove.id], **fields) == 2
        assert services.remind_now(actor, places=[ashgrove.id], **fields) == 0
        with pytest.raises(Forbidden):
            services.remind_now(actor, places=[birch.id], **fields)
    with world.acting(chair) as actor, pytest.raises(Forbidden):
        services.remind_now(actor, places=[ashgrove.id], **fields)


# -- exports -----------------------------------------------------------------------------------------------------


def lines() -> list[Line]:
    return [
        Line(
            None,
            '=HYPERLINK("http://x.example","Ann")',
            [Role.STAFF],
            "+1 policy",
            "1.1",
            "Signed",
            today(),
            now(),
            "@I agree",
        ),
        Line(
            "Ashgrove",
            "Ann O’Example, BA",
            [Role.STAFF, Role.DSL],
            "Code",
            "1.2",
            "Late",
            today(),
            None,
            None,
        ),
    ]


def test_csv_holds_no_formula() -> None:
    content = exports.as_csv(lines(), trust_name="-Larkfield")
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0][0] == "Place"
    assert rows[1][:4] == [
        "'-Larkfield",
        '\'=HYPERLINK("http://x.example","Ann")',
        "Member of staff",
        "'+1 policy",
    ]
    assert not [cell for row in rows[1:] for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert rows[2][1] == "Ann O’Example, BA"


def test_excel_holds_no_formula_and_real_days() -> None:
    content = excel.as_excel(lines(), title="Signing: 2026/27", trust_name="Larkfield")
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert sheet["G2"].value.date() == today()
    assert sheet["F3"].value == "Late"
    assert sheet.freeze_panes == "A2"
