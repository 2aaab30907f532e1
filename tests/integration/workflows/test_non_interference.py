"""Whoever a case is about, and whoever has nothing to do with it, gets the same with it as without it.

Cases of many kinds are opened and worked on. Before and after each, everything that some people can open by following
every link from their home page, and every mail to them, is compared byte for byte: pages, counts, lists, references,
searches, exports. Only who takes part in the case may see a difference.
"""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.conftest import PortalClient, Postbox
from tests.integration.workflows.allegation_world import WORDS, Trust
from tests.world import Someone
from trustportal.access import Role
from trustportal.times import now, today
from trustportal.workflows.domain.case_records import Kind
from trustportal.workflows.domain.engine import Given
from trustportal.workflows.services import acting, managing, reporting

Clients = Callable[[Someone], PortalClient]
_HREF = re.compile(r'(?:href|hx-get)="([^"#?]+(?:\?[^"#]*)?)')
#: What is asked besides whatever a page links to.
BESIDE = (
    "", "cases", "cases?show=closed", "kept", "concerns", "people", "people?q=Thea", "register", "schools",
    "search?q=corridor", "divergence", "audit", "recipients", "workflows", "settings", "signing", "my-signatures",
)  # fmt: skip


def everything(client: PortalClient, trust: Trust, case_ids: set[UUID]) -> dict[str, tuple[int, bytes]]:
    """Whatever somebody can open, by address; but for the records of law that come with the portal."""
    root = trust.world.url()
    waiting = deque([f"{root}{path}" for path in BESIDE])
    waiting += [trust.world.url(f"schools/{trust.school.slug}/cases"), "/account", "/healthz"]
    found: dict[str, tuple[int, bytes]] = {}
    while waiting:
        url = waiting.popleft().replace("&amp;", "&")
        if url in found:
            continue
        response = client.get(url)
        found[url] = (response.status_code, unpacked(response.get_data()))
        assert not any(str(one).encode() in found[url][1] for one in case_ids)
        if response.mimetype == "text/html" and response.status_code == 200:
            links = _HREF.findall(response.get_data(as_text=True))
            waiting += [one for one in links if one.startswith((root, "/p/")) and "/guidance/" not in one]
    return found


def unpacked(body: bytes) -> bytes:
    """What an Excel file holds, without the second at which it was packed."""
    if not body.startswith(b"PK"):
        return body
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        return b"".join(name.encode() + packed.read(name) for name in sorted(packed.namelist()))


def work_on(trust: Trust, case_id: UUID, way: str) -> None:
    """What whoever has it does with it."""
    for person_id in trust.holders(case_id):
        someone = Someone(person_id, "", None, None)
        answers: dict[str, Any] = {"what": "Spoke.", "by": "The DSL", "on": today().isoformat()}
        with trust.world.acting(someone) as actor:
            if way in {"record", "threshold"}:
                managing.record(actor, case_id=case_id, kind=Kind.WELFARE, given=answers, now=now())
            if way == "low":
                said = Given(answers={"limbs_low": "A loud word."})
                acting.act(actor, case_id=case_id, action="low", given=said, now=now())
            if way == "note":
                acting.add_note(actor, case_id=case_id, text=WORDS, now=now())
    trust.world.run_jobs()


@pytest.mark.usefixtures("smtp_server")
def test_a_case_changes_nothing_for_those_who_are_not_in_it(
    trust: Trust, client_for: Clients, postbox: Postbox, caplog: pytest.LogCaptureFixture
) -> None:
    other_school = trust.world.school("Birchwood")
    other_head = trust.world.person("Olaf Other", (Role.HEADTEACHER, other_school))
    trust.world.run_jobs()
    watching = {
        one.id: one for one in (trust.third, trust.head, other_head, trust.world.manager, trust.trustee)
    }
    subjects = [trust.third, trust.head, trust.dsl, trust.world.manager, trust.trustee]
    caplog.set_level(logging.INFO)
    with time_machine.travel(datetime.now(UTC), tick=False):
        clients = {person_id: client_for(one) for person_id, one in watching.items()}
        seen = {one: everything(client, trust, set()) for one, client in clients.items()}

        @settings(
            max_examples=2,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        )
        @given(
            about=st.lists(st.sampled_from(subjects), min_size=1, max_size=2, unique=True),
            involved=st.sampled_from(["no", "head", "unsafe"]),
            way=st.sampled_from(["", "record", "low", "note"]),
            named=st.booleans(),
        )
        def opened(about: list[Someone], involved: str, way: str, named: bool) -> None:
            postbox.received.clear()
            before = trust.case_ids()
            sent = {
                "about": [str(one.id) for one in about],
                "involved": involved,
                "what": WORDS,
                "capacity": "saw",
                "no_images": True,
            }
            with trust.world.acting(trust.teacher):
                reporting.report(
                    trust.teacher.id if named else None,
                    school_id=trust.school.id,
                    given=sent,
                    may_be_named={one.id for one in about},
                    now=now(),
                )
            trust.world.run_jobs()
            (case_id,) = trust.case_ids() - before
            assert not trust.holders(case_id) & {one.id for one in about}
            work_on(trust, case_id, way)
            inside = trust.participants(case_id)
            for person_id, client in clients.items():
                if person_id in inside:
                    seen[person_id] = everything(client, trust, set())
                    continue
                after = everything(client, trust, {case_id})
                changed = [url for url in after if after[url] != seen[person_id].get(url)]
                assert (watching[person_id].name, changed) == (watching[person_id].name, [])
                assert set(after) == set(seen[person_id])
                assert client.get(trust.case_url(case_id)).status_code == 404
                assert postbox.to(str(watching[person_id].email)) == []

        opened()
    for word in ("corridor", "Spoke.", "loud word"):
        assert word not in caplog.text, "logs carry ids only"
