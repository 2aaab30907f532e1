"""A trust that grows and takes away: a school that was set up and started, an archive that is there to be taken, and
one about which one of the two has answered.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from tests.world import Someone, World
from trustportal.access import Role
from trustportal.archives import queries
from trustportal.archives.models import Archive, ArchiveConsent, ArchiveFile, ArchivePiece
from trustportal.archives.services import asking, making
from trustportal.db import Scope, db, scope, unit_of_work
from trustportal.tenants.services import start_school
from trustportal.times import now


def furnish(world: World, *, ids: dict[str, UUID], dpo: Someone, reader: Someone) -> None:
    """Fill in `ids` whatever addresses name. `reader` gets rows of their own, to try them with."""
    _start_school(world)
    _by_hand(world, reader)
    with world.acting(world.manager) as actor:
        plain = asking.ask(actor, school_id=None, with_cases=False, reason="To see.", now=now()).id
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)):
        # Made here: the jobs for documents do not run in these trusts. Where a step goes on is in the next one's job.
        while queries.get_archive(plain).state == "making":
            making.step(archive_id=plain, after="", now=now())
    with world.acting(world.manager) as actor:
        asked = asking.ask(actor, school_id=None, with_cases=True, reason="We move.", now=now()).id
    world.run_jobs()
    with world.acting(dpo) as actor:
        asking.answer(actor, archive_id=asked, agree=True, reason="", now=now())
    world.run_jobs()
    ids |= {"archive_id": plain, "asked_archive_id": asked}


def _start_school(world: World) -> None:
    """A school that was not live, and is."""
    elm = world.school("Elm", live=False)
    world.person("Edda Elm", (Role.HEADTEACHER, elm))
    world.person("Edgar Elm", (Role.CHAIR_OF_GOVERNORS, elm))
    with world.acting(world.manager) as actor:
        start_school(actor, school_id=elm.id, now=now())


def _by_hand(world: World, reader: Someone) -> None:
    """An archive that ended, with something of it that is somebody's own."""
    own = {"archive_id": uuid4(), "person_id": reader.id}
    with world.worker_app.app_context(), scope(Scope.job(world.trust_id)), unit_of_work():
        ended = Archive(
            id=own["archive_id"],
            with_cases=False,
            reason="By hand.",
            asked_by=world.manager.id,
            asked_at=now(),
            decide_until=now(),
            state="making",
            total=1,
            collector_id=reader.id,
        )
        db.session.add(ended)
        db.session.flush()
        db.session.add(ArchivePiece(id=uuid4(), **own, number=0, size=1, sealed=b"x"))
        db.session.add(
            ArchiveFile(
                id=uuid4(), **own, name="x", sha256="", size=1, packed=1, crc=0, method=0, starts_at=0
            )
        )
        db.session.add(ArchiveConsent(id=uuid4(), **own, seat="chair", asked_at=now(), answer="", reason=""))
        db.session.flush()
        ended.state, ended.ended_at = "removed", now()
