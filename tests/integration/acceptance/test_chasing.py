"""Escalation, quiet hours, changing a campaign, the yearly round: what the trust steers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from tests.integration.conftest import Postbox
from tests.world import Someone, World
from trustportal.acceptance import services
from trustportal.acceptance.domain.questions import Asking, To
from trustportal.acceptance.models import Campaign, CampaignPolicy
from trustportal.acceptance.queries import mine, owing
from trustportal.access import Role
from trustportal.db import Scope, db, scope
from trustportal.errors import Forbidden
from trustportal.kernel_models import Notice, Outbox
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Desk

ClientFor = Callable[..., Any]


def escalate(world: World, on: date) -> int:
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        told = services.escalate(today=on, now=now())
    world.run_jobs()
    return told


def lines(postbox: Postbox, person: Someone) -> str:
    return "\n".join(str(mail) for mail in postbox.to(person.email or ""))


def test_the_late_are_told_to_line_manager_head_and_trust(world: World, desk: Desk, postbox: Postbox) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    ben = world.person("Ben Staff", (Role.STAFF, ashgrove))
    world.person("Olga Other", (Role.STAFF, birch))
    lena = world.person("Lena Lead", (Role.LINE_MANAGER, ashgrove))
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    with world.acting(head) as actor:
        services.set_line_manager(
            actor, person_id=ann.id, school_id=ashgrove.id, manager_id=lena.id, today=today()
        )
    opened = desk.campaign(
        desk.policy("Social media", ashgrove, birch), desk.policy("Keys", ashgrove), roles=[Role.STAFF]
    )
    postbox.received.clear()
    assert escalate(world, opened.due_on + timedelta(days=2)) == 0
    # One message to the line manager about her own people; then one to the head about all, though they owe two each.
    assert escalate(world, opened.due_on + timedelta(days=3)) == 1
    assert len(postbox.to(lena.email or "")) == 1
    assert "Ann Staff has not signed" in lines(postbox, lena)
    assert "Ben" not in lines(postbox, lena)
    assert escalate(world, opened.due_on + timedelta(days=3)) == 0
    assert escalate(world, opened.due_on + timedelta(days=7)) == 1
    assert len(postbox.to(head.email or "")) == 1
    assert "Two people late with signing" in lines(postbox, head)
    assert "Olga" not in lines(postbox, head)
    assert escalate(world, opened.due_on + timedelta(days=21)) == 1
    assert "Ashgrove (2) and Birch (1)" in " ".join(lines(postbox, world.manager).split())
    assert escalate(world, opened.due_on + timedelta(days=60)) == 0
    assert ben.email


def test_nobody_is_told_of_who_asked_is_away_or_owes_what_was_superseded(
    world: World, desk: Desk, postbox: Postbox
) -> None:
    ashgrove = world.school("Ashgrove")
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    asks = world.person("Ann Asks", (Role.STAFF, ashgrove))
    away = world.person("Ava Away", (Role.STAFF, ashgrove))
    social = desk.policy("Social media", ashgrove)
    opened = desk.campaign(social, roles=[Role.STAFF])
    with world.acting(asks) as actor:
        services.ask(
            actor,
            assignment_id=mine.list_open(asks.id)[0].id,
            asking=Asking.QUESTION,
            to=To.HEAD,
            words="Why?",
            now=now(),
            today=today(),
        )
    with world.acting(head) as actor:
        services.record_absence(
            actor, person_id=away.id, school_id=ashgrove.id, from_on=today(), to_on=None, now=now()
        )
    world.run_jobs()
    late = opened.due_on + timedelta(days=30)
    assert escalate(world, late) == 0
    desk.edition(social, ashgrove, ["Be kinder."], ready=False)
    assert escalate(world, late) == 0


def test_mail_waits_for_a_civil_hour(world: World, desk: Desk, client_for: ClientFor) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    client = client_for(world.manager)
    address = world.url("acceptance/schedule")
    assert "Who is told when somebody is late" in client.get(address).text
    bad = client.post(address, data={"before": "7", "every": "1", "quiet_from": "18", "quiet_to": "7"})
    assert bad.status_code == 422
    hour = now().astimezone().hour
    chosen = {
        "before": "5",
        "every": "7",
        "line_manager_after": "",
        "head_after": "10",
        "trust_after": "",
        "quiet_from": str((hour - 2) % 24),
        "quiet_to": str((hour + 3) % 24),
        "weekends": "y",
    }
    assert client.post(address, data=chosen).status_code == 303
    with world.looking():
        schedule = owing.get_schedule()
    assert (schedule.before, schedule.line_manager_after, schedule.head_after) == (5, None, 10)
    desk.campaign(desk.policy("Social media", ashgrove), roles=[Role.STAFF])
    with world.looking():
        assert db.session.scalars(select(Notice.mail_id).where(Notice.person_id == ann.id)).all() == [None]
        waiting = db.session.scalars(
            select(Outbox.not_before).where(Outbox.done_at.is_(None), Outbox.job.like("%notices%"))
        ).all()
    assert waiting
    assert all(one > now() + timedelta(minutes=30) for one in waiting)
    staff = client_for(ann)
    assert staff.get(address).status_code == 403


def test_an_open_campaign_is_changed(world: World, desk: Desk, client_for: ClientFor) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    gov = world.person("Gus Governor", (Role.GOVERNOR, ashgrove))
    bea = world.person("Bea Birch", (Role.STAFF, birch))
    social, keys = desk.policy("Social media", ashgrove, birch), desk.policy("Keys", ashgrove)
    opened = desk.campaign(social, roles=[Role.STAFF])
    desk.sign(bea, desk.open_of(bea)[0])
    later = opened.due_on + timedelta(days=7)
    client = client_for(world.manager)
    address = world.url(f"acceptance/{opened.id}/change")
    page = client.get(address)
    assert "Annual signing" in page.text
    form: dict[str, Any] = {
        "title": "Annual signing, mended",
        "academic_year": str(opened.academic_year),
        "policies": [str(social), str(keys)],
        "where": "some",
        "places": [str(ashgrove.id)],
        "roles": ["staff", "governor"],
        "opens_on": [str(opened.opens_on.day), str(opened.opens_on.month), str(opened.opens_on.year)],
        "due_on": [str(later.day), str(later.month), str(later.year)],
        "joiner_days": "10",
        "statement": opened.statement,
    }
    assert client.post(address, data=form).status_code == 303
    world.run_jobs()
    assert {(one.policy_title, one.due_on) for one in desk.open_of(ann)} == {
        ("Social media", later),
        ("Keys", later),
    }
    assert len(desk.open_of(gov)) == 2
    # The other school is no longer reached: nothing is open there, and what was signed stays signed.
    assert desk.open_of(bea) == []
    with world.looking():
        assert len(db.session.scalars(select(CampaignPolicy)).all()) == 2
    refused = client.post(address, data={**form, "opens_on": ["1", "1", str(later.year + 1)]})
    assert refused.status_code == 422
    with world.acting(ann) as actor, pytest.raises(Forbidden):
        services.change_campaign(
            actor,
            campaign_id=opened.id,
            title="Mine",
            academic_year=opened.academic_year,
            policy_ids=[social],
            roles=[Role.STAFF],
            opens_on=opened.opens_on,
            due_on=later,
            now=now(),
            today=today(),
        )
    with world.acting(world.manager) as actor:
        services.close_campaign(actor, campaign_id=opened.id, now=now())
    closed = client.post(address, data=form)
    assert closed.status_code == 422
    assert "This campaign is closed" in closed.text


def test_the_yearly_round_proposes_itself(world: World, desk: Desk, client_for: ClientFor) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    social, keys = desk.policy("Social media", ashgrove, birch), desk.policy("Keys", ashgrove)
    client = client_for(world.manager)
    assert "Start the annual signing" not in client.get(world.url("")).text
    opened = desk.campaign(
        social,
        roles=[Role.STAFF, Role.GOVERNOR],
        places=[str(ashgrove.id)],
        statement="I keep to {policy} at {place}.",
    )
    with world.acting(world.manager) as actor:
        summer = date(opened.academic_year + 1, 6, 15)
        assert services.proposed_year(summer) == opened.academic_year + 1
        suggested = services.suggest_campaign(actor, today=summer)
    assert suggested["policy_ids"] == [social]
    assert keys not in suggested["policy_ids"]
    assert set(suggested["roles"]) == {Role.STAFF, Role.GOVERNOR}
    assert suggested["places"] == [str(ashgrove.id)]
    assert suggested["statement"] == "I keep to {policy} at {place}."
    assert suggested["academic_year"] == opened.academic_year + 1
    with world.acting(world.manager) as actor:
        services.open_campaign(actor, **suggested, now=now(), today=today())
        assert services.proposed_year(summer) is None


def test_the_preview_says_who_is_asked_what(world: World, desk: Desk, client_for: ClientFor) -> None:
    ashgrove = world.school("Ashgrove")
    world.person("Ann Staff", (Role.STAFF, ashgrove))
    social, keys = desk.policy("Social media", ashgrove), desk.policy("Keys", ashgrove)
    due = today() + timedelta(days=20)
    form: dict[str, Any] = {
        "title": "Signing",
        "academic_year": str(due.year if due.month >= 9 else due.year - 1),
        "policies": [str(social), str(keys)],
        "where": "all",
        "roles": ["staff"],
        "opens_on": [str(today().day), str(today().month), str(today().year)],
        "due_on": [str(due.day), str(due.month), str(due.year)],
        "joiner_days": "14",
        "statement": "I have read {policy} at {place} and agree.",
        "preview": "yes",
    }
    page = client_for(world.manager).post(world.url("acceptance/new"), data=form)
    assert "1 person will be asked" in page.text
    assert "Ann Staff: Keys and Social media" in page.text
    with world.looking():
        assert db.session.scalars(select(Campaign)).all() == []
