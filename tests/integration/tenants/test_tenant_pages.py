"""Pages of people, schools and settings, as those who may and those who may not see them."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from PIL import Image

from trustportal.access import Role
from trustportal.tenants import queries, services
from trustportal.tenants import tasks as registry
from trustportal.tenants.tasks import Fact, Task, provide_facts, provide_tasks
from trustportal.times import today


def day_fields(name, day):
    return {name: [str(day.day), str(day.month), str(day.year)]}


def test_the_network_manager_adds_a_school_and_a_person_who_joins_by_invitation(
    world, client_for, client, postbox
):
    manager = client_for(world.manager)

    made = manager.post(
        world.url("schools/new"),
        data={"name": "Ashgrove Primary School", "short_name": "Ashgrove", "phase": "Primary"}
        | day_fields("joined_on", today()),
    )
    assert made.status_code == 303
    assert made.headers["Location"] == world.url("schools/ashgrove")
    assert b"Ashgrove Primary School" in manager.get(made.headers["Location"]).data

    added = manager.post(
        world.url("people/new"),
        data={
            "name": "Sam Staff",
            "email": "sam.staff@larkfield.example",
            "job_title": "",
            "place": "ashgrove",
            "role": "staff",
            "send": "y",
        }
        | day_fields("from_on", today()),
    )
    assert added.status_code == 303
    person = manager.get(added.headers["Location"])
    assert b"Member of staff" in person.data
    assert b"Invited, until" in person.data
    assert b"Sam Staff" in manager.get(world.url("people?place=ashgrove&role=staff")).data
    assert b"Sam Staff" not in manager.get(world.url("people?place=trust")).data

    world.run_jobs()
    link = postbox.last_link("sam.staff@larkfield.example", "/invitation/")
    assert b"Welcome, Sam Staff" in client.get(link).data
    joined = client.post(link, data={"password": "three words together"})
    assert joined.status_code == 303
    home = client.get("/", follow_redirects=True)
    assert home.request.path == world.url()
    assert b"Nothing needs you today." in home.data


def test_a_form_that_is_not_accepted_keeps_what_was_typed_and_says_what_to_do(world, client_for):
    answer = client_for(world.manager).post(
        world.url("people/new"),
        data={"name": "Sam Staff", "email": "not an address", "place": "", "role": "trustee"}
        | day_fields("from_on", today() + timedelta(days=400))
        | {"to_on": ["31", "2", "2027"]},
    )

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "There is a problem" in page
    assert 'href="#place"' in page
    assert "Enter a real day" in page
    assert 'href="#to_on-day"' in page
    assert 'value="Sam Staff"' in page
    assert 'value="31"' in page
    assert '<option value="trustee" selected>' in page


def test_a_rule_of_the_field_is_shown_at_its_field(world, client_for):
    world.school("Ashgrove")
    answer = client_for(world.manager).post(
        world.url("people/new"),
        data={"name": "Sam Staff", "place": "ashgrove", "role": "trustee"} | day_fields("from_on", today()),
    )

    assert answer.status_code == 422
    assert "is a role at the trust" in answer.get_data(as_text=True)
    with world.looking():
        assert "Sam Staff" not in [one.name for one in queries.list_people_without_role(on=today())]


def test_roles_begin_and_end_on_the_pages(world, client_for):
    school = world.school("Ashgrove")
    person = world.person("Sam Staff", (Role.STAFF, school))
    manager = client_for(world.manager)
    here = world.url(f"people/{person.id}")

    begun = manager.post(
        f"{here}/roles/new",
        data={"place": "ashgrove", "role": "governor", "acting": "y"} | day_fields("from_on", today()),
    )
    assert begun.status_code == 303
    with world.looking():
        serving = {one.role: one for one in queries.list_serving(on=today(), person_id=person.id)}
    assert serving[Role.GOVERNOR].acting
    end = f"{here}/roles/{serving[Role.STAFF].membership_id}/end"
    assert manager.get(end).status_code == 200
    assert manager.post(end, data=day_fields("to_on", today() - timedelta(days=400))).status_code == 422
    assert manager.post(end, data=day_fields("to_on", today() - timedelta(days=1))).status_code == 303
    page = manager.get(here).get_data(as_text=True)
    assert "Earlier roles" in page
    assert "Governor (acting)" in page


def test_a_head_sees_and_names_the_own_school_only(world, client_for):
    ashgrove, birchwood = world.school("Ashgrove"), world.school("Birchwood")
    head = world.person("Hana Head", (Role.HEADTEACHER, ashgrove))
    mine = world.person("Sam Staff", (Role.STAFF, ashgrove))
    theirs = world.person("Tess Teacher", (Role.STAFF, birchwood))
    with world.acting(world.manager) as actor:
        services.define_placeholders(
            actor, definitions=[{"name": "contact.lado", "label": "How to reach the LADO"}]
        )
    browser = client_for(head)

    people = browser.get(world.url("people")).get_data(as_text=True)
    assert "Sam Staff" in people
    assert "Tess Teacher" not in people
    assert "Nora Network" not in people
    assert browser.get(world.url(f"people/{mine.id}")).status_code == 200
    assert browser.get(world.url(f"people/{theirs.id}")).status_code == 404
    assert browser.get(world.url("people?place=birchwood")).status_code == 404
    assert "Birchwood" not in browser.get(world.url("schools")).get_data(as_text=True)
    assert browser.get(world.url("schools/birchwood")).status_code == 404
    assert browser.get(world.url("schools/birchwood/placeholders")).status_code == 404
    assert "Not filled in" in browser.get(world.url("schools/ashgrove")).get_data(as_text=True)

    # The navigation says in which part of the portal one is, also on pages of a school.
    for path, here in (
        ("schools/ashgrove/placeholders", "Schools"),
        ("schools/ashgrove/requests", "Requests"),
        ("schools/ashgrove/register", "Accounts"),
        ("schools/ashgrove/policies/own/new", "Policies"),
        ("ties", "Requests"),
        ("search", "Policies"),
        ("signatures/check", "Signing"),
    ):
        shown = browser.get(world.url(path)).get_data(as_text=True)
        assert re.findall(r'aria-current="page">([A-Z][a-z]+) *<', shown.split("</nav>")[0]) == [here], path

    filled = browser.post(world.url("schools/ashgrove/placeholders"), data={"contact.lado": "01632 960101"})
    named = browser.post(world.url("schools/ashgrove/role-names"), data={"headteacher": "Head of School"})
    assert (filled.status_code, named.status_code) == (303, 303)
    page = browser.get(world.url("schools/ashgrove")).get_data(as_text=True)
    assert "01632 960101" in page
    assert "Head of School" in page


def test_people_are_found_by_name_and_shown_a_hundred_at_a_time(world, client_for, monkeypatch):
    school = world.school("Ashgrove")
    for name in ("Ada One", "Ada Two", "Bea Three"):
        world.person(name, (Role.STAFF, school))
    monkeypatch.setattr("trustportal.tenants.views.people.PER_PAGE", 1)
    browser = client_for(world.manager)

    first = browser.get(world.url("people?name=ada")).get_data(as_text=True)
    second = browser.get(world.url("people?name=ada&page=2")).get_data(as_text=True)

    assert "2 people with a role today" in first
    assert "Ada One" in first
    assert "Ada Two" not in first
    assert "Page 1 of 2" in first
    assert "Ada Two" in second
    assert "Bea Three" not in first + second


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "people/new"),
        ("POST", "people/new"),
        ("GET", "schools/new"),
        ("GET", "settings"),
        ("POST", "settings"),
        ("POST", "settings/logo"),
        ("GET", "settings/placeholders"),
        ("GET", "settings/role-names"),
        ("GET", "settings/central-role-names"),
        ("GET", "schools/ashgrove/change"),
    ],
)
def test_a_head_may_not_manage(world, client_for, method, path):
    head = world.person("Hana Head", (Role.HEADTEACHER, world.school("Ashgrove")))

    assert client_for(head).open(world.url(path), method=method).status_code == 403


def test_an_ex_member_finds_nothing(world, client_for):
    school = world.school("Ashgrove")
    gone = world.person("Gone Person", (Role.HEADTEACHER, school), to_on=today() - timedelta(days=1))
    browser = client_for(gone)

    for path in ("", "people", "schools", "schools/ashgrove", "settings"):
        assert browser.get(world.url(path)).status_code == 404
    assert b"You have no role at present" in browser.get("/").data


def test_another_trusts_addresses_and_ids_are_not_found(world, other_world, client_for):
    school = other_world.school("Ashgrove")
    theirs = other_world.person("Other Person", (Role.STAFF, school))
    world.school("Birchwood")
    browser = client_for(world.manager)

    for path in ("", "people", "schools", "settings", f"people/{theirs.id}"):
        assert browser.get(other_world.url(path)).status_code == 404
    for method, path in (
        ("GET", f"people/{theirs.id}"),
        ("GET", f"people/{theirs.id}/change"),
        ("POST", f"people/{theirs.id}/change"),
        ("POST", f"people/{theirs.id}/invite"),
        ("GET", "schools/ashgrove"),
        ("POST", "schools/ashgrove/placeholders"),
    ):
        assert browser.open(world.url(path), method=method).status_code == 404
    answer = browser.post(
        world.url("people/new"),
        data={"name": "X Y", "place": "ashgrove", "role": "staff"} | day_fields("from_on", today()),
    )
    assert answer.status_code == 422


def test_the_settings_check_the_colour_and_the_logo(world, client_for, client):
    browser = client_for(world.manager)
    picture = io.BytesIO()
    Image.new("RGB", (60, 20), "navy").save(picture, "PNG")

    assert (
        browser.post(world.url("settings"), data={"name": "Larkfield", "colour": "#ffff00"}).status_code
        == 422
    )
    assert (
        browser.post(world.url("settings"), data={"name": "Larkfield", "colour": "#00703C"}).status_code
        == 303
    )
    theme = client.get(world.url("theme.css"))
    assert (theme.status_code, theme.mimetype) == (200, "text/css")
    assert "--brand:#00703c" in theme.get_data(as_text=True)
    assert "public" in theme.headers["Cache-Control"]

    def send(content, name="logo.png"):
        return browser.post(world.url("settings/logo"), data={"logo": (io.BytesIO(content), name)})

    assert send(b"<svg onload='x'>").status_code == 422
    assert send(b"\x89PNG\r\n\x1a\n" + b"0" * 200).status_code == 422
    assert send(b"").status_code == 422
    assert client.get(world.url("logo")).status_code == 404
    assert send(picture.getvalue()).status_code == 303
    logo = client.get(world.url("logo"))
    assert (logo.status_code, logo.mimetype) == (200, "image/png")
    assert browser.get(world.url("settings")).status_code == 200
    assert browser.post(world.url("settings/logo"), data={"remove": "yes"}).status_code == 303
    assert client.get(world.url("logo")).status_code == 404


def test_the_trust_defines_placeholders_and_names_its_roles(world, client_for):
    browser = client_for(world.manager)

    bad = browser.post(world.url("settings/placeholders/new"), data={"name": "school.name", "label": "x"})
    made = browser.post(
        world.url("settings/placeholders/new"), data={"name": "contact.dpo", "label": "The DPO"}
    )
    again = browser.post(
        world.url("settings/placeholders/new"), data={"name": "contact.dpo", "label": "The DPO"}
    )
    assert (bad.status_code, made.status_code, again.status_code) == (422, 303, 422)
    assert (
        browser.post(world.url("settings/placeholders"), data={"contact.dpo": "dpo@x.example"}).status_code
        == 303
    )
    assert b"dpo@x.example" in browser.get(world.url("settings/placeholders")).data
    assert (
        browser.post(world.url("settings/role-names"), data={"clerk": "Company secretary"}).status_code == 303
    )
    with world.looking():
        assert queries.values_for_place(None)["role.clerk"] == "Company secretary"


def test_the_home_page_groups_tasks_by_school(world, client_for, monkeypatch):
    ashgrove, birchwood = world.school("Ashgrove"), world.school("Birchwood")
    both = world.person("Both Roles", (Role.HEADTEACHER, ashgrove), (Role.GOVERNOR, birchwood))
    monkeypatch.setattr(registry, "_tasks", [])
    monkeypatch.setattr(registry, "_facts", [])

    def some(actor, day):
        for school_id in actor.school_roles:
            place = "Ashgrove" if school_id == ashgrove.id else "Birchwood"
            yield Task(
                f"Sign a policy at {place}", "/x", "One changed.", day - timedelta(days=2), "Sign", place
            )

    provide_tasks(some)
    provide_tasks(some)
    provide_facts(lambda actor, day: [Fact("41", "of 48 have signed", place="Ashgrove", percent=85)])

    page = client_for(both).get(world.url()).get_data(as_text=True)

    assert "Two things need you. Nothing else is waiting." in page
    assert page.index("At Ashgrove") < page.index("Sign a policy at Ashgrove") < page.index("At Birchwood")
    assert "2 days late" in page
    assert 'aria-label="41 of 48 have signed"' in page
    assert "2 schools" in page


def test_the_public_pages_of_the_portal_need_nobody(client):
    for path in ("/accessibility", "/privacy"):
        assert client.get(path).status_code == 200
    assert client.get("/healthz").status_code in {200, 503}
    assert client.get("/").headers["Location"].startswith("/sign-in")


def test_the_central_team_names_its_posts_without_renaming_those_of_schools(world, client_for):
    place = world.school("Ashgrove")
    sent = client_for(world.manager).post(
        world.url("settings/central-role-names"), data={"headteacher": "Chief executive"}
    )
    assert sent.status_code == 303
    with world.looking():
        assert queries.values_for_place(None)["role.headteacher"] == "Chief executive"
        assert queries.values_for_place(place.id)["role.headteacher"] == "Headteacher"
