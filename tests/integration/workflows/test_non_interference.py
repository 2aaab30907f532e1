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
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from tests.integration.conftest import PortalClient, Postbox
from tests.integration.moments import moment
from tests.integration.policies.given import publish
from tests.integration.sweeps.addresses import addresses
from tests.integration.workflows.allegation_world import WORDS, Trust
from tests.integration.workflows.meetings import a_post
from tests.world import Someone, World
from trustportal import blobs
from trustportal.acceptance import services as acceptance
from trustportal.acceptance.domain.years import academic_year
from trustportal.acceptance.models import Assignment, EvidencePack
from trustportal.acceptance.services import packs
from trustportal.access import Role
from trustportal.db import db
from trustportal.policies.domain.clauses import Clause, Kind, Mode, NumberingStyle, Tree
from trustportal.policies.domain.header import PolicyHeader
from trustportal.policies.models import Edition, Policy
from trustportal.policies.services import drafts
from trustportal.times import now, today
from trustportal.workflows.domain.case_records import Kind as RecordKind
from trustportal.workflows.domain.engine import Given
from trustportal.workflows.models import CaseParticipant
from trustportal.workflows.queries import clauses
from trustportal.workflows.services import acting, managing, reporting

Clients = Callable[[Someone], PortalClient]
_HREF = re.compile(r'(?:href|hx-get)="([^"#?]+(?:\?[^"#]*)?)')
#: What is asked besides whatever a page links to: searches with the names and words of the cases.
BESIDE = (
    "", "cases", "cases?show=closed", "kept", "concerns", "people", "people?q=Thea", "register", "schools",
    "search?q=corridor", "search?q=Thea", "search?q=shouted", "recipients", "workflows",
    "settings", "case-figures", "map",
)  # fmt: skip
#: So many addresses of one route are enough: what is new on a page is a difference of that page already.
OF_ONE_ROUTE = 2
#: What differs whenever it is asked for: whether processes run; a new secret for a second factor.
HONEST = {"pages.healthz", "account.authenticator"}
POLICY: Tree = (
    Clause("conduct", None, Kind.SECTION, "Conduct", "At {{school.name}} nobody shouts in a corridor."),
    Clause("telling", "conduct", Kind.CLAUSE, "", "Tell the {{role.headteacher}} what worries you.", Mode.ADAPTABLE),
)  # fmt: skip


class Furnished(Trust):
    """The trust with what others look at: a policy in force with its PDFs, signatures, a certificate, a pack."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.birchwood = world.school("Birchwood")
        self.other_head = world.person("Olaf Other", (Role.HEADTEACHER, self.birchwood))
        second = world.person("Una Trustee", Role.TRUSTEE)
        world.run_jobs()
        with world.acting(world.manager) as actor:
            version = drafts.create_policy(
                actor,
                header=PolicyHeader(
                    "Code of conduct", person_responsible="Network manager", approving_body="Trust board"
                ),
                numbering=NumberingStyle.DECIMAL,
                tree=POLICY,
                now=now() - timedelta(days=1),
            )
            version_id, self.policy_id = version.id, version.policy_id
        publish(world, (self.trustee, second), version_id, {})
        world.run_jobs()
        with world.acting(world.manager) as actor:
            campaign = acceptance.open_campaign(
                actor,
                title="Annual signing",
                academic_year=academic_year(today()),
                policy_ids=[self.policy_id],
                roles=[Role.STAFF, Role.HEADTEACHER],
                opens_on=today(),
                due_on=today() + timedelta(days=20),
                now=now(),
                today=today(),
            )
            self.campaign_id = campaign.id
        world.run_jobs()
        for person in (self.third, self.head):
            self.signature_id = self._sign(person)
        with world.looking():
            edition = db.session.scalars(select(Edition).where(Edition.school_id == self.school.id)).one()
            self.slug = db.session.scalars(select(Policy.slug)).one()
            self.digest = edition.content_hash
            pdfs = select(Edition.pdf_hash).where(Edition.pdf_hash.is_not(None))
            assert len(db.session.scalars(pdfs).all()) >= 2, "the PDFs are real ones"
        self.ask_for_papers()

    def _sign(self, person: Someone) -> UUID:
        with self.world.acting(person) as actor:
            (mine,) = db.session.scalars(
                select(Assignment).where(Assignment.person_id == person.id, Assignment.state == "open")
            ).all()
            shown = acceptance.to_read(actor, assignment_id=mine.id, today=today())
            signed = acceptance.sign(
                actor,
                assignment_id=mine.id,
                edition_id=shown.edition_id,
                statement_seen=shown.statement_version,
                confirmed=True,
                now=now(),
                today=today(),
                user_agent="A browser",
            )
            return signed.id

    def ask_for_papers(self) -> None:
        """An evidence pack with its certificates, made by the jobs."""
        with self.world.acting(self.world.manager) as actor:
            self.pack_id = packs.ask_for_pack(
                actor, school_id=self.school.id, academic_year=academic_year(today()), now=now()
            ).id
        self.world.run_jobs()

    # -- what the route table wants to know --------------------------------------------------------------------

    @property
    def ashgrove(self) -> Any:
        return self.school

    @property
    def ids(self) -> Any:
        made: dict[str, UUID] = defaultdict(lambda: UUID(int=7))
        made |= {
            "campaign_id": self.campaign_id,
            "signature_id": self.signature_id,
            "pack_id": self.pack_id,
            "person_id": self.third.id,
        }
        return made

    def __getattr__(self, name: str) -> Any:
        """Whatever else an address names: the one policy that there is."""
        if name.startswith("_") or name not in {
            "reconciling", "drafting", "submitted", "approved", "acted", "own", "joining", "added_key"
        }:  # fmt: skip
            raise AttributeError(name)
        return self.slug if name not in {"acted", "added_key"} else UUID(int=7)


@moment
def furnished(world: World) -> Furnished:
    """Everything is made once, PDFs included."""
    return Furnished(world)


def everything(client: PortalClient, trust: Furnished, case_ids: set[UUID]) -> dict[str, tuple[int, bytes]]:
    """Whatever somebody can open, by address: every route of the portal, and what its pages link to."""
    root, app = trust.world.url(), trust.world.app
    routes = app.url_map.bind("portal.example")
    table = [one.url(trust) for one in addresses(app) if one.method == "GET"]  # type: ignore[arg-type]
    waiting = deque([f"{root}{path}" for path in BESIDE] + sorted(table))
    asked: Counter[str] = Counter()
    found: dict[str, tuple[int, bytes]] = {}
    while waiting:
        url = waiting.popleft().replace("&amp;", "&")
        if url in found:
            continue
        try:
            endpoint = routes.match(unquote(url.partition("?")[0]))[0]
        except HTTPException:
            raise AssertionError(f"a page links to {url}, which is no address") from None
        of_the_table = asked[endpoint] == 0 or url.removeprefix(root) in BESIDE
        asked[endpoint] += 1
        if endpoint in HONEST or (asked[endpoint] > OF_ONE_ROUTE and not of_the_table):
            continue
        response = client.get(url)
        body = response.get_data()
        # A PDF with its metadata, a pack file by file, a feed, a spreadsheet: byte for byte.
        found[url] = (response.status_code, unpacked(body) + str(response.headers.get("ETag")).encode())
        assert not any(str(one).encode() in found[url][1] for one in case_ids)
        if response.mimetype == "text/html" and response.status_code == 200:
            links = _HREF.findall(body.decode())
            waiting += [one for one in links if one.startswith((root, "/p/"))]
    return found


def unpacked(body: bytes) -> bytes:
    """What an Excel file holds, without the second at which it was packed."""
    if not body.startswith(b"PK"):
        return body
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        return b"".join(name.encode() + packed.read(name) for name in sorted(packed.namelist()))


def pack_of(trust: Furnished) -> dict[str, bytes]:
    """The newest evidence pack, file by file; its list of hashes follows from them."""
    with trust.world.looking():
        stored = db.session.scalars(select(EvidencePack).where(EvidencePack.id == trust.pack_id)).one()
        assert stored.blob_hash is not None
        with zipfile.ZipFile(io.BytesIO(blobs.get(stored.blob_hash).content)) as packed:
            names = set(packed.namelist()) - {"SHA256SUMS"}
            return {name: unpacked(packed.read(name)) for name in names}


def reported(trust: Furnished, about: list[Someone], involved: str, *, named: bool) -> None:
    """A member of staff reports an allegation, by name or without."""
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


def took_part(trust: Furnished, case_ids: set[UUID]) -> set[UUID]:
    """Whoever took part in one of some cases, now or until something was known."""
    with trust.behind():
        rows = select(CaseParticipant.person_id).where(CaseParticipant.case_id.in_(case_ids))
        return set(db.session.scalars(rows))


def work_on_post(trust: Furnished, case_id: UUID, about: list[Someone], way: str) -> None:
    """What whoever has a parent's post does with it."""
    holder = Someone(min(trust.holders(case_id)), "", None, None)
    with trust.world.acting(holder):
        ((clause, _), *_) = clauses.list_choosable(trust.school.id, today())
    if way == "low":
        trust.act(holder, case_id, "go_on", triage="nothing", repeat="no")
    if way in {"note", "record"}:
        trust.act(holder, case_id, "go_on", triage="meeting", repeat="no", clauses=[clause])
    if way == "record":
        accused = {"alleged": [str(one.id) for one in about], "alleged_words": WORDS}
        trust.act(holder, case_id, "hold", hold_because=["allegation"], **accused)


def work_on(trust: Furnished, case_id: UUID, way: str) -> None:
    """What whoever has it does with it."""
    for person_id in trust.holders(case_id):
        someone = Someone(person_id, "", None, None)
        answers: dict[str, Any] = {"what": "Spoke.", "by": "The DSL", "on": today().isoformat()}
        with trust.world.acting(someone) as actor:
            if way in {"record", "threshold"}:
                managing.record(actor, case_id=case_id, kind=RecordKind.WELFARE, given=answers, now=now())
            if way == "low":
                said = Given(answers={"limbs_low": "A loud word."})
                acting.act(actor, case_id=case_id, action="low", given=said, now=now())
            if way == "note":
                acting.add_note(actor, case_id=case_id, text=WORDS, now=now())
    trust.world.run_jobs()


@pytest.mark.usefixtures("smtp_server")
def test_a_case_changes_nothing_for_those_who_are_not_in_it(
    furnished: Furnished, client_for: Clients, postbox: Postbox, caplog: pytest.LogCaptureFixture
) -> None:
    compare(furnished, client_for, postbox, caplog, examples=1)


@pytest.mark.slow
@pytest.mark.usefixtures("smtp_server")
def test_many_cases_change_nothing_for_those_who_are_not_in_them(
    furnished: Furnished, client_for: Clients, postbox: Postbox, caplog: pytest.LogCaptureFixture
) -> None:
    compare(furnished, client_for, postbox, caplog, examples=25)


def compare(
    trust: Furnished,
    client_for: Clients,
    postbox: Postbox,
    caplog: pytest.LogCaptureFixture,
    *,
    examples: int,
) -> None:
    """Open random cases, and compare what each of those outside can open and receive before and after."""
    # Where there are few cases, the head is left out: of most they are a part.
    watched = [trust.third, trust.other_head, trust.world.manager, trust.trustee]
    watching = {one.id: one for one in (*watched, *([trust.head] if examples > 1 else []))}
    subjects = [trust.third, trust.head, trust.dsl, trust.world.manager, trust.trustee]
    caplog.set_level(logging.INFO)
    with time_machine.travel(datetime.now(UTC), tick=False):
        clients = {person_id: client_for(one) for person_id, one in watching.items()}
        for client in clients.values():
            client.strict = False  # what a page is made of is looked at elsewhere
        trust.ask_for_papers()
        without = pack_of(trust)
        seen = {one: everything(client, trust, set()) for one, client in clients.items()}
        of_manager = {response for _, response in seen[trust.world.manager.id].values()}
        assert sum(one.startswith(b"%PDF") for one in of_manager) >= 2, "papers are compared too"
        assert any(b"manifest" in one or b"signatures.csv" in one for one in of_manager), "and the pack"

        @settings(
            max_examples=examples,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        )
        @given(
            kind=st.sampled_from(["allegation", "post", "request"]),
            about=st.lists(st.sampled_from(subjects), min_size=1, max_size=2, unique=True),
            involved=st.sampled_from(["no", "head", "unsafe"]),
            way=st.sampled_from(["", "record", "low", "note"]),
            named=st.booleans(),
        )
        def opened(kind: str, about: list[Someone], involved: str, way: str, named: bool) -> None:
            postbox.received.clear()
            before = trust.case_ids()
            if kind == "allegation":
                reported(trust, about, involved, named=named)
                (case_id,) = trust.case_ids() - before
                work_on(trust, case_id, way)
            elif kind == "post":
                whom = {"about_whom": "yes", "about": [str(one.id) for one in about]} if named else {}
                case_id = trust.send(trust.teacher, "parent-meeting", **a_post(**whom))
                work_on_post(trust, case_id, about, way)
            else:
                case_id = trust.send()
                if way:
                    trust.act(trust.leader, case_id, "sign")
            made = trust.case_ids() - before
            if kind == "allegation" or (kind == "post" and named):
                for one in made:
                    assert not trust.holders(one) & {each.id for each in about}
            inside = set().union(*map(trust.participants, made))
            for person_id, client in clients.items():
                if person_id in inside:
                    seen[person_id] = everything(client, trust, set())
                    continue
                after = everything(client, trust, made)
                changed = [url for url in after if after[url] != seen[person_id].get(url)]
                assert (watching[person_id].name, changed) == (watching[person_id].name, [])
                assert set(after) == set(seen[person_id])
                assert client.get(trust.case_url(case_id)).status_code == 404
                # Whoever had it, until it turned out to be about them, was asked while they had it.
                if person_id not in took_part(trust, made):
                    assert postbox.to(str(watching[person_id].email)) == []

        opened()
        # What is made afterwards, metadata included, is what would have been made without a case.
        trust.ask_for_papers()
        assert pack_of(trust) == without
    for word in ("corridor", "Spoke.", "loud word", "the trip", "Calder", "Year 6"):
        assert word not in caplog.text, "logs carry ids only"
