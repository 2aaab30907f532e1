"""Comments on drafts, reviews, where policies apply, and what a withdrawn policy means for signing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from openpyxl import load_workbook
from sqlalchemy import select

from tests.integration.moments import moment
from tests.integration.policies.given import TREE, publish, run_quick_jobs
from trustportal import clock
from trustportal.access import Actor, Role
from trustportal.db import Scope, db, scope
from trustportal.errors import NotFound, RuleBroken
from trustportal.kernel_models import Notice
from trustportal.policies import queries
from trustportal.policies.domain.changes import Mark
from trustportal.policies.domain.clauses import Mode, NumberingStyle, Weight
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.places import Where
from trustportal.policies.queries import consultations
from trustportal.policies.services import approvals, consulting, drafts, reviewing
from trustportal.times import now, today

# -- comments ----------------------------------------------------------------------------------------------------


@moment
def drafting(at_ashgrove):
    """The next version of the policy is being written."""
    with at_ashgrove.world.acting(at_ashgrove.world.manager) as actor:
        drafts.start_draft(actor, policy_id=at_ashgrove.policy_id, now=now())
    return at_ashgrove


def version_of(on):
    with on.world.looking():
        found = queries.find_open_version(on.policy_id)
        assert found is not None
        return found


def day(value):
    return [str(value.day), str(value.month), str(value.year)]


def test_heads_comment_and_the_author_answers(drafting, client_for, postbox):
    on, world = drafting, drafting.world
    manager, head = client_for(world.manager), client_for(on.head)
    address = world.url(f"policies/{on.slug}/comments")
    assert head.get(address).status_code == 404
    sent = {"roles": ["headteacher"], "until": day(today() + timedelta(days=7)), "question": "Does it work?"}
    assert manager.post(f"{address}/ask", data=sent | {"roles": []}).status_code == 422
    gone = day(today() - timedelta(days=1))
    assert manager.post(f"{address}/ask", data=sent | {"until": gone}).status_code == 422
    assert manager.post(f"{address}/ask", data=sent).status_code == 303
    world.run_jobs()
    assert "open for your comments" in postbox.to(on.head.email)[-1].get_body(("plain",)).get_content()
    assert "Comment on the new draft" in head.get(world.url()).text

    page = head.get(address).text
    assert "Does it work?" in page
    assert "at least two administrators" in page
    assert head.post(address, data={"key": "administrators", "words": " "}).status_code == 422
    said = head.post(address, data={"key": "administrators", "words": "Two is too many for us."})
    assert said.location.endswith("#c-administrators")
    assert "Two is too many for us." in head.get(address).text
    assert "Comment on the new draft" not in head.get(world.url()).text
    assert client_for(on.teacher).get(address).status_code == 404

    assert "Answer 1 comment" in manager.get(world.url()).text
    with world.looking():
        (comment,) = consultations.list_comments([consultations.find_consultation(version_of_id(on)).id])
    reply = f"{address}/{comment.id}/answer"
    assert head.post(reply, data={"answer": "No."}).status_code == 403
    assert manager.post(reply, data={"answer": ""}).status_code == 422
    assert (
        manager.post(reply, data={"answer": "One may be at the trust.", "resolved": "yes"}).status_code == 303
    )
    shown = head.get(address).text
    assert "One may be at the trust." in shown
    assert "Dealt with" in shown
    # The clause goes on: the comment says that it was about other words.
    with world.acting(world.manager) as actor:
        drafts.change_clause(
            actor,
            version_id=version_of_id(on),
            key="administrators",
            row_version=1,
            heading="Administrators",
            text="Every account has two administrators, one at the trust.",
            mode=Mode.ADAPTABLE,
            needs_agreement=False,
            kind=TREE[3].kind,
            now=now(),
        )
    assert "The clause was changed since" in head.get(address).text


def version_of_id(on):
    found = queries.find_open_version(on.policy_id)
    assert found is not None
    return found.id


def open_it(on, until=None):
    with on.world.acting(on.world.manager) as actor:
        return consulting.open_for_comment(
            actor,
            version_id=version_of_id(on),
            roles=[Role.HEADTEACHER],
            until=until or today(),
            question="",
            now=now(),
            today=today(),
        ).id


def test_the_clock_ends_the_time_for_comments(drafting, client_for, postbox):
    on, world = drafting, drafting.world
    consultation_id = open_it(on)
    with time_machine.travel(now() + timedelta(days=1), tick=False):
        with world.acting(on.head) as actor, pytest.raises(RuleBroken, match="time for comments has passed"):
            consulting.comment(
                actor, consultation_id=consultation_id, clause_key="", words="Late.", now=now(), today=today()
            )
        with world.worker_app.app_context():
            clock.run_schedule(now())
        run_quick_jobs(world)
        with world.looking():
            assert consultations.get_consultation(consultation_id).closed_at is not None
        assert client_for(on.head).get(world.url(f"policies/{on.slug}/comments")).status_code == 404
        told = [mail.get_body(("plain",)).get_content() for mail in postbox.to(world.manager.email)]
        assert any("0 comments on the draft" in one for one in told)


def test_sending_a_draft_for_approval_ends_the_comments(drafting):
    on = drafting
    consultation_id = open_it(on)
    with on.world.acting(on.world.manager) as actor:
        version = queries.find_open_version(on.policy_id)
        drafts.change_clause(
            actor,
            version_id=version.id,
            key="societies",
            row_version=1,
            heading="",
            text="No societies.",
            mode=Mode.ADAPTABLE,
            needs_agreement=False,
            kind=TREE[4].kind,
            now=now(),
        )
        approvals.submit_version(
            actor,
            version_id=version.id,
            reason="It is time.",
            marks={"societies": Mark(Weight.MATERIAL, "None left.")},
            now=now(),
        )
    with on.world.looking():
        assert consultations.get_consultation(consultation_id).closed_at is not None


def test_who_is_not_asked_finds_nothing_to_comment_on(drafting):
    on = drafting
    consultation_id = open_it(on)
    with on.world.acting(on.teacher) as actor, pytest.raises(NotFound):
        consulting.comment(
            actor, consultation_id=consultation_id, clause_key="", words="Me too.", now=now(), today=today()
        )


def test_two_people_change_one_header_and_see_both(drafting, client_for):
    on, world = drafting, drafting.world
    client = client_for(world.manager)
    address = world.url(f"policies/{on.slug}/draft/header")
    page = client.get(address).text
    seen = page.split('name="row_version"')[1].split('value="')[1].split('"')[0]
    base = {
        "title": "Social media policy",
        "person_responsible": "Trust network manager",
        "approving_body": "Board of trustees",
        "review_months": "12",
        "numbering": "decimal",
        "public": "y",
        "places": "all",
        "row_version": seen,
    }
    assert client.post(address, data=base | {"audience": "All staff"}).status_code == 303
    clash = client.post(address, data=base | {"audience": "Everybody with an account"})
    assert clash.status_code == 409
    assert "Everybody with an account" in clash.text
    assert "All staff" in clash.text
    again = clash.text.split('name="row_version"')[1].split('value="')[1].split('"')[0]
    assert again != seen
    assert client.post(address, data=base | {"audience": "Both", "row_version": again}).status_code == 303


# -- reviews -----------------------------------------------------------------------------------------------------


def remind(world, at):
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        return reviewing.remind(Actor.portal(world.trust_id), now=at)


def notices(world, person):
    with world.looking():
        return list(
            db.session.scalars(
                select(Notice.subject)
                .where(Notice.person_id == person.id, Notice.subject.contains("eview "))
                .order_by(Notice.created_at)
            )
        )


def test_whoever_holds_the_post_is_reminded_once_for_each_slot(at_ashgrove, client_for):
    on, world = at_ashgrove, at_ashgrove.world
    assert remind(world, now()) == 0
    two_months = now() + timedelta(days=310)
    with time_machine.travel(two_months, tick=False):
        assert remind(world, now()) == 1
        assert remind(world, now()) == 0
        assert notices(world, world.manager) == ["Review due: Social media policy"]
        home = client_for(world.manager).get(world.url()).text
        assert "Review the social media policy" in home
        assert "Review the social media policy" not in client_for(on.head).get(world.url()).text
    with time_machine.travel(now() + timedelta(days=365 + 8), tick=False):
        assert remind(world, now()) == 1
        assert notices(world, world.manager)[-1] == "Review overdue: Social media policy"
        assert "1</b>" in client_for(on.trustees[0]).get(world.url()).text
        assert "review is" not in client_for(on.teacher).get(world.url()).text
        trustee = client_for(on.trustees[0])
        assert "overdue" in trustee.get(world.url()).text
        listed = trustee.get(world.url("policies/register?show=overdue")).text
        assert "Social media policy" in listed
        assert "Overdue" in listed
        assert remind(world, now() + timedelta(days=7)) == 1


def test_a_vacant_post_falls_to_the_network_manager(world):
    trustees = (world.person("Una Trustee", Role.TRUSTEE), world.person("Vera Trustee", Role.TRUSTEE))
    header = PolicyHeader("Data policy", person_responsible="Data protection officer", approving_body="Board")
    with world.acting(world.manager) as actor:
        version = drafts.create_policy(
            actor, header=header, numbering=NumberingStyle.DECIMAL, tree=TREE, now=now()
        )
    publish(world, trustees, version.id, {})
    later = now() + timedelta(days=400)
    assert remind(world, later) == 1
    assert notices(world, world.manager) == ["Review overdue: Data policy"]
    officer = world.person("Dora Data", Role.DPO)
    assert remind(world, later + timedelta(days=7)) == 1
    assert notices(world, officer) == ["Review overdue: Data policy"]
    assert len(notices(world, world.manager)) == 1


def test_several_reviews_of_one_person_are_one_mail(world, postbox):
    trustees = (world.person("Una Trustee", Role.TRUSTEE), world.person("Vera Trustee", Role.TRUSTEE))
    for title in ("Data policy", "Keys policy"):
        header = PolicyHeader(title, person_responsible="Trust network manager", approving_body="Board")
        with world.acting(world.manager) as actor:
            version = drafts.create_policy(
                actor, header=header, numbering=NumberingStyle.DECIMAL, tree=TREE, now=now()
            )
        publish(world, trustees, version.id, {})
    run_quick_jobs(world)
    postbox.received.clear()
    assert remind(world, now() + timedelta(days=400)) == 2
    with time_machine.travel(now() + timedelta(days=400), tick=False):
        run_quick_jobs(world)
    (mail,) = postbox.to(world.manager.email)
    body = mail.get_body(("plain",)).get_content()
    assert "Data policy" in body
    assert "Keys policy" in body


def test_no_cell_of_the_register_becomes_a_formula(world, client_for):
    trustees = (world.person("Una Trustee", Role.TRUSTEE), world.person("Vera Trustee", Role.TRUSTEE))
    header = PolicyHeader(
        '=HYPERLINK("http://evil.example","x")', person_responsible="+1", approving_body="@SUM(A1)"
    )
    with world.acting(world.manager) as actor:
        version = drafts.create_policy(
            actor, header=header, numbering=NumberingStyle.DECIMAL, tree=TREE, now=now()
        )
    publish(world, trustees, version.id, {})
    book = load_workbook(BytesIO(client_for(world.manager).get(world.url("policies/register.xlsx")).data))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.value for cell in cells if cell.data_type == "f"]
    assert any(str(cell.value).startswith("'=HYPERLINK") for cell in cells)


# -- where policies apply ----------------------------------------------------------------------------------------


def test_the_trust_becomes_a_place_at_publication_and_not_before(at_ashgrove, client_for):
    on, world = at_ashgrove, at_ashgrove.world
    central = world.person("Cory Central", Role.CENTRAL_STAFF)
    with world.acting(world.manager) as actor:
        version = drafts.start_draft(actor, policy_id=on.policy_id, now=now())
        version_id, header = version.id, PolicyHeader.from_json(version.header)
        drafts.change_header(
            actor,
            version_id=version_id,
            header_seen=drafts.header_mark(version),
            header=header,
            numbering=NumberingStyle.DECIMAL,
            where=Where(None, True),
            now=now(),
        )
    with world.looking():
        policy = queries.get_policy_by_id(on.policy_id)
        assert queries.where_now(policy) == Where(None, False)
    client = client_for(central)
    assert client.get(world.url(f"policies/{on.slug}/central-team")).status_code == 404
    with world.acting(world.manager) as actor:
        run = approvals.submit_version(
            actor, version_id=version_id, reason="For the office too.", marks={}, now=now()
        )
        run_id = run.id
    page = client_for(on.trustees[0]).get(world.url(f"approvals/{run_id}")).text
    assert "Where it applies" in page
    assert "all schools; the central team" in page
    with world.acting(world.manager) as actor:
        approvals.withdraw_version(actor, version_id=version_id, now=now())
    publish(world, on.trustees, version_id, {})
    page = client.get(world.url(f"policies/{on.slug}/central-team"))
    assert page.status_code == 200
    assert "Accounts speak for Larkfield" in page.text or "Accounts speak for " in page.text
    assert "For the central team" in client_for(world.manager).get(world.url(f"policies/{on.slug}")).text
    assert client.get(world.url(f"policies/{on.slug}/central-team.pdf")).status_code == 200


def test_a_policy_for_some_schools_only(world, client_for):
    ashgrove, hazel = world.school("Ashgrove"), world.school("Hazel Lodge")
    trustees = (world.person("Una Trustee", Role.TRUSTEE), world.person("Vera Trustee", Role.TRUSTEE))
    client = client_for(world.manager)
    sent = {
        "title": "Sixth form policy",
        "person_responsible": "Chief executive",
        "approving_body": "Board",
        "review_months": "12",
        "numbering": "decimal",
        "places": "some",
    }
    refused = client.post(world.url("policies/new/empty"), data=sent)
    assert refused.status_code == 422
    assert "Choose at least one school" in refused.text
    made = client.post(world.url("policies/new/empty"), data=sent | {"schools": [str(hazel.id)]})
    assert made.status_code == 303, made.text
    client.post(
        world.url("policies/sixth-form-policy/draft/add"),
        data={"kind": "section", "mode": "locked", "heading": "Entry", "text": "By grades.", "after": ""},
    )
    with world.looking():
        version_id = queries.find_open_version(queries.get_policy("sixth-form-policy").id).id
    publish(world, trustees, version_id, {})
    with world.looking():
        policy = queries.get_policy("sixth-form-policy")
        assert queries.places_of(policy, today()) == [hazel.id]
        assert queries.find_standing(policy.id, ashgrove.id) is None
        assert queries.find_edition_in_force(policy.id, hazel.id, today()) is not None


def test_a_school_that_a_version_takes_out_is_no_longer_asked(at_ashgrove, client, client_for):
    on, world = at_ashgrove, at_ashgrove.world
    hazel = world.school("Hazel Lodge")
    run_quick_jobs(world)
    public = f"/p/{world.slug}/{on.school.slug}/policies/{on.slug}"
    assert client.get(public).status_code == 200
    with world.acting(world.manager) as actor:
        version = drafts.start_draft(actor, policy_id=on.policy_id, now=now())
        drafts.change_header(
            actor,
            version_id=version.id,
            header_seen=drafts.header_mark(version),
            header=PolicyHeader.from_json(version.header),
            numbering=NumberingStyle.DECIMAL,
            where=Where(frozenset({str(hazel.id)})),
            now=now(),
        )
        version_id = version.id
    assert client.get(public).status_code == 200
    publish(world, on.trustees, version_id, {})
    assert client.get(public).status_code == 404
    # What it said there stays readable, and on record.
    assert client.get(f"{public}/editions/1.1").status_code == 200
    assert client.get(f"/p/{world.slug}/{hazel.slug}/policies/{on.slug}").status_code == 200
    rows = load_workbook(BytesIO(client_for(world.manager).get(world.url("policies/register.xlsx")).data))
    places = [row[1] for row in rows["Where in force"].iter_rows(min_row=2, values_only=True)]
    assert places == ["Hazel Lodge Primary School"]


# -- a withdrawn policy and signing ------------------------------------------------------------------------------


def test_nobody_is_asked_to_sign_what_was_withdrawn(at_ashgrove, client_for):
    from tests.integration.policies.test_public_side import withdraw
    from trustportal import blobs
    from trustportal.acceptance import services as acceptance
    from trustportal.acceptance.models import Assignment
    from trustportal.db import unit_of_work
    from trustportal.jobs import Event

    on, world = at_ashgrove, at_ashgrove.world
    with world.looking(), unit_of_work() as uow:
        edition = queries.find_edition_in_force(on.policy_id, on.school.id, today())
        edition.pdf_hash = blobs.put(b"%PDF-1.7 made", "application/pdf")
        uow.announce(Event.PDF_STORED, edition_id=edition.id)
    with world.acting(world.manager) as actor:
        suggested = acceptance.suggest_campaign(actor, today=today())
        acceptance.open_campaign(actor, **suggested, now=now(), today=today())
    run_quick_jobs(world)

    def states():
        with world.looking():
            return {
                (row.state, row.closed_because)
                for row in db.session.scalars(select(Assignment).where(Assignment.person_id == on.teacher.id))
            }

    assert states() == {("open", None)}
    withdraw(on)
    run_quick_jobs(world)
    assert states() == {("closed", "withdrawn")}
    assert "Read and sign" not in client_for(on.teacher).get(world.url()).text


def test_a_header_that_was_not_changed_is_no_change(at_ashgrove, client_for):
    on = at_ashgrove
    with on.world.acting(on.world.manager) as actor:
        version = drafts.start_draft(actor, policy_id=on.policy_id, now=now())
        drafts.change_header(
            actor,
            version_id=version.id,
            header_seen=drafts.header_mark(version),
            header=replace(PolicyHeader.from_json(version.header)),
            numbering=NumberingStyle.DECIMAL,
            where=Where(None, False),
            now=now(),
        )
        with pytest.raises(RuleBroken, match="Nothing differs"):
            approvals.submit_version(actor, version_id=version.id, reason="None.", marks={}, now=now())
