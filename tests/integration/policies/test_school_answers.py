"""«Change our clauses»: what a head answers, and how it goes to the chair."""

from __future__ import annotations

from trustportal.policies import queries
from trustportal.policies.domain.answers import Answer
from trustportal.policies.domain.approval import VoteChoice
from trustportal.tenants import services as tenant_services
from trustportal.times import now

REPLACED = {
    "answer": "replace",
    "text": "Every account has three administrators.",
    "heading": "Administrators",
    "reason": "Our office holds the register.",
    "weight": "material",
    "row_version": "0",
}


def _override(on, key):
    with on.world.looking():
        return queries.find_override(on.policy_id, on.school.id, key)


def test_the_desk_offers_what_the_mode_allows(at_ashgrove, client_for):
    client = client_for(at_ashgrove.head)
    page = client.get(at_ashgrove.url("clauses")).text
    assert at_ashgrove.url("clauses/administrators") in page
    assert at_ashgrove.url("clauses/trips/add") in page
    assert at_ashgrove.url("clauses/approval") not in page
    assert client_for(at_ashgrove.teacher).get(at_ashgrove.url("clauses")).status_code == 403
    assert client_for(at_ashgrove.world.manager).get(at_ashgrove.url("clauses")).status_code == 403

    locked = client.get(at_ashgrove.url("clauses/approval")).text
    assert "The trust has locked this clause." in locked
    assert 'name="answer"' not in locked
    assert "A school may add after this clause" in client.get(at_ashgrove.url("clauses/trips")).text
    assert client.get(at_ashgrove.url("clauses/nothing")).status_code == 404


def test_a_clause_is_replaced_sent_and_approved(at_ashgrove, client_for):
    client = client_for(at_ashgrove.head)
    form = client.get(at_ashgrove.url("clauses/administrators")).text
    assert "Every account has at least two administrators.</textarea>" in form

    kept = client.post(at_ashgrove.url("clauses/administrators"), data=REPLACED)
    assert kept.status_code == 303
    assert kept.location.endswith("/clauses#clause-administrators")
    desk = client.get(at_ashgrove.url("clauses")).text
    assert "1 clause differs from edition 1.1" in desk
    assert "Every account has three administrators." in desk

    submit = client.get(at_ashgrove.url("submit")).text
    assert "It goes to the chair of governors." in submit
    assert "three</ins>" in submit
    refused = client.post(at_ashgrove.url("submit"), data={"reason": ""})
    assert refused.status_code == 422
    assert "Say in a sentence why" in refused.text
    assert client.post(at_ashgrove.url("submit"), data={"reason": "We are small."}).status_code == 303
    assert "Your changes wait for approval" in client.get(at_ashgrove.url()).text
    assert "Take them back" in client.get(at_ashgrove.url("clauses")).text

    at_ashgrove.approve()
    assert (
        "Every account has three administrators."
        in client_for(at_ashgrove.teacher).get(at_ashgrove.url()).text
    )


def test_what_the_form_refuses_keeps_what_was_typed(at_ashgrove, client_for):
    client = client_for(at_ashgrove.head)
    url = at_ashgrove.url("clauses/administrators")

    without_reason = client.post(url, data=REPLACED | {"reason": ""})
    assert without_reason.status_code == 422
    assert "Give the reason for this change." in without_reason.text
    assert "Every account has three administrators." in without_reason.text

    same = client.post(url, data=REPLACED | {"text": "Every account has at least two administrators."})
    assert same.status_code == 422
    assert "word for word" in same.text

    locked = client.post(at_ashgrove.url("clauses/approval"), data=REPLACED)
    assert locked.status_code == 422
    assert client.post(url, data=REPLACED | {"answer": "burn"}).status_code == 422
    assert _override(at_ashgrove, "approval") is None
    assert _override(at_ashgrove, "administrators") is None


def test_two_people_never_overwrite_each_other(at_ashgrove, client_for):
    client = client_for(at_ashgrove.head)
    at_ashgrove.answer("administrators", "Four administrators.")

    clash = client.post(at_ashgrove.url("clauses/administrators"), data=REPLACED)

    assert clash.status_code == 409
    assert "Four administrators." in clash.text
    assert "Every account has three administrators." in clash.text
    assert 'name="row_version" value="1"' in clash.text
    assert _override(at_ashgrove, "administrators").text == "Four administrators."
    again = client.post(at_ashgrove.url("clauses/administrators"), data=REPLACED | {"row_version": "1"})
    assert again.status_code == 303
    assert _override(at_ashgrove, "administrators").text == "Every account has three administrators."


def test_leaving_out_and_taking_back(at_ashgrove, client_for):
    client = client_for(at_ashgrove.head)
    url = at_ashgrove.url("clauses/societies")
    assert client.post(url, data=REPLACED | {"answer": "leave_out"}).status_code == 303
    assert _override(at_ashgrove, "societies").answer == Answer.LEAVE_OUT
    assert "Left out here" in client.get(at_ashgrove.url("clauses")).text
    assert client.post(url, data=REPLACED | {"answer": "inherit", "row_version": "1"}).status_code == 303
    assert _override(at_ashgrove, "societies") is None


def test_a_clause_of_our_own(at_ashgrove, client_for):
    client = client_for(at_ashgrove.head)
    words = {
        "heading": "",
        "text": "Photographs wait for the coach.",
        "reason": "Governors, May.",
        "weight": "material",
    }
    assert client.get(at_ashgrove.url("clauses/trips/add")).status_code == 200
    assert client.post(at_ashgrove.url("clauses/approval/add"), data=words).status_code == 422
    assert client.get(at_ashgrove.url("clauses/nothing/add")).status_code == 404
    made = client.post(at_ashgrove.url("clauses/trips/add"), data=words)
    assert made.status_code == 303
    key = made.location.partition("#clause-")[2]
    assert "Photographs wait for the coach." in client.get(at_ashgrove.url("clauses")).text

    own = at_ashgrove.url(f"clauses/{key}")
    assert "Take this clause out" in client.get(own).text
    assert client.post(own, data=words | {"text": "They wait.", "row_version": "0"}).status_code == 409
    assert client.post(own, data=words | {"text": "They wait.", "row_version": "1"}).status_code == 303
    assert "They wait." in client.get(at_ashgrove.url("clauses")).text
    assert client.post(f"{own}/remove").status_code == 303
    assert "They wait." not in client.get(at_ashgrove.url("clauses")).text


def test_discarding_and_withdrawing(at_ashgrove, client_for):
    client = client_for(at_ashgrove.head)
    at_ashgrove.answer("administrators", "Four administrators.")
    assert client.post(at_ashgrove.url("submit"), data={"reason": "Small."}).status_code == 303
    assert client.post(at_ashgrove.url("clauses/administrators"), data=REPLACED).status_code == 422
    assert client.post(at_ashgrove.url("withdraw")).status_code == 303
    assert _override(at_ashgrove, "administrators").text == "Four administrators."
    assert client.post(at_ashgrove.url("discard")).status_code == 303
    assert _override(at_ashgrove, "administrators") is None
    assert client.post(at_ashgrove.url("withdraw")).status_code == 422


def test_what_the_chair_asked_for_is_shown(at_ashgrove, client_for):
    client = client_for(at_ashgrove.head)
    at_ashgrove.answer("administrators", "Four administrators.")
    client.post(at_ashgrove.url("submit"), data={"reason": "Small."})
    at_ashgrove.approve(VoteChoice.CHANGES, "Name the office.")
    assert "Name the office." in client.get(at_ashgrove.url("clauses")).text


def test_the_preview_fills_and_cleans(at_ashgrove, client_for):
    client = client_for(at_ashgrove.head)
    shown = client.post(
        at_ashgrove.url("preview"),
        data={"text": "**At** {{school.name}} <script>alert(1)</script> [[approval]]"},
    )
    assert "<strong>At</strong>" in shown.text
    assert "Ashgrove Primary School" in shown.text
    assert "<script" not in shown.text
    assert "2.1" in shown.text


def test_a_changed_value_is_released(at_ashgrove, client_for):
    world, client = at_ashgrove.world, client_for(at_ashgrove.head)
    with world.acting(at_ashgrove.head) as actor:
        tenant_services.rename_roles(
            actor, school_id=at_ashgrove.school.id, labels={"headteacher": "Head of School"}
        )
    world.run_jobs()

    page = client.get(at_ashgrove.url("release")).text
    assert "Head of School</ins>" in page
    assert "A value of your school has changed." in client.get(at_ashgrove.url()).text
    assert client.post(at_ashgrove.url("release"), data={"weight": "editorial"}).status_code == 303
    assert "Edition 1.2" in client.get(at_ashgrove.url()).text
    assert "Nothing in this policy changes" in client.get(at_ashgrove.url("release")).text


def test_a_missing_value_is_named_and_blocks(at_ashgrove, client_for):
    world, client = at_ashgrove.world, client_for(at_ashgrove.head)
    with world.acting(world.manager) as actor:
        tenant_services.define_placeholders(
            actor, definitions=[{"name": "supplier.consent_records", "label": "Consent records"}]
        )
    at_ashgrove.answer("administrators", "Consent is checked in {{supplier.consent_records}}.")
    assert "supplier.consent_records" in client.get(at_ashgrove.url("clauses")).text
    assert "It cannot be sent yet" in client.get(at_ashgrove.url("submit")).text
    assert client.post(at_ashgrove.url("submit"), data={"reason": "Small."}).status_code == 422
    with world.acting(at_ashgrove.head) as actor:
        tenant_services.fill_placeholders(
            actor, school_id=at_ashgrove.school.id, values={"supplier.consent_records": "HomeLink"}, now=now()
        )
    assert client.post(at_ashgrove.url("submit"), data={"reason": "Small."}).status_code == 303
