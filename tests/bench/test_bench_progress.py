"""The page of a campaign's progress: of two schools and fifty people, and of two hundred and twenty thousand."""

from __future__ import annotations

from flask import Flask

from tests.bench.crowd import Crowd, write_crowd
from tests.bench.estate import cookie_of
from tests.bench.measuring import Line, Report, in_turn, milliseconds, ratio
from tests.bench.test_bench_pages import queries_of
from trustportal.acceptance.queries import overview
from trustportal.times import today

SIZES = {"small": (2, 50), "large": (200, 20_000)}


def test_progress(app: Flask, worker_app: Flask, superuser_url: str, report: Report) -> None:
    """The same queries for both, and at most three times the time: the whole page, and what it reads alone.

    Each crowd is a trust of its own, as a small trust and a large one are.
    """
    crowds = {
        size: write_crowd(app, worker_app, superuser_url, schools=schools, people=people)
        for size, (schools, people) in SIZES.items()
    }
    client = app.test_client(use_cookies=False)
    cookies = {size: cookie_of(app, crowd.world.manager) for size, crowd in crowds.items()}

    def address(crowd: Crowd) -> str:
        return crowd.world.url(f"acceptance/{crowd.campaign_id}")

    def page(size: str, places: str = "") -> None:
        answer = client.get(address(crowds[size]) + places, headers={"Cookie": cookies[size]})
        assert answer.status_code == 200
        answer.close()

    def page_of_all(size: str) -> None:
        page(size, "?places=all")

    def look(size: str) -> None:
        crowd = crowds[size]
        with crowd.world.acting(crowd.world.manager) as actor:
            shown = overview.get_overview(actor, crowd.campaign_id, today=today())
            assert shown.total.asked == crowd.people

    works = {
        f"{name} {size}": lambda work=work, size=size: work(size)  # type: ignore[misc]
        for name, work in (("page", page), ("all", page_of_all), ("reading", look))
        for size in SIZES
    }
    taken = in_turn(works, rounds=25)
    for name, words in (
        ("page", "progress page of 200 schools and 20,000 people, of the time for 2 and 50"),
        ("all", "the same with every school in it, of the time for 2 and 50"),
        ("reading", "what that page reads, of the time for 2 and 50"),
    ):
        large, small = taken[f"{name} large"], taken[f"{name} small"]
        report.add(
            Line(
                words,
                ratio(large, small),
                "times",
                3,
                "most",
                f"{milliseconds(large):.0f} ms over {milliseconds(small):.0f} ms",
            )
        )
    counts = {size: len(queries_of(app, address(crowd), cookies[size])) for size, crowd in crowds.items()}
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
