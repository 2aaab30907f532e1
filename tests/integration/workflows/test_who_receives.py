"""The table of recipients: proposed by one, approved by a trustee, used only then; never one that fails open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.integration.conftest import PortalClient
from tests.integration.workflows.allegation_world import Trust, problems
from tests.world import Someone
from trustportal.access import Role
from trustportal.errors import RuleBroken
from trustportal.times import now
from trustportal.workflows.domain.definition import Rule
from trustportal.workflows.domain.recipients import LINES, MOST, Line, Table
from trustportal.workflows.queries import recipients
from trustportal.workflows.services import defining

Clients = Callable[[Someone], PortalClient]


def sent(**instead: Any) -> dict[str, Any]:
    """The form as it stands, with something else."""
    table, data = Table(), {"reason": "The deputy stands in for the head."}
    for line in LINES:
        for number, role in enumerate(table.to(line)[:MOST]):
            data[f"{line}_{number}"] = str(role)
    return {**data, **instead}


def test_a_change_counts_only_after_a_trustee_approved_it(trust: Trust, client_for: Clients) -> None:
    manager, trustee, teacher = (
        client_for(trust.world.manager), client_for(trust.trustee), client_for(trust.teacher),
    )  # fmt: skip
    url = trust.world.url("recipients")
    assert "the table that comes with TrustPortal" in manager.get(url).get_data(as_text=True)
    assert client_for(trust.head).get(url).status_code == 403
    deputy = {f"{Line.WORKER}_1": "deputy_headteacher", f"{Line.WORKER}_2": "ceo"}
    lado = {
        "contact_0_authority": "Northshire", "contact_0_phone": "01632 960 117",
        "contact_0_local_rule": "within 24 hours", f"authority_{trust.school.id}": "Northshire",
    }  # fmt: skip
    for wrong, words in (
        ({f"{Line.HEAD}_0": "headteacher"}, "It would reach the person whom it is about"),
        ({f"{Line.HEAD}_0": "deputy_headteacher"}, "somebody who works under them"),
        ({f"{Line.UNSAFE}_0": "headteacher"}, "It would reach the person whom it is about"),
        ({f"{Line.CEO}_0": "", f"{Line.CEO}_1": ""}, "name somebody"),
        ({"contact_0_authority": "Northshire"}, "give a telephone number or an address"),
        ({}, "Nothing was changed."),
    ):
        assert words in str(problems(manager.post(f"{url}/change", data=sent(**wrong)))), wrong
    assert manager.post(f"{url}/change", data=sent(**deputy, **lado)).status_code == 303
    trust.leaves(trust.head)
    assert trust.holders(trust.report(teacher, trust.third)) == {trust.ceo.id}, "not before it is approved"
    shown = trustee.get(url).get_data(as_text=True)
    assert "the headteacher, else the deputy headteacher" in shown
    assert "Decide who receives allegations" in trustee.get(trust.world.url()).get_data(as_text=True)
    with trust.world.looking():
        proposed = recipients.find_proposed()
        assert proposed is not None
        routing_id = proposed.id
    assert manager.post(f"{url}/{routing_id}/decide", data={"decision": "approve"}).status_code == 403
    assert trustee.post(f"{url}/{routing_id}/decide", data={"decision": "decline"}).status_code == 422
    assert trustee.post(f"{url}/{routing_id}/decide", data={"decision": "approve"}).status_code == 303
    assert trust.holders(trust.report(teacher, trust.third)) == {trust.deputy.id}
    form = teacher.get(trust.url()).get_data(as_text=True)
    assert "01632 960 117" in form
    # The workflow's editor cannot open another way in.
    editor = trust.world.url("workflows/allegation")
    assert "decided by the trustees" in editor_refuses(trust, client_for)
    assert manager.get(editor).status_code == 200


def editor_refuses(trust: Trust, client_for: Clients) -> str:
    """What the editor says to the network manager who adds an approver."""
    with trust.world.acting(trust.world.manager) as actor:
        try:
            defining.change(
                actor,
                key="allegation",
                what="watchers",
                edit=lambda one: replace(one, watchers=(Rule(role=Role.NETWORK_MANAGER),)),
                now=now(),
            )
        except RuleBroken as broken:
            return broken.message
    return ""
