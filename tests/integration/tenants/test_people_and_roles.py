"""People, memberships by date, placeholders: through the services, with the database's own rules behind them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from trustportal.access import Permission, Role
from trustportal.audit import verify
from trustportal.db import db
from trustportal.errors import Forbidden, NotFound, RuleBroken
from trustportal.kernel_models import AuditEvent, Outbox
from trustportal.tenants import queries, services
from trustportal.tenants.models import Membership
from trustportal.times import now, today


def test_roles_hold_from_their_first_to_their_last_day(world):
    school = world.school("Ashgrove")
    person = world.person(
        "Sam Staff", (Role.STAFF, school), from_on=today(), to_on=today() + timedelta(days=1)
    )

    with world.looking():
        holding = [
            bool(
                queries.people_with_role(Role.STAFF, on=today() + timedelta(days=offset), school_id=school.id)
            )
            for offset in (-1, 0, 1, 2)
        ]
        actor = queries.get_actor(person.id, on=today() + timedelta(days=2))

    assert holding == [False, True, True, False]
    assert not actor.school_roles
    assert not actor.can_anywhere(Permission.ACCEPTANCE_SIGN)


def test_only_those_who_manage_people_may(world):
    school = world.school("Ashgrove")
    head = world.person("Hana Head", (Role.HEADTEACHER, school))
    membership_id = _membership_of(world, head)

    for use_case in (
        lambda actor: services.add_person(actor, name="New Person", now=now()),
        lambda actor: services.begin_membership(
            actor, person_id=head.id, role=Role.GOVERNOR, school_id=school.id, from_on=today()
        ),
        lambda actor: services.end_membership(
            actor, membership_id=membership_id, to_on=today(), today=today()
        ),
        lambda actor: services.invite(actor, person_id=head.id, now=now()),
        lambda actor: services.create_school(actor, name="New School", joined_on=today()),
        lambda actor: services.change_trust(actor, name="Other", colour="#1f4b7a"),
    ):
        with world.acting(head) as actor, pytest.raises(Forbidden):
            use_case(actor)


def _membership_of(world, person):
    with world.looking():
        return db.session.scalars(select(Membership.id).where(Membership.person_id == person.id)).first()


def test_another_trusts_people_and_memberships_are_not_found(world, other_world):
    theirs = other_world.person("Other Person", Role.TRUSTEE)
    membership_id = _membership_of(other_world, theirs)

    for use_case in (
        lambda actor: services.begin_membership(
            actor, person_id=theirs.id, role=Role.TRUSTEE, school_id=None, from_on=today()
        ),
        lambda actor: services.end_membership(
            actor, membership_id=membership_id, to_on=today(), today=today()
        ),
        lambda actor: services.invite(actor, person_id=theirs.id, now=now()),
        lambda actor: services.change_person(actor, person_id=theirs.id, name="Mine", email=None),
        lambda actor: queries.get_person(theirs.id),
    ):
        with world.acting(world.manager) as actor, pytest.raises(NotFound):
            use_case(actor)
    with other_world.looking():
        assert queries.get_person(theirs.id).name == "Other Person"


def test_what_happens_to_people_is_in_the_audit_trail_and_announced(world):
    school = world.school("Ashgrove")
    head = world.person("Hana Head", (Role.HEADTEACHER, school))
    held = _membership_of(world, head)
    with world.acting(world.manager) as actor:
        services.end_membership(actor, membership_id=held, to_on=today() - timedelta(days=1), today=today())

    with world.looking():
        actions = [row.action for row in db.session.scalars(select(AuditEvent).order_by(AuditEvent.position))]
        assert actions[:3] == ["trust.created", "person.created", "person.changed"]
        assert {"school.created", "membership.began", "membership.ended"} <= set(actions)
        assert list(verify()) == []


def test_leaving_ends_every_session_at_once(world, client_for):
    school = world.school("Ashgrove")
    head = world.person("Hana Head", (Role.HEADTEACHER, school))
    browser = client_for(head)

    held = _membership_of(world, head)
    with world.acting(world.manager) as actor:
        services.end_membership(actor, membership_id=held, to_on=today() - timedelta(days=1), today=today())
    with world.looking():
        assert queries.list_sessions(head.account_id) == []
    answer = browser.get(world.url())
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")


def test_an_address_belongs_to_one_person_of_a_trust_and_to_anybody_of_another(world, other_world):
    world.person("Sam Staff", Role.CENTRAL_STAFF, email="sam@people.example")

    with world.acting(world.manager) as actor, pytest.raises(RuleBroken):
        services.add_person(actor, name="Second Sam", email="SAM@people.example", now=now())
    other_world.person("Sam Staff", Role.CENTRAL_STAFF, email="sam@people.example")


def test_a_head_fills_the_own_schools_placeholders_and_no_others(world):
    ashgrove, birchwood = world.school("Ashgrove"), world.school("Birchwood")
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove), (Role.STAFF, birchwood))
    with world.acting(world.manager) as actor:
        services.define_placeholders(
            actor,
            definitions=[
                {"name": "contact.lado", "label": "LADO"},
                {"name": "contact.dpo", "label": "DPO"},
                {"name": "school.name", "label": "Built in"},
            ],
        )
        services.fill_placeholders(
            actor, school_id=None, values={"contact.dpo": "dpo@larkfield.example"}, now=now()
        )
        assert [slot.name for slot in queries.list_placeholders()] == ["contact.dpo", "contact.lado"]

    with world.acting(head) as actor:
        changed = services.fill_placeholders(
            actor, school_id=ashgrove.id, values={"contact.lado": " 01632  960101 "}, now=now()
        )
        again = services.fill_placeholders(
            actor, school_id=ashgrove.id, values={"contact.lado": "01632 960101"}, now=now()
        )
        services.rename_roles(actor, school_id=ashgrove.id, labels={"headteacher": "Head of School"})
        values = queries.values_for_place(ashgrove.id)
        assert queries.values_for_places([ashgrove.id]) == {ashgrove.id: values}
        for school_id in (birchwood.id, None):
            with pytest.raises(Forbidden):
                services.fill_placeholders(
                    actor, school_id=school_id, values={"contact.lado": "x"}, now=now()
                )
        with pytest.raises(RuleBroken):
            services.fill_placeholders(actor, school_id=ashgrove.id, values={"no.such": "x"}, now=now())

    assert (changed, again) == ({"contact.lado"}, set())
    assert values["contact.lado"] == "01632 960101"
    assert values["contact.dpo"] == "dpo@larkfield.example"
    assert values["role.headteacher"] == "Head of School"
    assert values["school.short_name"] == "Ashgrove"


def test_a_changed_word_is_announced_for_its_place(world):
    school = world.school("Ashgrove")
    with world.acting(world.manager) as actor:
        services.rename_roles(actor, school_id=school.id, labels={"headteacher": "Principal"})
        services.change_trust(actor, name="Larkfield Trust", colour="#00703c")
    with world.looking():
        announced = [
            row.payload["school_id"]
            for row in db.session.scalars(select(Outbox).where(Outbox.event == "placeholder.changed"))
        ]
    # Whether anybody listens is up to the policies feature: one row for each listener and place.
    assert set(announced) <= {str(school.id), ""}


def test_two_schools_cannot_have_the_same_name_in_addresses(world):
    world.school("Ashgrove")

    with world.acting(world.manager) as actor, pytest.raises(RuleBroken) as refused:
        services.create_school(actor, name="Ashgrove Infants", short_name="Ashgrove", joined_on=today())

    assert refused.value.field == "short_name"
