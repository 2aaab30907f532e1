"""Publishing a version: rebasing it at every school, per school, at 10, 100 and 1,000 schools."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from uuid import UUID

from flask import Flask
from sqlalchemy import func, select

from tests.bench.estate import Estate
from tests.bench.measuring import Line, Reader, Report
from trustportal import jobs
from trustportal.db import Scope, db, scope
from trustportal.kernel_models import Outbox
from trustportal.policies.models import PublicationPlace
from trustportal.policies.services import foreseeing, publishing
from trustportal.times import now, today

SIZES = (10, 100, 1000)
#: Per school, from performance.md.
MOST_MILLISECONDS = 20.0
#: The same as multiples of the floor page, which took 2.0 ms on that machine: it tells a slow machine from slow code.
MOST_FLOORS = MOST_MILLISECONDS / 2.0
#: How much more a school may cost in the largest trust than in the smallest before we call it not linear.
MOST_GROWTH = 1.25


def waiting(job: str = "") -> list[UUID]:
    """The outbox rows of the trust in scope that are due on the default queue, oldest first."""
    statement = select(Outbox.id).where(Outbox.done_at.is_(None), Outbox.queue == "default")
    if job:
        statement = statement.where(Outbox.job == job)
    found = list(db.session.scalars(statement.order_by(Outbox.created_at)))
    db.session.rollback()
    return found


def work_off(
    app: Flask, trust_id: UUID, job: str = "", between: Callable[[], object] | None = None
) -> tuple[int, float]:
    """Do what waits, as a worker does it: each job in its own scope and transaction. Returns how many, and seconds.

    `between` is called after every tenth job, outside of what is measured.
    """
    taken = 0.0
    with app.app_context():
        with scope(Scope.job(trust_id)):
            rows = waiting(job)
        for number, row in enumerate(rows):
            began = time.perf_counter()
            jobs.perform(str(row), str(trust_id))
            taken += time.perf_counter() - began
            if between is not None and number % 10 == 9:
                between()
    return len(rows), taken


def test_publishing(
    worker_app: Flask, estate_of: Callable[[int], Estate], floor_port: int, report: Report
) -> None:
    """Publish to each trust, rebase every place, then do what follows from it; the floor page now and then."""
    per_school: dict[int, float] = {}
    following: dict[int, float] = {}
    foreseen: dict[int, float] = {}
    floor_pages: list[float] = []
    reader = Reader(floor_port, "/77")

    def floor_page() -> None:
        reader.read()  # after a pause the connection is dialled anew
        began = time.perf_counter()
        reader.read()
        floor_pages.append(time.perf_counter() - began)

    for size in SIZES:
        estate = estate_of(size)
        version_id = estate.approved_version()
        world = estate.world
        foreseen[size] = _foresee(worker_app, estate, version_id)
        began = time.perf_counter()
        with world.acting(world.manager) as actor:
            publishing.publish_version(
                actor, version_id=version_id, effective_on=today(), now=now(), today=today()
            )
        publishing_took = time.perf_counter() - began
        done, rebasing_took = work_off(worker_app, world.trust_id, "policies.jobs.rebase_place", floor_page)
        assert done == size
        per_school[size] = (publishing_took + rebasing_took) / size * 1000
        followed, following[size] = 0, 0.0
        while (more := work_off(worker_app, world.trust_id))[0]:
            followed += more[0]
            following[size] += more[1] / size * 1000
        outcomes = _outcomes(worker_app, world.trust_id)
        assert sum(outcomes.values()) >= size
        report.add(
            Line(
                f"publish and rebase, per school, {size} schools",
                per_school[size],
                "ms",
                MOST_MILLISECONDS,
                detail=f"publishing itself {publishing_took * 1000:.0f} ms;"
                f" {outcomes.get('to_decide', 0)} schools to decide;"
                f" {followed} jobs follow, {following[size]:.1f} ms a school",
            )
        )
    reader.connection.close()
    floor = statistics.median(floor_pages) * 1000
    report.add(
        Line(
            "publish and rebase, per school, against the floor page",
            per_school[1000] / floor,
            "times",
            MOST_FLOORS,
            detail=f"{per_school[1000]:.1f} ms over {floor:.1f} ms",
        )
    )
    small = statistics.mean(per_school[size] for size in SIZES[:2])
    report.add(
        Line(
            "publish and rebase: a school among 1,000 against one among 10 or 100",
            per_school[1000] / small,
            "times",
            MOST_GROWTH,
        )
    )
    report.add(
        Line(
            "the dry run: a school among 1,000 against one among 10 or 100",
            foreseen[1000] / statistics.mean(foreseen[size] for size in SIZES[:2]),
            "times",
            MOST_GROWTH,
            detail=f"{foreseen[1000]:.1f} ms a school",
        )
    )
    report.add(
        Line(
            "what follows a publication: a school among 1,000 against one among 100",
            following[1000] / following[100],
            "times",
            MOST_GROWTH,
        )
    )


def _foresee(app: Flask, estate: Estate, version_id: UUID) -> float:
    """Work out the effect of an approved version at every place; milliseconds a school."""
    began = time.perf_counter()
    with estate.world.looking():
        foreseeing.begin_outlook(version_id, now=now(), today=today())
    beginning = time.perf_counter() - began
    done, taken = work_off(app, estate.world.trust_id, "policies.jobs.foresee_place")
    assert done == estate.size
    return (beginning + taken) / estate.size * 1000


def _outcomes(app: Flask, trust_id: UUID) -> dict[str, int]:
    with app.app_context(), scope(Scope.job(trust_id)):
        rows = db.session.execute(
            select(PublicationPlace.outcome, func.count(PublicationPlace.id)).group_by(
                PublicationPlace.outcome
            )
        )
        return {row[0]: row[1] for row in rows}
