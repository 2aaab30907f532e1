"""Signing in, staying signed in, and everything that ends it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import cache
from uuid import uuid4

import pytest
from argon2.low_level import verify_secret
from passlib.totp import TOTP
from sqlalchemy import event, select

from trustportal.access import Role
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.errors import RuleBroken
from trustportal.sessions import cookie_name
from trustportal.tenants import queries, sealing, services
from trustportal.tenants.models import Account, Invitation
from trustportal.tenants.services import accounts
from trustportal.times import now, today

PASSWORD = "three words together"


#: Hashing takes as long as it must in earnest; what everybody here begins with is hashed once.
hashed = cache(sealing.hash_password)


def with_password(world, person, password=PASSWORD):
    """Give somebody a password, as their invitation would."""
    with world.app.app_context(), unit_of_work():
        account = db.session.scalars(select(Account).where(Account.id == person.account_id)).one()
        account.password = hashed(password)
    return person


def sign_in(client, email, password=PASSWORD):
    client.get("/sign-in")
    return client.post("/sign-in", data={"email": email, "password": password})


def same_words(one, other, email):
    """Whether two answers differ in nothing but the address that was typed and the CSRF token."""

    def plain(answer):
        html = re.sub(r'name="csrf_token" value="[^"]+"|X-CSRFToken[^}]+', "", answer.get_data(as_text=True))
        return html.replace(email, "").replace("nobody@larkfield.example", "")

    return plain(one) == plain(other)


@pytest.fixture
def staff(world):
    return with_password(world, world.person("Sam Staff", (Role.STAFF, world.school("Ashgrove"))))


@pytest.fixture
def head(world):
    return with_password(world, world.person("Hana Head", (Role.HEADTEACHER, world.school("Birchwood"))))


def test_staff_sign_in_with_a_password_and_arrive_where_they_wanted(world, staff, client):
    first = client.get(world.url())
    assert first.headers["Location"] == f"/sign-in?next=/t/{world.slug}/"
    client.get(first.headers["Location"])
    before = client.get_cookie(cookie_name(world.app))
    answer = client.post("/sign-in", data={"email": f" {staff.email.upper()} ", "password": PASSWORD})

    assert answer.status_code == 303
    assert answer.headers["Location"] == world.url()
    assert client.get_cookie(cookie_name(world.app)).value != before.value
    page = client.get(world.url())
    assert b"Sam Staff" in page.data
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_signing_in_never_leads_out_of_the_portal(staff, client, target):
    client.get("/sign-in", query_string={"next": target})

    assert sign_in(client, staff.email).headers["Location"] == "/"


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(staff, client):
    wrong = sign_in(client, staff.email, "something else")
    unknown = sign_in(client, "nobody@larkfield.example", "something else")

    assert (wrong.status_code, unknown.status_code) == (422, 422)

    assert same_words(wrong, unknown, staff.email)


def test_a_known_and_an_unknown_address_cost_the_same(world, staff, monkeypatch):
    """What takes time is the hash and the database: both are asked as often, with the same settings."""

    def cost(email):
        done = []

        def verify(hashed, secret, kind):
            done.append(hashed.rsplit(b"$", 2)[0])
            return verify_secret(hashed, secret, kind)

        def note(_connection, _cursor, statement, *_rest):
            done.append(statement.split()[0])

        monkeypatch.setattr("argon2._password_hasher.verify_secret", verify)
        with world.app.app_context():
            event.listen(db.engine, "before_cursor_execute", note)
            with pytest.raises(RuleBroken):
                accounts.check_password(email=email, password="something else", now=now(), today=today())
            event.remove(db.engine, "before_cursor_execute", note)
        return done

    without_password = world.person("No Password", (Role.STAFF, world.school("Fernhill")))
    known = cost(staff.email)

    assert sum(one.startswith(b"$argon2id$") for one in known if isinstance(one, bytes)) == 1
    assert cost(without_password.email) == known
    assert cost("nobody@larkfield.example") == known


def test_ten_failures_in_five_minutes_and_no_more_from_any_address(world, staff):
    def guess(number):
        made = world.app.test_client()
        made.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        return sign_in(made, staff.email, f"guess number {number}").get_data(as_text=True)

    answers = [guess(number) for number in range(12)]
    assert [("too many tries" in answer) for answer in answers] == [False] * 10 + [True] * 2
    right = world.app.test_client()
    assert sign_in(right, staff.email).status_code == 422
    with world.app.app_context():
        known = accounts.check_password(
            email=staff.email, password=PASSWORD, now=now() + timedelta(minutes=6), today=today()
        )
    assert known.account_id == staff.account_id


def test_guesses_at_the_same_instant_are_counted_too(world, staff):
    def guess(number):
        with world.app.app_context():
            try:
                accounts.check_password(email=staff.email, password="guess", now=now(), today=today())
            except RuleBroken as refused:
                return refused.message
        return "in"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(24)))

    assert sum("too many" in answer for answer in answers) == 14


def test_many_people_sign_in_from_one_address(world, staff):
    for _ in range(15):
        made = world.app.test_client()
        assert sign_in(made, staff.email).status_code == 303


def test_whoever_may_do_more_sets_up_an_authenticator_first(world, head, client):
    step = sign_in(client, head.email)
    assert step.headers["Location"] == "/second-factor"
    assert client.get(world.url()).status_code == 303  # half way is not signed in
    page = client.get("/second-factor").get_data(as_text=True)
    assert 'src="data:image/svg+xml' in page
    secret = re.search(r'<code class="hash">([A-Z0-9 ]+)</code>', page)[1]

    assert client.post("/second-factor", data={"code": "000000"}).status_code == 422
    done = client.post("/second-factor", data={"code": TOTP(key=secret).generate().token})
    assert "Keep your recovery codes" in done.get_data(as_text=True)
    codes = re.findall(r"<code class=\"hash\">([a-z0-9-]+)</code>", done.get_data(as_text=True))
    assert len(codes) == 8
    assert client.get(world.url()).status_code == 200

    again = world.app.test_client()
    assert sign_in(again, head.email).headers["Location"] == "/second-factor"
    assert b"Enter your code" in again.get("/second-factor").data
    first = again.post("/second-factor", data={"code": codes[0].upper().replace("-", " ")})
    assert first.status_code == 303
    third = world.app.test_client()
    sign_in(third, head.email)
    assert third.post("/second-factor", data={"code": codes[0]}).status_code == 422


def test_a_code_is_good_once(world, head):
    secret = sealing_secret(world, head)
    later = now() + timedelta(seconds=90)
    code = TOTP(key=secret).generate(time=int(later.timestamp())).token
    with world.app.app_context():
        assert accounts.check_code(account_id=head.account_id, code=code, now=later) == "password and code"
        with pytest.raises(RuleBroken):
            accounts.check_code(account_id=head.account_id, code=code, now=later)
        older = TOTP(key=secret).generate(time=int(later.timestamp()) - 30).token
        with pytest.raises(RuleBroken):
            accounts.check_code(account_id=head.account_id, code=older, now=later)


def sealing_secret(world, person):
    with world.app.app_context():
        secret = sealing.new_totp_secret()
        code = TOTP(key=secret).generate(time=int(now().timestamp())).token
        accounts.set_up_code(
            account_id=person.account_id, secret=secret, code=code, now=now(), in_place_of_another=True
        )
        account = queries.get_account(person.account_id)
        assert secret not in (account.tf_totp_secret or "")
    return secret


def test_an_authenticator_cannot_be_replaced_from_half_way(world, head, client):
    sign_in(client, head.email)
    page = client.get("/second-factor").get_data(as_text=True)
    secret = re.search(r'<code class="hash">([A-Z0-9 ]+)</code>', page)[1]
    sealing_secret(world, head)

    answer = client.post("/second-factor", data={"code": TOTP(key=secret).generate().token})

    assert answer.status_code == 422
    assert client.get(world.url()).status_code == 303


def test_codes_are_guessed_ten_times_at_most(world, head):
    sealing_secret(world, head)
    with world.app.app_context():
        for _ in range(10):
            with pytest.raises(RuleBroken, match="not right"):
                accounts.check_code(account_id=head.account_id, code="000000", now=now())
        with pytest.raises(RuleBroken, match="too many"):
            accounts.check_code(account_id=head.account_id, code="000000", now=now())


def replay(world, token):
    """A copy of a cookie, in another browser."""
    made = world.app.test_client()
    made.set_cookie(cookie_name(world.app), token)
    return made.get(world.url()).status_code


def test_a_copied_cookie_is_worthless_after_signing_out(world, staff, client):
    sign_in(client, staff.email)
    token = client.get_cookie(cookie_name(world.app)).value
    assert replay(world, token) == 200
    client.get(world.url())

    assert client.post("/sign-out").status_code == 303

    assert replay(world, token) == 303
    assert client.get(world.url()).status_code == 303


def test_a_copied_cookie_is_worthless_after_a_password_change(world, staff, client, client_for):
    sign_in(client, staff.email)
    token = client.get_cookie(cookie_name(world.app)).value
    elsewhere = client_for(staff)
    client.get("/account/password")

    refused = client.post(
        "/account/password", data={"current": "wrong one", "password": "four words put together"}
    )
    common = client.post("/account/password", data={"current": PASSWORD, "password": "Password123"})
    changed = client.post(
        "/account/password", data={"current": PASSWORD, "password": "four words put together"}
    )

    assert (refused.status_code, common.status_code, changed.status_code) == (422, 422, 303)
    assert client.get(world.url()).status_code == 200
    assert replay(world, token) == 303
    assert elsewhere.get(world.url()).status_code == 303
    assert sign_in(world.app.test_client(), staff.email).status_code == 422


def test_a_copied_cookie_is_worthless_after_disabling(world, staff, client):
    sign_in(client, staff.email)
    with world.app.app_context(), unit_of_work():
        queries.get_account(staff.account_id).active = False

    assert client.get(world.url()).status_code == 303
    assert sign_in(world.app.test_client(), staff.email).status_code == 422


def test_leavers_are_signed_out_in_the_morning(world, staff, client_for):
    with world.acting(world.manager) as actor:
        held = queries.list_memberships(staff.id)[0]
        services.end_membership(actor, membership_id=held.id, to_on=today(), today=today())
    browser = client_for(staff)
    assert browser.get(world.url()).status_code == 200

    tomorrow = today() + timedelta(days=1)
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        assert accounts.begin_day(day=tomorrow, now=now()) == 1

    assert browser.get(world.url()).status_code == 303


def test_reading_pages_keeps_a_session_alive(world, staff, client_for):
    browser = client_for(staff)
    with world.app.app_context(), unit_of_work():
        queries.list_sessions(staff.account_id)[0].seen_at = now() - timedelta(minutes=59)
    assert browser.get(world.url()).status_code == 200
    with world.app.app_context():
        assert queries.list_sessions(staff.account_id)[0].seen_at > now() - timedelta(minutes=1)


def test_sessions_end_after_twelve_hours_and_after_an_idle_one(world, staff, client_for):
    browser = client_for(staff)
    with world.app.app_context(), unit_of_work():
        session = queries.list_sessions(staff.account_id)[0]
        session.seen_at = now() - timedelta(minutes=61)
    assert browser.get(world.url()).status_code == 303
    browser = client_for(staff)
    with world.app.app_context(), unit_of_work():
        for session in queries.list_sessions(staff.account_id):
            session.created_at = now() - timedelta(hours=13)
    assert browser.get(world.url()).status_code == 303


def test_one_sees_and_ends_ones_other_browsers_and_nobody_elses(world, staff, head, client_for):
    mine, other, theirs = client_for(staff), client_for(staff), client_for(head)
    with world.app.app_context():
        ids = [session.id for session in queries.list_sessions(staff.account_id)]
        foreign = queries.list_sessions(head.account_id)[0].id
    assert b"This one" in mine.get("/account").data

    assert mine.post(f"/account/sessions/{foreign}/end").status_code == 404
    assert mine.post(f"/account/sessions/{uuid4()}/end").status_code == 404
    assert mine.post("/account/sessions/end-others").status_code == 303

    assert mine.get(world.url()).status_code == 200
    assert other.get(world.url()).status_code == 303
    assert theirs.get(world.url()).status_code == 200
    with world.app.app_context():
        assert len(queries.list_sessions(staff.account_id)) == 1 < len(ids)


def test_a_new_password_by_mail_once(world, staff, client, postbox):
    def ask(email):
        client.get("/reset-password")
        return client.post("/reset-password", data={"email": email})

    known, unknown = ask(staff.email), ask("nobody@larkfield.example")
    assert same_words(known, unknown, staff.email)
    world.run_jobs()
    link = postbox.last_link(staff.email, "/reset-password/")
    assert postbox.to("nobody@larkfield.example") == []

    other = world.app.test_client()
    other.get(link)
    assert other.post(link, data={"password": "short"}).status_code == 422
    assert other.post(link, data={"password": "another three words"}).status_code == 303
    assert other.get(world.url()).status_code == 200
    assert other.get(link).status_code == 422
    assert other.get("/reset-password/made-up").status_code == 422
    world.run_jobs()
    assert "was changed" in str(postbox.to(staff.email)[-1]["Subject"])


def test_three_reset_mails_an_hour_and_no_more(world, staff, client, postbox):
    for _ in range(5):
        client.get("/reset-password")
        assert client.post("/reset-password", data={"email": staff.email}).status_code == 200
    world.run_jobs()

    assert len(postbox.to(staff.email)) == 3


def test_a_reset_still_asks_for_the_second_factor(world, head, client, postbox):
    sealing_secret(world, head)
    client.get("/reset-password")
    client.post("/reset-password", data={"email": head.email})
    world.run_jobs()
    link = postbox.last_link(head.email, "/reset-password/")
    client.get(link)

    answer = client.post(link, data={"password": "another three words"})

    assert answer.headers["Location"] == "/second-factor"
    assert client.get(world.url()).status_code == 303


@pytest.fixture
def invited(world, postbox):
    """Somebody who was invited, and the link."""
    school = world.school("Cedar")
    with world.acting(world.manager) as actor:
        person = services.add_with_role(
            actor,
            name="New Person",
            email="new.person@larkfield.example",
            role=Role.STAFF,
            school_id=school.id,
            from_on=today(),
            send_invitation=True,
            now=now(),
        )
    world.run_jobs()
    return person, postbox.last_link("new.person@larkfield.example", "/invitation/")


def test_an_invitation_is_used_once(world, invited, client):
    _, link = invited
    client.get(link)
    assert client.post(link, data={"password": "123456789"}).status_code == 422
    assert client.post(link, data={"password": PASSWORD}).status_code == 303
    assert client.get(world.url()).status_code == 200

    other = world.app.test_client()
    assert other.get(link).status_code == 422
    assert b"has been used" in other.get(link).data
    assert other.get("/invitation/made-up").status_code == 404
    assert sign_in(other, "new.person@larkfield.example").status_code == 303


def test_an_invitation_expires_and_the_next_one_replaces_it(world, invited, client, postbox):
    person, link = invited
    with world.acting(world.manager) as actor:
        services.invite(actor, person_id=person.id, now=now())
    assert b"has expired" in client.get(link).data
    world.run_jobs()
    newer = postbox.last_link("new.person@larkfield.example", "/invitation/")
    assert newer != link
    assert client.get(newer).status_code == 200

    with world.looking(), unit_of_work():
        for row in db.session.scalars(select(Invitation)):
            row.expires_at = now() - timedelta(minutes=1)
    assert client.get(newer).status_code == 422
    assert client.post(newer, data={"password": PASSWORD}).status_code == 422


def test_an_account_that_exists_joins_another_trust_with_its_own_password_only(
    world, other_world, staff, client, postbox
):
    with other_world.acting(other_world.manager) as actor:
        services.add_with_role(
            actor,
            name="Sam Staff",
            email=staff.email,
            role=Role.CENTRAL_STAFF,
            school_id=None,
            from_on=today(),
            send_invitation=True,
            now=now(),
        )
    other_world.run_jobs()
    link = postbox.last_link(staff.email, "/invitation/")

    assert b"There is an account" in client.get(link).data
    assert client.post(link, data={"password": "a password of theirs"}).status_code == 422
    client.get("/sign-in", query_string={"next": link})
    assert (
        client.post("/sign-in", data={"email": staff.email, "password": PASSWORD}).headers["Location"] == link
    )
    client.get(link)
    assert client.post(link).status_code == 303
    choice = client.get("/")
    assert b"Which trust?" in choice.data
    for one in (world, other_world):
        assert client.get(one.url()).status_code == 200


def test_signing_in_is_in_the_audit_trail_of_the_trust(world, staff, client):
    from trustportal.kernel_models import AuditEvent

    sign_in(client, staff.email)

    with world.looking():
        actions = list(db.session.scalars(select(AuditEvent.action)))
    assert actions.count("sign_in.succeeded") == 1


def test_nothing_is_changed_without_a_token_or_from_another_site(world, staff, client):
    client.get("/sign-in")
    bare = client.post(
        "/sign-in", data="email=x&password=y", content_type="application/x-www-form-urlencoded"
    )
    foreign = client.post(
        "/sign-in",
        data={"email": staff.email, "password": PASSWORD},
        headers={"Sec-Fetch-Site": "cross-site"},
    )

    assert (bare.status_code, foreign.status_code) == (422, 403)


@pytest.mark.parametrize(("method", "path"), [("POST", "/demo/sign-in"), ("GET", "/demo/mailbox")])
def test_outside_the_demonstration_its_pages_are_not_there(world, staff, client, method, path):
    client.get("/sign-in")

    answer = client.open(
        path, method=method, data={"account": str(staff.account_id)} if method == "POST" else None
    )

    assert answer.status_code == 404
    assert client.get(world.url()).status_code == 303


def test_in_the_demonstration_one_click_signs_in_without_a_second_factor(
    world, demo_app, postbox, monkeypatch
):
    school = world.school("Ashgrove")
    head = world.person("Hana Head", (Role.HEADTEACHER, school))
    chair = world.person("Chris Chair", (Role.CHAIR_OF_GOVERNORS, school))
    with world.acting(world.manager) as actor:
        told = [(head.id, "Headteacher: decides what the school changes."), (chair.id, "")]
        services.show_in_demonstration(actor, people=told)
    browser = demo_app.test_client()
    page = browser.get("/sign-in").get_data(as_text=True)
    assert "Headteacher: decides what the school changes." in page
    assert "Headteacher at Ashgrove Primary School" not in page, "the role once is enough"
    assert "Chair of governors at Ashgrove Primary School" in page
    assert "Nora Network" not in page

    assert browser.post("/demo/sign-in", data={"account": str(uuid4())}).status_code == 404
    assert browser.post("/demo/sign-in", data={"account": "nonsense"}).status_code == 404
    assert browser.post("/demo/sign-in", data={"account": str(head.account_id)}).status_code == 303
    assert browser.get(world.url()).status_code == 200
    with world.acting(world.manager) as actor:
        person = services.add_person(actor, name="New Person", email="new@larkfield.example", now=now())
        services.invite(actor, person_id=person.id, now=now())
    monkeypatch.setitem(
        world.worker_app.config, "PORTAL", replace(world.worker_app.config["PORTAL"], demo=True)
    )
    world.run_jobs()
    assert "Choose your password" in browser.get("/demo/mailbox").get_data(as_text=True)
