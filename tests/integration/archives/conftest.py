"""A trust with something to take away: a policy that somebody signed, and the two who agree to case records."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pdfplumber
from sqlalchemy import select

from tests.integration.conftest import PortalClient
from tests.integration.moments import moment
from tests.integration.policies.given import Social, social
from tests.world import Someone, World
from trustportal.acceptance import services as acceptance
from trustportal.acceptance.domain.years import academic_year
from trustportal.acceptance.models import Assignment
from trustportal.acceptance.services import certificates
from trustportal.access import Role
from trustportal.archives.models import Archive
from trustportal.db import Scope, db, scope
from trustportal.times import now, today
from trustportal.workflows.domain.case_records import Kind
from trustportal.workflows.models import WorkflowCase
from trustportal.workflows.queries import cases as queries
from trustportal.workflows.services import acting, managing, reporting

#: What stands in the planted case alone.
WORDS = "He pulled Wilhelmina Quince by the satchel beside the kiln."
RECORDED = "Wilhelmina was heard by a counsellor called Balthazar."
NOTED = "The kiln room has a window to the passage."
PLANTED = (WORDS, "Wilhelmina", "Quince", "satchel", "kiln", "Balthazar")


@dataclass
class Belongings:
    """A trust, who may ask, who has to agree, and what they do."""

    world: World
    given: Social
    dpo: Someone
    board: Someone
    colleague: Someone

    @contextmanager
    def behind(self) -> Iterator[None]:
        """The workers' role, to look at cases and at what only one person sees."""
        with self.world.worker_app.app_context(), scope(Scope.job(self.world.trust_id)):
            yield

    def concern(self, about: Someone, words: str = WORDS) -> UUID:
        """Somebody reports something about somebody."""
        with self.behind():
            before = set(db.session.scalars(select(WorkflowCase.id)))
        with self.world.acting(self.colleague):
            reporting.report(
                self.colleague.id,
                school_id=self.given.school.id,
                given={
                    "about": [str(about.id)],
                    "involved": "no",
                    "what": words,
                    "capacity": "saw",
                    "no_images": True,
                },
                may_be_named={about.id},
                now=now(),
            )
        self.world.run_jobs()
        with self.behind():
            (found,) = set(db.session.scalars(select(WorkflowCase.id))) - before
        return found

    def work_on(self, case_id: UUID) -> None:
        """Whoever has it records something, and writes a note."""
        with self.behind():
            (person_id,) = {one for task in queries.get_case(case_id).tasks for one in task.people}
        with self.world.acting(Someone(person_id, "", None, None)) as actor:
            managing.record(
                actor,
                case_id=case_id,
                kind=Kind.WELFARE,
                given={"what": RECORDED, "by": "The DSL", "on": today().isoformat()},
                now=now(),
            )
            acting.add_note(actor, case_id=case_id, text=NOTED, now=now())
        self.world.run_jobs()

    def url(self, path: str = "") -> str:
        """Where archives are asked for."""
        return self.world.url(f"settings/archives{path}")

    def ask(self, client: PortalClient, *, with_cases: bool = False, place: str = "trust") -> UUID:
        """Ask for an archive on the page; the jobs do what follows."""
        response = client.post(
            self.url(),
            data={
                "place": place,
                "with_cases": "yes" if with_cases else "no",
                "reason": "We change the supplier.",
            },
        )
        assert response.status_code == 303, response.get_data(as_text=True)
        self.world.run_jobs()
        return UUID(response.headers["Location"].rpartition("/")[2])

    def answer(self, client: PortalClient, archive_id: UUID, answer: str = "agree", reason: str = "") -> Any:
        """One of the two answers, and the jobs do what follows."""
        response = client.post(
            self.world.url(f"archives/{archive_id}/answer"), data={"answer": answer, "reason": reason}
        )
        self.world.run_jobs()
        return response

    def take(self, client: PortalClient, archive_id: UUID) -> Any:
        """Press the button that takes the file."""
        return client.post(self.world.url(f"archives/{archive_id}/file"))

    def state(self, archive_id: UUID) -> str:
        """How far it is."""
        with self.behind():
            return db.session.scalars(select(Archive.state).where(Archive.id == archive_id)).one()


@moment
def belongings(world: World) -> Belongings:
    """A policy in force and signed by a teacher, with a certificate; a data protection officer and a chair."""
    given = social(world)
    found = Belongings(
        world,
        given,
        dpo=world.person("Dora Protect", Role.DPO),
        board=world.person("Bea Board", Role.CHAIR_OF_TRUST_BOARD),
        colleague=world.person("Colin Colleague", (Role.STAFF, given.school)),
    )
    with world.acting(world.manager) as actor:
        acceptance.open_campaign(
            actor,
            title="Annual signing",
            academic_year=academic_year(today() + timedelta(days=20)),
            policy_ids=[given.policy_id],
            roles=[Role.STAFF],
            opens_on=today(),
            due_on=today() + timedelta(days=20),
            now=now(),
            today=today(),
        )
    world.run_jobs()
    with world.looking():
        mine = db.session.scalars(select(Assignment.id).where(Assignment.person_id == given.teacher.id)).one()
    with world.acting(given.teacher) as actor:
        shown = acceptance.to_read(actor, assignment_id=mine, today=today())
        signature = acceptance.sign(
            actor,
            assignment_id=mine,
            edition_id=shown.edition_id,
            statement_seen=shown.statement_version,
            confirmed=True,
            now=now(),
            today=today(),
            user_agent="A browser",
        )
    with world.looking():
        certificates.make(signature_id=signature.id, public_url="http://portal.example", now=now())
    world.run_jobs()
    return found


def opened(body: bytes) -> dict[str, bytes]:
    """Every file of an archive; each is as its manifest says."""
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        assert packed.testzip() is None
        files = {name: packed.read(name) for name in packed.namelist()}
    said = {one["name"]: one for one in json.loads(files["MANIFEST.json"])["files"]}
    assert set(said) == set(files) - {"MANIFEST.json"}
    for name, one in said.items():
        assert one["sha256"] == hashlib.sha256(files[name]).hexdigest(), name
        assert one["size"] == len(files[name]), name
    return files


def readable(files: Mapping[str, bytes]) -> str:
    """Names and contents of all files as text, PDFs too."""
    found = list(files)
    for name, content in files.items():
        found.append(content.decode("utf-8", "replace"))
        if name.endswith(".pdf"):
            with pdfplumber.open(io.BytesIO(content)) as read:
                found += [page.extract_text() or "" for page in read.pages]
                found.append(str(read.metadata))
    return "\n".join(found)
