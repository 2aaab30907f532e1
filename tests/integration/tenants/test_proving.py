"""What would let somebody else in for good is asked for with the password once more."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pytest
import time_machine
from sqlalchemy import select

from trustportal.access import Role
from trustportal.db import db, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.tenants import queries, sealing, services
from trustportal.tenants.models import Account
from trustportal.times import now, today

PASSWORD = "a-heron-stands-in-the-brook"
#: Hashing takes as long as it must in earnest; what everybody here begins with is hashed once.
hashed = cache(sealing.hash_password)


@pytest.fixture
def head(world):
    school = world.school("Ashgrove")
    person = world.person("Hana Head", (Role.HEADTEACHER, school))
    with world.app.app_context(), unit_of_work():
        account = db.session.scalars(select(Account).where(Account.id == person.account_id)).one()
        account.password = hashed(PASSWORD)
        account.tf_totp_secret = sealing.seal(sealing.new_totp_secret())
    return person


def test_just_signed_in_nothing_is_asked_again(head, client_for):
    client = client_for(head)
    assert "authenticator" in client.get("/account/authenticator").text
    assert "recovery codes" in client.post("/account/recovery-codes").text


def test_later_the_password_is_asked_for_once_more(world, head, client_for):
    client = client_for(head)
    with time_machine.travel(now() + timedelta(minutes=11), tick=False):
        asked = client.get("/account/authenticator")
        assert asked.status_code == 303
        assert asked.location.startswith("/account/prove")
        assert client.post("/account/authenticator", data={"code": "123456"}).status_code == 303
        refused = client.post("/account/recovery-codes")
        assert refused.location == "/account/prove"
        with world.app.app_context():
            assert queries.get_account(head.account_id).mf_recovery_codes is None

        page = client.get(asked.location)
        assert "Type your password again" in page.text
        assert client.post(asked.location, data={"password": "not this one"}).status_code == 422
        proved = client.post(asked.location, data={"password": PASSWORD})
        assert proved.location == "/account/authenticator"
        assert client.get("/account/authenticator").status_code == 200
        assert "recovery codes" in client.post("/account/recovery-codes").text
    with time_machine.travel(now() + timedelta(minutes=22), tick=False):
        assert client.get("/account/authenticator").status_code == 303


def test_the_proof_leads_only_to_our_own_pages(head, client_for):
    client = client_for(head)
    answer = client.post("/account/prove?next=https://elsewhere.example/", data={"password": PASSWORD})
    assert answer.location == "/account"


def test_tries_are_counted_like_those_of_signing_in(head, client_for):
    client = client_for(head)
    for _ in range(10):
        client.post("/account/prove", data={"password": "wrong"})
    assert "too many tries" in client.post("/account/prove", data={"password": PASSWORD}).text


def test_somebody_without_a_password_signs_in_again(world, client_for):
    nobody = world.person("Nia None", Role.TRUSTEE)
    assert "Sign out and in again" in client_for(nobody).get("/account/prove").text


def test_a_past_end_of_a_role_is_not_moved_into_the_future(world, client_for):
    tess = world.person(
        "Tess Trustee", Role.TRUSTEE, from_on=date(2025, 1, 1), to_on=today() - timedelta(days=3)
    )
    with world.acting(world.manager) as actor:
        held_id = queries.list_memberships(tess.id)[0].id
        with pytest.raises(RuleBroken, match="This role ended on"):
            services.end_membership(
                actor, membership_id=held_id, to_on=today() + timedelta(days=9), today=today()
            )
    end = today() + timedelta(days=9)
    refused = client_for(world.manager).post(
        world.url(f"people/{tess.id}/roles/{held_id}/end"),
        data={"to_on": [str(end.day), str(end.month), str(end.year)]},
    )
    assert refused.status_code == 422
