"""The PDF of a large policy against plain WeasyPrint on the same HTML."""

from __future__ import annotations

from collections.abc import Callable

from weasyprint import HTML

from tests.bench.estate import Estate
from tests.bench.measuring import Line, Report, in_turn, milliseconds, ratio
from trustportal import drawing, pdf
from trustportal.glyphs import spelled_out
from trustportal.policies import queries
from trustportal.policies.pdf import compose
from trustportal.policies.services import documents

ROUNDS = 5


def test_pdf(estate_of: Callable[[int], Estate], report: Report) -> None:
    """The whole of ours (a child process with limits, closed fetcher, finished tags) against the layout alone.

    Both have the fonts and the style sheet read already, and both make PDF/UA-1 of the same HTML.
    """
    estate = estate_of(10)
    with estate.world.looking():
        edition = queries.find_latest_edition(estate.policy_id, estate.patterns[0].school.id)
        assert edition is not None
        paper = documents.edition_print(edition, "http://portal.example")
    html = compose.policy_html(paper)
    assets = compose._assets(paper, paper.check_url)
    pdf.warm()
    fonts, sheet = drawing._house()
    printed, _ = spelled_out(html)

    def plain() -> bytes:
        made = HTML(string=printed, url_fetcher=drawing._Fetcher(assets)).write_pdf(
            font_config=fonts, stylesheets=[sheet], pdf_variant="pdf/ua-1"
        )
        assert isinstance(made, bytes)
        return made

    def ours() -> pdf.Rendered:
        return pdf.render_limited(html, assets=assets, base="http://portal.example/")

    taken = in_turn({"plain": plain, "ours": ours}, rounds=ROUNDS, warm_up=1)
    report.add(
        Line(
            "PDF/UA-1 against plain WeasyPrint on the same HTML",
            ratio(taken["ours"], taken["plain"]),
            "times",
            1.1,
            detail=f"{ours().pages} pages; {milliseconds(taken['ours']):.0f} ms"
            f" over {milliseconds(taken['plain']):.0f} ms",
        )
    )
