"""The floor: what the bare tools take for the same page. Flask, psycopg, one indexed SELECT, Jinja, nothing else.

It is served by the same gunicorn settings and reads from the same PostgreSQL: `FLOOR_DATABASE_URL` names it, and
`FLOOR_CLAUSES` a JSON file with the clauses (number, heading, HTML), which it keeps in memory.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from jinja2 import DictLoader, Environment
from markupsafe import Markup

PAGE = """<!doctype html>
<html lang="en-GB">
<head><meta charset="utf-8"><title>{{ title }}</title><link rel="stylesheet" href="/static/portal.css"></head>
<body>
<main>
<h1>{{ title }}</h1>
<p>Edition {{ edition }}</p>
{% for clause in clauses %}
<section class="clause" id="{{ clause.key }}">
  <span class="no">{{ clause.number }}</span>
  <div class="text">{% if clause.heading %}<h2>{{ clause.heading }}</h2>{% endif %}{{ clause.html }}</div>
  <div class="from">{{ clause.origin }}</div>
</section>
{% endfor %}
</main>
</body>
</html>
"""

EDITIONS = (
    "CREATE TABLE floor_edition (id integer PRIMARY KEY, title text NOT NULL, edition text NOT NULL)",
    "INSERT INTO floor_edition SELECT n, 'Policy ' || n, '1.' || n FROM generate_series(1, 10000) n",
    "ANALYZE floor_edition",
)
SIGNATURES = """
CREATE TABLE floor_signature (id uuid PRIMARY KEY, person uuid NOT NULL, record text NOT NULL, at timestamptz NOT NULL)
"""


def create() -> Flask:
    """The application, for gunicorn."""
    app = Flask(__name__)
    clauses: list[dict[str, Any]] = json.loads(Path(os.environ["FLOOR_CLAUSES"]).read_text("utf-8"))
    for clause in clauses:
        clause["html"] = Markup(clause["html"])  # noqa: S704 (made by us)
    template = Environment(autoescape=True, loader=DictLoader({"page": PAGE})).get_template("page")
    mine = threading.local()

    @app.get("/<int:number>")
    def page(number: int) -> str:
        if not hasattr(mine, "connection"):
            mine.connection = psycopg.connect(os.environ["FLOOR_DATABASE_URL"], autocommit=True)
        row = mine.connection.execute(
            "SELECT title, edition FROM floor_edition WHERE id = %s", [number]
        ).fetchone()
        assert row is not None
        return template.render(title=row[0], edition=row[1], clauses=clauses)

    return app


def nothing() -> None:
    """A job that does nothing, for bare RQ."""
