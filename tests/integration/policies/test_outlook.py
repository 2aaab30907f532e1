"""Before publishing: what a version will do at every place; and the same figures come true."""

from __future__ import annotations

from dataclasses import dataclass

from tests.integration.moments import moment
from tests.integration.policies.given import ADMINISTRATORS, Social, run_quick_jobs
from tests.integration.policies.several import (
    approved_version,
    beside,
    open_campaign,
    publish_now,
    sign,
    store_pdfs,
)
from trustportal.acceptance.queries import foreseeing as asked_of
from trustportal.policies import queries
from trustportal.policies.domain.answers import Answer
from trustportal.policies.domain.clauses import Mode, Weight
from trustportal.policies.domain.outlook import Detail, Group, group_of
from trustportal.tenants import services as tenants
from trustportal.times import today

NEW = "Every account has at least two administrators, of whom one belongs to the leadership team."
CLASHING = "Every account has at least two administrators, and one is the business manager."
APART = "At our school, every account has at least two administrators."
OTHER = "Sixth-form societies may run an account with a teacher."


@dataclass
class Trust:
    """Six schools, each in another case."""

    follows: Social
    merges: Social
    clashes: Social
    equals: Social
    elsewhere: Social
    drafting: Social

    @property
    def all(self) -> dict[str, Social]:
        return dict(vars(self))


@moment
def trust(at_ashgrove: Social) -> Trust:
    found = Trust(
        at_ashgrove, *(beside(at_ashgrove, name) for name in ("Beech", "Cedar", "Drake", "Elder", "Furze"))
    )
    found.merges.answer("administrators", APART)
    found.clashes.answer("administrators", CLASHING)
    found.equals.answer("administrators", NEW)
    found.elsewhere.answer("societies", "We have no sixth form.")
    for one in (found.merges, found.clashes, found.equals, found.elsewhere):
        one.submit_and_approve()
    # What was never sent is no edition; but the head is asked about it all the same.
    found.drafting.answer("administrators", CLASHING)
    store_pdfs(at_ashgrove.world)
    return found


def before(trust: Trust, version_id) -> dict[str, tuple[Group, Detail, int | None]]:
    with trust.follows.world.looking():
        outlook = queries.find_outlook(version_id)
        assert outlook is not None
        rows = {row.school_id: row for row in queries.outlook_places(outlook.id)}
        return {
            name: (
                group_of(row.outcome, Detail.from_json(row.detail)),
                Detail.from_json(row.detail),
                row.people,
            )
            for name, one in trust.all.items()
            for row in [rows[one.school.id]]
        }


def after(trust: Trust, version_id) -> dict[str, tuple[Group, Detail]]:
    with trust.follows.world.looking():
        rows = {
            row.school_id: row for row in queries.publication_places(queries.get_publication(version_id).id)
        }
        return {
            name: (
                group_of(rows[one.school.id].outcome, Detail.from_json(rows[one.school.id].detail)),
                Detail.from_json(rows[one.school.id].detail),
            )
            for name, one in trust.all.items()
        }


def test_the_dry_run_names_every_case_and_comes_true(trust: Trust, client_for):
    first = trust.follows
    open_campaign(first)
    for one in trust.all.values():
        sign(first, one.teacher)
    version_id = approved_version(first, {"administrators": NEW})
    found = before(trust, version_id)
    assert {name: one[0] for name, one in found.items()} == {
        "follows": Group.FOLLOWS,
        "merges": Group.CONFIRMS,
        "clashes": Group.DECIDES,
        "equals": Group.UNCHANGED,
        "elsewhere": Group.FOLLOWS,
        "drafting": Group.DECIDES,
    }
    assert found["clashes"][1].conflicts == ("administrators",)
    assert found["merges"][1].merged == ("administrators",)
    assert found["equals"][1].told == ("administrators",)
    # One teacher signed at each; where the words stay the same, nobody signs again.
    assert {name: one[2] for name, one in found.items()} == {
        "follows": 1,
        "merges": 1,
        "clashes": 1,
        "equals": 0,
        "elsewhere": 1,
        "drafting": 1,
    }

    page = client_for(first.world.manager).get(first.world.url(f"policies/{first.slug}/publish")).text
    for words in (
        "2</b>follow by themselves",
        "1</b>merged, to confirm",
        "2</b>have to decide",
        "1</b>has nothing to do",
        "2.2 Administrators",
        "at 2 schools",
    ):
        assert words in page

    publish_now(first, version_id)
    store_pdfs(first.world)
    assert after(trust, version_id) == {name: (one[0], one[1]) for name, one in found.items()}
    with first.world.looking():
        asked = asked_of.asked(version_id)
    at_once = {"follows", "equals", "elsewhere"}
    assert {name: asked.get(trust.all[name].school.id, 0) for name in at_once} == {
        name: found[name][2] for name in at_once
    }
    # Somebody who works on a clause has her edition by the trust's approval, and is asked about her draft.
    assert asked.get(trust.drafting.school.id) == 1
    assert trust.clashes.school.id not in asked

    shown = client_for(first.world.manager).get(first.world.url(f"policies/{first.slug}/publication")).text
    assert "Before publishing we expected" in shown
    assert "2</b>have to decide" in shown
    assert "Who is still deciding" in shown
    assert trust.clashes.school.name in shown


def test_an_editorial_change_asks_nobody(trust: Trust):
    first = trust.follows
    open_campaign(first)
    sign(first, first.teacher)
    version_id = approved_version(
        first,
        {"approval": "Nobody opens an account before the {{role.headteacher}} agrees."},
        weights={"approval": Weight.EDITORIAL},
    )
    assert before(trust, version_id)["follows"][2] == 0
    publish_now(first, version_id)
    store_pdfs(first.world)
    with first.world.looking():
        assert asked_of.asked(version_id) == {}


def test_nothing_is_written_but_the_figures(trust: Trust):
    first = trust.follows
    version_id = approved_version(first, {"administrators": NEW})
    with first.world.looking():
        assert queries.find_open_reconcile(first.policy_id, trust.clashes.school.id) is None
        assert queries.reconciles_to(version_id) == {}
        assert queries.editions_of_version(version_id) == frozenset()
        working = queries.list_overrides(first.policy_id, trust.equals.school.id)
        assert [row.text for row in working] == [NEW]


def test_a_missing_value_and_a_locked_clause_are_foreseen(at_ashgrove: Social):
    with at_ashgrove.world.acting(at_ashgrove.world.manager) as actor:
        tenants.add_placeholder(actor, name="contact.nobody_filled", label="Whom to ask")
    at_ashgrove.answer("administrators", CLASHING)
    at_ashgrove.submit_and_approve()
    version_id = approved_version(
        at_ashgrove,
        {"societies": "Societies ask {{contact.nobody_filled}} first."},
        modes={"administrators": Mode.LOCKED},
    )
    with at_ashgrove.world.looking():
        outlook = queries.find_outlook(version_id)
        assert outlook is not None
        [row] = queries.outlook_places(outlook.id)
        detail = Detail.from_json(row.detail)
    assert row.outcome == "values_missing"
    assert detail.missing == ("contact.nobody_filled",)
    assert detail.told == ("administrators",)
    publish_now(at_ashgrove, version_id)
    with at_ashgrove.world.looking():
        [became] = queries.publication_places(queries.get_publication(version_id).id)
    assert (became.outcome, Detail.from_json(became.detail)) == (row.outcome, detail)


def test_working_it_out_again_after_a_school_changed_its_mind(trust: Trust, client_for):
    first, world = trust.follows, trust.follows.world
    version_id = approved_version(first, {"administrators": NEW})
    first.answer("administrators", CLASHING)
    client = client_for(world.manager)
    address = world.url(f"policies/{first.slug}/publish")
    assert "1 school has changed clauses since then" in client.get(address).text
    assert before(trust, version_id)["follows"][0] is Group.FOLLOWS
    assert client.post(f"{address}/effect").status_code == 303
    progress = client.get(address).text
    assert "0 of 6 places are worked out" in progress
    assert 'hx-trigger="every 2s"' in progress
    fragment = client.get(address, headers={"HX-Request": "true"}).text
    assert fragment.strip().startswith('<section id="outlook"')
    run_quick_jobs(world)
    assert before(trust, version_id)["follows"][0] is Group.DECIDES
    assert "changed clauses since then" not in client.get(address).text
    # What is published can no longer be looked ahead.
    publish_now(first, version_id)
    assert client.post(f"{address}/effect").status_code == 404


def test_only_who_publishes_sees_it_and_no_day_is_filled_in(trust: Trust, client_for):
    first, world = trust.follows, trust.follows.world
    approved_version(first, {"administrators": NEW})
    address = world.url(f"policies/{first.slug}/publish")
    assert client_for(first.head).get(address).status_code == 403
    client = client_for(world.manager)
    page = client.get(address).text
    assert f'value="{today().year}"' not in page
    refused = client.post(address, data={})
    assert refused.status_code == 422
    assert "Enter the day on which it takes effect." in refused.text


def test_a_left_out_clause_that_stays_out_is_nothing_to_do(at_ashgrove: Social):
    at_ashgrove.answer("societies", answer=Answer.LEAVE_OUT)
    at_ashgrove.submit_and_approve()
    version_id = approved_version(at_ashgrove, {"administrators": ADMINISTRATORS + " Both are staff."})
    with at_ashgrove.world.looking():
        outlook = queries.find_outlook(version_id)
        assert outlook is not None
        [row] = queries.outlook_places(outlook.id)
    assert row.outcome == "follows"
