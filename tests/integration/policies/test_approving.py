"""Who approves: routes as the trust sets them, delegation, chair's action, and who is out of the vote."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from tests.integration.policies.given import TREE
from trustportal.access import Role
from trustportal.db import db
from trustportal.errors import Conflict, Forbidden, RuleBroken
from trustportal.policies import queries
from trustportal.policies.domain.approval import ApprovalRule, MinuteOutcome, VoteChoice
from trustportal.policies.domain.clauses import NumberingStyle, Weight
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.domain.routes import Step
from trustportal.policies.services import approvals, chairs_action, drafts, local
from trustportal.policies.services import routes as routing
from trustportal.policies.services.routes import Delegation
from trustportal.tenants import services as tenants
from trustportal.times import now, today

HEADER = PolicyHeader("Phones policy", person_responsible="Chief executive", approving_body="Trust board")
BOARD = ("trustee", "chair_of_trust_board")


@pytest.fixture
def board(world):
    return [
        world.person("Bess Board", Role.CHAIR_OF_TRUST_BOARD),
        *(world.person(name, Role.TRUSTEE) for name in ("Tess Trustee", "Tom Trustee")),
    ]


def drafted(world, by=None):
    with world.acting(by or world.manager) as actor:
        return drafts.create_policy(
            actor, header=HEADER, numbering=NumberingStyle.DECIMAL, tree=TREE, now=now()
        )


def route(world, *steps, policy_id=None, row_version=0, by=None):
    with world.acting(by or world.manager) as actor:
        routing.set_route(
            actor, policy_id=policy_id, steps=steps, row_version=row_version, now=now(), today=today()
        )


def submit(world, version, by=None):
    with world.acting(by or world.manager) as actor:
        return approvals.submit_version(
            actor, version_id=version.id, reason="It is time.", marks={}, now=now()
        )


def vote(world, person, run, choice=VoteChoice.APPROVE, comment=""):
    with world.acting(person) as actor:
        return approvals.decide(
            actor,
            run_id=run.id,
            choice=choice,
            comment=comment,
            content_hash=run.content_hash,
            now=now(),
            today=today(),
        ).outcome.value


def state_of(world, run):
    with world.looking():
        return queries.get_run(run.id).state


def pending_at(on):
    with on.world.looking():
        edition = queries.find_submitted_edition(on.policy_id, on.school.id)
        assert edition is not None
        run = queries.find_pending_run(edition_id=edition.id)
        assert run is not None
        return run


# -- routes ------------------------------------------------------------------------------------------------------


def test_a_route_in_stages_is_set_on_its_page_and_asked_in_order(world, board, client_for):
    ceo = world.person("Cleo Chief", Role.CEO)
    client = client_for(world.manager)
    address = world.url("settings/approval-routes/usual")
    assert "Trust board" in client.get(address).text
    sent = {
        "row_version": "0",
        "stage-0-body": "Standards committee",
        "stage-0-who": [str(ceo.id)],
        "stage-0-rule": "named",
        "stage-1-body": "Trust board",
        "stage-1-who": list(BOARD),
        "stage-1-rule": "majority",
        "stage-1-quorum": "2",
    }
    answer = client.post(address, data=sent)
    assert answer.status_code == 303, answer.text
    listed = client.get(world.url("settings/approval-routes")).text
    assert "one named person" in listed
    assert "Cleo Chief" in listed
    assert "a majority of those entitled, with a quorum of 2" in listed

    run = submit(world, drafted(world))
    with pytest.raises(RuleBroken, match="not one of those"):
        vote(world, board[0], run)
    assert vote(world, ceo, run) == "pending"
    assert vote(world, board[0], run) == "pending"
    assert vote(world, board[1], run) == "approved"


def test_a_route_that_could_not_work_is_refused_at_its_field(world, board, client_for):
    client = client_for(world.manager)
    address = world.url("settings/approval-routes/usual")
    given = {"row_version": "0", "stage-0-body": "Board", "stage-0-who": ["trustee"], "stage-0-rule": "n_of"}
    for wrong, said in (
        ({"stage-0-needed": "9"}, "has 2 people today"),
        ({"stage-0-needed": "many"}, "like 2"),
        ({"stage-0-who": []}, "Choose who belongs"),
        ({"stage-0-rule": "named"}, "exactly one person"),
        ({"stage-0-rule": ""}, "how many must approve"),
        ({"stage-0-who": ["dpo"]}, "from the posts and people in the list"),
        ({"stage-0-chair_may_act": "yes"}, "chair of the trust board belongs"),
        ({"stage-0-body": ""}, "Name the body"),
    ):
        refused = client.post(address, data=given | wrong)
        assert refused.status_code == 422, wrong
        assert said in refused.text
    assert client.post(address, data={"row_version": "0"}).status_code == 422


def test_a_policys_own_route_goes_before_the_usual_one_and_can_be_given_up(world, board, client_for):
    version = drafted(world)
    route(world, Step("Trust board", ApprovalRule.ALL, roles=BOARD))
    route(
        world, Step("Chair", ApprovalRule.N_OF, roles=("chair_of_trust_board",)), policy_id=version.policy_id
    )
    with world.looking():
        policy = queries.get_policy_by_id(version.policy_id)
        assert [step.body for step in queries.route_of_versions(policy)] == ["Chair"]
    client = client_for(world.manager)
    cleared = client.post(world.url(f"settings/approval-routes/{policy.slug}/clear"))
    assert cleared.status_code == 303
    run = submit(world, version)
    for member in board[:2]:
        assert vote(world, member, run) == "pending"
    assert vote(world, board[2], run) == "approved"


def test_changing_a_route_never_touches_a_run_that_is_open(world, board):
    run = submit(world, drafted(world))
    route(world, Step("Trust board", ApprovalRule.ALL, roles=BOARD))
    assert vote(world, board[0], run) == "pending"
    assert vote(world, board[1], run) == "approved"


def test_two_people_do_not_overwrite_each_others_route(world, board, client_for):
    route(world, Step("Trust board", ApprovalRule.ALL, roles=BOARD))
    with pytest.raises(Conflict):
        route(world, Step("Chair", ApprovalRule.N_OF, roles=("chair_of_trust_board",)))
    late = client_for(world.manager).post(
        world.url("settings/approval-routes/usual"),
        data={
            "row_version": "0",
            "stage-0-body": "Just the chair",
            "stage-0-who": ["chair_of_trust_board"],
            "stage-0-rule": "n_of",
        },
    )
    assert late.status_code == 409
    assert "Just the chair" in late.text
    assert "all of its members" in late.text


def test_only_the_network_manager_sets_routes(world, board):
    with pytest.raises(Forbidden):
        route(world, Step("Me", ApprovalRule.N_OF, roles=("chair_of_trust_board",)), by=board[0])


# -- delegation --------------------------------------------------------------------------------------------------


def test_a_schools_changes_go_to_the_officer_to_whom_the_trust_delegated(at_ashgrove, client_for):
    on, world = at_ashgrove, at_ashgrove.world
    ceo = world.person("Cleo Chief", Role.CEO)
    address = world.url(f"schools/{on.school.slug}/delegation")
    client = client_for(world.manager)
    assert "chair of governors" in client.get(address).text
    assert client.post(address, data={"to": "officer", "officer": ""}).status_code == 422
    assert client.post(address, data={"to": "officer", "officer": str(ceo.id)}).status_code == 303
    assert "Cleo Chief" in client.get(world.url("settings/approval-routes")).text
    on.answer("administrators", "Three administrators.")
    assert "Cleo Chief" in client_for(on.head).get(on.url("submit")).text
    with world.acting(on.head) as actor:
        local.submit_edition(
            actor, policy_id=on.policy_id, school_id=on.school.id, reason="For our office.", now=now()
        )
    run = pending_at(on)
    with pytest.raises(RuleBroken, match="not one of those"):
        vote(world, on.chair, run)
    assert vote(world, ceo, run) == "approved"


def test_chair_first_then_the_officer(at_ashgrove):
    on, world = at_ashgrove, at_ashgrove.world
    ceo = world.person("Cleo Chief", Role.CEO)
    with world.acting(world.manager) as actor:
        routing.delegate(
            actor, school_id=on.school.id, to=Delegation.BOTH, officer_id=ceo.id, now=now(), today=today()
        )
    on.answer("administrators", "Three administrators.")
    with world.acting(on.head) as actor:
        local.submit_edition(
            actor, policy_id=on.policy_id, school_id=on.school.id, reason="For our office.", now=now()
        )
    run = pending_at(on)
    assert vote(world, on.chair, run) == "pending"
    assert vote(world, ceo, run) == "approved"


# -- who is out of the vote --------------------------------------------------------------------------------------


def test_a_head_who_is_chair_too_does_not_vote_on_the_own_overrides_that_another_sent(
    at_ashgrove, client_for
):
    """28: nobody votes on their own draft, whoever pressed the button."""
    on, world = at_ashgrove, at_ashgrove.world
    both = world.person("Bo Both", (Role.HEADTEACHER, on.school), (Role.CHAIR_OF_GOVERNORS, on.school))
    with world.acting(both) as actor:
        local.add_clause(
            actor,
            policy_id=on.policy_id,
            school_id=on.school.id,
            after="trips",
            heading="",
            text="We ask parents first.",
            reason="Parents asked.",
            weight=Weight.MATERIAL,
            now=now(),
        )
    with world.acting(on.head) as actor:
        local.submit_edition(
            actor, policy_id=on.policy_id, school_id=on.school.id, reason="Parents asked.", now=now()
        )
    run = pending_at(on)
    assert str(both.id) not in run.stages[0]["members"]
    with pytest.raises(RuleBroken, match="wrote or submitted"):
        vote(world, both, run)
    page = client_for(both).get(world.url(f"approvals/{run.id}"))
    assert 'value="approve"' not in page.text
    assert vote(world, on.chair, run) == "approved"
    # The next time, what was approved counts no more: only who wrote what is new is out.
    on.answer("administrators", "Three administrators.")
    with world.acting(on.head) as actor:
        local.submit_edition(
            actor, policy_id=on.policy_id, school_id=on.school.id, reason="For our office.", now=now()
        )
    assert vote(world, both, pending_at(on)) == "approved"


def test_whoever_lost_the_post_that_made_them_a_member_does_not_vote(world, board, client_for):
    keeps = world.person("Kit Keeps", Role.TRUSTEE, Role.CEO)
    run = submit(world, drafted(world))
    with world.acting(world.manager) as actor:
        for one in tenants_of(keeps):
            if one.role == Role.TRUSTEE:
                tenants.end_membership(
                    actor, membership_id=one.id, to_on=today() - timedelta(days=1), today=today()
                )
    with pytest.raises(RuleBroken, match="no longer hold the post"):
        vote(world, keeps, run)
    page = client_for(keeps).get(world.url(f"approvals/{run.id}"))
    assert 'value="approve"' not in page.text
    assert str(run.id) not in client_for(keeps).get(world.url()).text


def tenants_of(person):
    from trustportal.tenants import queries as people

    return people.list_memberships(person.id)


def test_when_members_leave_the_rest_decide_or_it_comes_back(world, board, postbox):
    route(world, Step("Trust board", ApprovalRule.ALL, roles=BOARD))
    run = submit(world, drafted(world))
    assert vote(world, board[0], run) == "pending"
    assert vote(world, board[1], run) == "pending"
    leave(world, board[2])
    world.run_jobs()
    assert state_of(world, run) == "approved"

    again = submit(world, drafted(world))
    leave(world, board[0])
    leave(world, board[1])
    world.run_jobs()
    assert state_of(world, again) == "returned"
    assert "too few of those" in postbox.to(world.manager.email)[-1].get_body(("plain",)).get_content()


def leave(world, person):
    with world.acting(world.manager) as actor:
        for one in tenants_of(person):
            tenants.end_membership(
                actor, membership_id=one.id, to_on=today() - timedelta(days=1), today=today()
            )


def test_a_clerk_who_wrote_it_is_not_asked_to_record_it(world, board, client_for):
    both = world.person("Clem Clerk", Role.CLERK, Role.NETWORK_MANAGER)
    other = world.person("Cora Clerk", Role.CLERK)
    run = submit(world, drafted(world, by=both), by=both)
    assert "Record the decision" not in client_for(both).get(world.url()).text
    assert "Record what the board decided" not in client_for(both).get(world.url(f"approvals/{run.id}")).text
    assert "Record the decision" in client_for(other).get(world.url()).text


def test_an_approval_that_has_ended_is_not_opened_again_even_in_the_database(world, board):
    run = submit(world, drafted(world))
    with pytest.raises(DatabaseError, match="keeps what it was asked with"):
        sql(world, "UPDATE approval_run SET stages = '[]' WHERE id = :id", run)
    vote(world, board[0], run)
    vote(world, board[1], run)
    with pytest.raises(DatabaseError, match="never opened again"):
        sql(world, "UPDATE approval_run SET state = 'pending', ended_at = NULL WHERE id = :id", run)


def sql(world, statement, run):
    with world.looking():
        db.session.execute(
            text(statement), {"id": run.id}, execution_options={"unscoped_because": "a test of the trigger"}
        )


# -- chair's action ----------------------------------------------------------------------------------------------


@pytest.fixture
def acted(world, board):
    """A version that the chair approved alone."""
    route(
        world,
        Step("Trust board", ApprovalRule.N_OF, roles=BOARD, needed=2, quorum=2, chair_may_act=True),
    )
    run = submit(world, drafted(world))
    return run


def act(world, person, run, reason="The law changes on Monday."):
    with world.acting(person) as actor:
        return chairs_action.act_as_chair(
            actor, run_id=run.id, reason=reason, content_hash=run.content_hash, now=now(), today=today()
        )


def test_the_chair_acts_alone_and_the_board_ratifies_later(world, board, acted, client_for, postbox):
    clerk = world.person("Clara Clerk", Role.CLERK)
    chair = client_for(board[0])
    address = world.url(f"approvals/{acted.id}")
    assert "chair’s action" in chair.get(address).text
    assert "chair’s action" not in client_for(board[1]).get(address).text
    assert client_for(board[1]).get(f"{address}/chairs-action").status_code == 403
    refused = chair.post(f"{address}/chairs-action", data={"content_hash": acted.content_hash, "reason": " "})
    assert refused.status_code == 422
    done = chair.post(
        f"{address}/chairs-action",
        data={"content_hash": acted.content_hash, "reason": "The law changes on Monday."},
    )
    assert done.status_code == 303
    assert state_of(world, acted) == "approved"
    with world.looking():
        printed = approvals.printed_approvals(queries.get_run(acted.id))
    assert printed[0]["method"] == "chair’s action between meetings"

    home = client_for(clerk).get(world.url()).text
    assert "Record the ratification about the phones policy" in home
    sent = {
        "body": "Trust board",
        "minute_reference": "TB 2026/4, minute 2",
        "outcome": "ratified",
        "met_on-day": str(today().day),
        "met_on": [str(today().day), str(today().month), str(today().year)],
    }
    recorder = client_for(clerk)
    assert recorder.post(f"{address}/ratify", data=sent | {"minute_reference": ""}).status_code == 422
    assert recorder.post(f"{address}/ratify", data=sent).status_code == 303
    shown = recorder.get(address).text
    assert "ratified the chair’s action" in shown
    assert "TB 2026/4, minute 2" in shown
    assert "Record the ratification" not in recorder.get(world.url()).text
    assert recorder.post(f"{address}/ratify", data=sent).status_code == 422
    world.run_jobs()
    assert any(
        "chair’s action ratified" in mail["Subject"] for mail in postbox.to(world.manager.email)
    ) or any(
        "ratified its chair" in mail.get_body(("plain",)).get_content()
        for mail in postbox.to(world.manager.email)
    )


def test_the_chair_acts_alone_only_where_the_route_says_so_and_not_on_the_own_draft(world, board):
    run = submit(world, drafted(world))
    with pytest.raises(RuleBroken, match="does not let the chair act alone"):
        act(world, board[0], run)
    with pytest.raises(Forbidden):
        act(world, board[1], run)


def test_a_body_that_does_not_ratify_says_what_now(world, board, acted):
    clerk = world.person("Clara Clerk", Role.CLERK)
    act(world, board[0], acted)

    def record(**given):
        with world.acting(clerk) as actor:
            return chairs_action.ratify(
                actor,
                **{
                    "run_id": acted.id,
                    "body": "Trust board",
                    "met_on": today(),
                    "minute_reference": "TB 4/2",
                    "ratified": False,
                    "comment": "",
                    "now": now(),
                    "today": today(),
                }
                | given,
            )

    for wrong, said in (
        ({}, "what the body wants"),
        ({"met_on": today() + timedelta(days=1)}, "in the future"),
        ({"met_on": today() - timedelta(days=1)}, "after its chair has acted"),
    ):
        with pytest.raises(RuleBroken, match=said):
            record(**wrong)
    assert record(comment="Bring it back in May.").outcome == "not_ratified"


# -- what people are told ----------------------------------------------------------------------------------------


def test_the_network_managers_home_says_whose_votes_are_awaited(world, board, client_for):
    run = submit(world, drafted(world))
    vote(world, board[1], run)
    home = client_for(world.manager).get(world.url()).text
    assert "vote so far for the new version of the phones policy" in home
    assert "waits for Bess Board or Tom Trustee" in home


def test_the_mailed_link_leads_to_the_change_after_signing_in(at_ashgrove, client, client_for, postbox):
    on, world = at_ashgrove, at_ashgrove.world
    on.answer("administrators", "Every account has at least three administrators.")
    with world.acting(on.head) as actor:
        local.submit_edition(
            actor, policy_id=on.policy_id, school_id=on.school.id, reason="For our office.", now=now()
        )
    world.run_jobs()
    link = postbox.last_link(on.chair.email, "/approvals/")
    first = client.get(link)
    assert first.status_code == 303
    assert "sign-in?next=" in first.location
    page = client_for(on.chair).get(link)
    assert "three</ins>" in page.text
    assert "For our office." in page.text
    assert "It holds at Ashgrove Primary School only." in page.text
    assert "are asked to sign again" in page.text
    assert "Photographs follow" not in page.text
    assert 'value="approve"' in page.text
    assert 'value="recuse"' in page.text
    assert 'value="changes"' in page.text


def test_how_it_got_to_schools_says_when_the_head_has_decided(at_ashgrove, client_for):
    from trustportal.policies.domain.reconcile import Choice, Decision
    from trustportal.policies.services import reconciling

    on, world = at_ashgrove, at_ashgrove.world
    on.answer("administrators", "Every account has at least three administrators.")
    on.submit_and_approve()
    on.next_version({"administrators": "Every account has two administrators who work here."})
    address = world.url(f"policies/{on.slug}/publication")
    client = client_for(world.manager)
    asked = client.get(address).text
    assert "Decides" in asked
    assert "Decided; not yet approved at the school" not in asked
    with world.acting(on.head) as actor:
        reconciling.decide_clause(
            actor,
            policy_id=on.policy_id,
            school_id=on.school.id,
            key="administrators",
            decision=Decision(Choice.KEEP_OURS, reason="Our office holds the register."),
            row_version=1,
            now=now(),
        )
        reconciling.finish(actor, policy_id=on.policy_id, school_id=on.school.id, now=now())
    assert "Decided; not yet approved at the school" in client.get(address).text


def test_a_minute_that_the_clerk_may_not_record_is_refused(world, board):
    both = world.person("Clem Clerk", Role.CLERK, Role.NETWORK_MANAGER)
    run = submit(world, drafted(world, by=both), by=both)
    with world.acting(both) as actor, pytest.raises(RuleBroken, match="somebody else records"):
        approvals.minute(
            actor,
            run_id=run.id,
            body="Trust board",
            met_on=today(),
            minute_reference="TB 1/1",
            quorum_met=True,
            outcome=MinuteOutcome.APPROVED,
            comment="",
            content_hash=run.content_hash,
            now=now(),
            today=today(),
        )
