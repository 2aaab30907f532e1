"""The page of a campaign's progress: of two schools and fifty people, and of two hundred and twenty thousand."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from sqlalchemy import event

from tests.bench.crowd import write_crowd
from tests.bench.estate import Estate
from tests.bench.measuring import Line, Report, in_turn, milliseconds, ratio
from trustportal.acceptance.queries import overview
from trustportal.db import db
from trustportal.policies import queries
from trustportal.times import today


def test_progress(app: Flask, estate_of: Callable[[int], Estate], superuser_url: str, report: Report) -> None:
    """The same queries for both, and at most three times the time."""
    estate = estate_of(10)
    world = estate.world
    with world.looking():
        edition = queries.find_edition_in_force(estate.policy_id, estate.patterns[0].school.id, today())
        assert edition is not None
        edition_id = edition.id
    crowds = {
        size: write_crowd(
            superuser_url,
            trust_id=world.trust_id,
            policy_id=estate.policy_id,
            edition_id=edition_id,
            schools=schools,
            people=people,
        )
        for size, (schools, people) in {"small": (2, 50), "large": (200, 20_000)}.items()
    }
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    counts: dict[str, int] = {}

    def look(size: str) -> None:
        with world.acting(world.manager) as actor:
            sent.clear()
            shown = overview.get_overview(actor, crowds[size].campaign_id, today=today())
            counts[size] = len(sent)
            assert shown.total.asked == crowds[size].people

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        taken = in_turn({size: lambda size=size: look(size) for size in crowds}, rounds=7)  # type: ignore[misc]
    finally:
        event.remove(engine, "before_cursor_execute", note)
    report.add(
        Line(
            "progress of 200 schools and 20,000 people, of the time for 2 and 50",
            ratio(taken["large"], taken["small"]),
            "times",
            3,
            "most",
            f"{milliseconds(taken['large']):.0f} ms over {milliseconds(taken['small']):.0f} ms",
        )
    )
    report.add(
        Line(
            "queries for it, beyond those of the small one",
            counts["large"] - counts["small"],
            "more",
            0,
            "equal",
            f"{counts['large']} queries",
        )
    )
