"""Questions, refusals, long absence: what happens instead of signing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from tests.integration.conftest import Postbox
from tests.world import Someone, World
from trustportal.acceptance import services
from trustportal.acceptance.domain.questions import Asking, To
from trustportal.acceptance.models import Absence, Question
from trustportal.access import Role
from trustportal.db import Scope, db, scope
from trustportal.errors import Forbidden, NotFound, RuleBroken
from trustportal.times import now, today

if TYPE_CHECKING:
    from tests.integration.acceptance.conftest import Desk

ClientFor = Callable[..., Any]


def ask(
    world: World, desk: Desk, person: Someone, asking: Asking = Asking.QUESTION, to: To = To.HEAD
) -> Question:
    assignment = desk.open_of(person)[0]
    with world.acting(person) as actor:
        made = services.ask(
            actor,
            assignment_id=assignment.id,
            asking=asking,
            to=to,
            words="Does this hold on trips?",
            now=now(),
            today=today(),
        )
    world.run_jobs()
    return made


def remind(world: World, on_day: Any) -> int:
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        return services.remind_due(today=on_day, now=now())


def test_a_question_is_answered_and_then_signed(
    world: World, desk: Desk, client_for: ClientFor, postbox: Postbox
) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    opened = desk.campaign(desk.policy("Social media", ashgrove), roles=[Role.STAFF])
    asked = desk.open_of(ann)[0]
    mine, theirs = client_for(ann), client_for(head)
    page = mine.get(world.url(f"sign/{asked.id}"))
    assert "I have a question" in page.text
    form = world.url(f"sign/{asked.id}/question")
    assert mine.get(form).status_code == 200
    refused = mine.post(form, data={"asking": "question", "to": "head", "words": " "})
    assert refused.status_code == 422
    assert (
        mine.post(form, data={"asking": "question", "to": "head", "words": "On trips too?"}).status_code
        == 303
    )
    world.run_jobs()
    assert "Your answer reaches them by mail" in str(postbox.to(head.email or "")[-1])
    assert "On trips too?" not in str(postbox.to(head.email or "")[-1])
    # Nobody is reminded while they wait for an answer; and the head's home page says what to do.
    assert remind(world, opened.due_on) == 0
    home = theirs.get(world.url(""))
    assert "Answer Ann Staff’s question" in home.text
    with world.looking():
        question = db.session.scalars(select(Question)).one()
    address = world.url(f"questions/{question.id}")
    assert "On trips too?" in theirs.get(address).text
    assert theirs.post(address, data={"answer": "Yes, on trips too."}).status_code == 303
    world.run_jobs()
    assert "answered what you wrote" in str(postbox.to(ann.email or "")[-1])
    assert "Yes, on trips too." in mine.get(address).text
    assert remind(world, opened.due_on) == 1
    desk.sign(ann, asked)
    assert desk.open_of(ann) == []
    with world.acting(head) as actor, pytest.raises(RuleBroken, match="meanwhile"):
        services.answer(actor, question_id=question.id, answer="Again.", now=now())


def test_a_refusal_is_recorded_and_goes_to_line_manager_and_head(
    world: World, desk: Desk, client_for: ClientFor
) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    lena = world.person("Lena Lead", (Role.LINE_MANAGER, ashgrove))
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    colleague = world.person("Col League", (Role.STAFF, ashgrove))
    with world.acting(head) as actor:
        services.set_line_manager(
            actor, person_id=ann.id, school_id=ashgrove.id, manager_id=lena.id, today=today()
        )
    desk.campaign(desk.policy("Social media", ashgrove), roles=[Role.STAFF])
    question = ask(world, desk, ann, Asking.REFUSAL)
    assert set(question.routed_to) == {str(lena.id), str(head.id)}
    for one in (lena, head):
        assert "Speak with Ann Staff, who does not sign" in client_for(one).get(world.url("")).text
    for one in (colleague, world.manager):
        assert client_for(one).get(world.url(f"questions/{question.id}")).status_code == 404
    with world.acting(ann) as actor, pytest.raises(Forbidden):
        services.answer(actor, question_id=question.id, answer="Nobody asked me.", now=now())
    with world.acting(lena) as actor:
        services.answer(actor, question_id=question.id, answer="We met; Ann signs.", now=now())
    # It stays open, and it can be signed.
    assert desk.open_of(ann)
    assert "Speak with" not in client_for(head).get(world.url("")).text


def test_a_question_can_go_to_the_line_manager_and_never_to_oneself(world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    lena = world.person("Lena Lead", (Role.LINE_MANAGER, ashgrove))
    with world.acting(head) as actor:
        services.set_line_manager(
            actor, person_id=ann.id, school_id=ashgrove.id, manager_id=lena.id, today=today()
        )
        with pytest.raises(RuleBroken, match="own line manager"):
            services.set_line_manager(
                actor, person_id=ann.id, school_id=ashgrove.id, manager_id=ann.id, today=today()
            )
    desk.campaign(desk.policy("Social media", ashgrove))
    assert ask(world, desk, ann, to=To.LINE_MANAGER).routed_to == [str(lena.id)]
    # The head asks too: nobody else leads the school, so it goes to the trust.
    assert ask(world, desk, head).routed_to == [str(world.manager.id)]


def test_absence_pauses_and_resumes(world: World, desk: Desk, client_for: ClientFor) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    opened = desk.campaign(desk.policy("Social media", ashgrove), roles=[Role.STAFF])
    client = client_for(head)
    form = world.url(f"acceptance/people/{ann.id}/absence")
    assert client.get(f"{form}?place={ashgrove.slug}").status_code == 200
    day = today()
    posted = client.post(
        form, data={"place": ashgrove.slug, "from_on": [str(day.day), str(day.month), str(day.year)]}
    )
    assert posted.status_code == 303
    world.run_jobs()
    (asked,) = desk.open_of(ann)
    assert asked.paused
    assert "Away: waits" in client.get(world.url(f"acceptance/people/{ann.id}")).text
    assert "Sign Social media" not in client_for(ann).get(world.url("")).text
    assert remind(world, opened.due_on + timedelta(days=1)) == 0
    # Totals are of those who are there: nobody is asked, and nobody is late.
    assert "Nobody has been asked yet" in client.get(world.url(f"acceptance/{opened.id}")).text
    with world.looking():
        absence_id = db.session.scalars(select(Absence.id)).one()
    back = opened.due_on + timedelta(days=40)
    with world.acting(head) as actor:
        services.end_absence(actor, absence_id=absence_id, back_on=back, now=now())
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        services.assign_place(ashgrove.id, today=back, now=now())
    (asked,) = desk.open_of(ann)
    assert not asked.paused
    assert asked.due_on == back + timedelta(days=14)


def test_whoever_is_away_when_it_opens_is_asked_on_return(world: World, desk: Desk) -> None:
    ashgrove = world.school("Ashgrove")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    social = desk.policy("Social media", ashgrove)
    back = today() + timedelta(days=3)
    with world.acting(world.manager) as actor:
        services.record_absence(
            actor,
            person_id=ann.id,
            school_id=ashgrove.id,
            from_on=today() - timedelta(days=10),
            to_on=back - timedelta(days=1),
            now=now(),
        )
    desk.campaign(social, roles=[Role.STAFF])
    assert desk.open_of(ann) == []
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        services.assign_place(ashgrove.id, today=back, now=now())
        services.assign_place(ashgrove.id, today=back, now=now())
    (asked,) = desk.open_of(ann)
    assert (asked.cause, asked.due_on) == ("returned", back + timedelta(days=14))


def test_absence_is_noted_by_those_who_oversee_the_school(world: World, desk: Desk) -> None:
    ashgrove, birch = world.school("Ashgrove"), world.school("Birch")
    ann = world.person("Ann Staff", (Role.STAFF, ashgrove))
    other = world.person("Otto Other", (Role.HEADTEACHER, birch))
    day = {"from_on": today(), "to_on": None, "now": now()}
    with world.acting(other) as actor:
        with pytest.raises(Forbidden):
            services.record_absence(actor, person_id=ann.id, school_id=ashgrove.id, **day)
        with pytest.raises(NotFound):
            services.record_absence(actor, person_id=ann.id, school_id=birch.id, **day)
    with world.acting(world.manager) as actor:
        services.record_absence(actor, person_id=ann.id, school_id=ashgrove.id, **day)
        with pytest.raises(RuleBroken, match="already"):
            services.record_absence(actor, person_id=ann.id, school_id=ashgrove.id, **day)
