"""What somebody sees when something is refused, missing, or broken."""

from __future__ import annotations

import logging
from typing import Any
from uuid import uuid4

from flask import Flask, Response, make_response, render_template
from flask_wtf.csrf import CSRFError
from htmx_flask import request
from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException

from trustportal.db import db
from trustportal.errors import Conflict, Forbidden, NotFound, RuleBroken

log = logging.getLogger(__name__)


def is_htmx() -> bool:
    """Whether HTMX asks for a fragment (a boosted link asks for a page)."""
    return bool(request.htmx) and not request.htmx.boosted


def error_page(status: int, message: str = "", **context: Any) -> Response:
    """A page that says what is wrong; for HTMX its words alone, at the head of the page that is shown."""
    db.session.rollback()
    if is_htmx():
        answer = make_response(
            render_template("errors/_message.html", status=status, message=message, **context), status
        )
        answer.headers["HX-Retarget"] = "#messages"
        answer.headers["HX-Reswap"] = "innerHTML"
        return answer
    return make_response(
        render_template(f"errors/{status}.html", status=status, message=message, **context), status
    )


def install(app: Flask) -> None:
    """Let every error be answered with a page of ours."""
    app.register_error_handler(NotFound, lambda error: error_page(404, error.message))
    app.register_error_handler(Forbidden, lambda error: error_page(403, error.message))
    app.register_error_handler(RuleBroken, lambda error: error_page(422, error.message))
    app.register_error_handler(
        Conflict, lambda error: error_page(409, error.message, theirs=error.theirs, ours=error.ours)
    )
    app.register_error_handler(
        CSRFError,
        lambda error: error_page(
            422, "This page had been open too long to be sent. Go back, reload it and try again."
        ),
    )

    def database_away(error: OperationalError) -> Response:
        log.error("database away: %s", type(error.orig).__name__)
        return error_page(503)

    def at_once(error: IntegrityError) -> Response:
        if not isinstance(error.orig, UniqueViolation):
            return unexpected(error)
        log.warning("the same was written twice at once: %s", error.orig.diag.constraint_name)
        return error_page(409, "The same was sent twice at once. The first was taken.", twice=True)

    def http(error: HTTPException) -> Response | HTTPException:
        status = error.code or 500
        if status in {404, 405}:
            return error_page(404)
        if status in {403, 429, 503}:
            return error_page(status)
        if status == 413:
            return error_page(
                422,
                "This is too large. A file may have up to 10 MB, and words that you paste up to 500,000 characters.",
            )
        return error if status < 400 else error_page(422 if status < 500 else 500, error.description or "")

    def unexpected(error: Exception) -> Response:
        reference = uuid4().hex[:8]
        log.exception("unexpected error", extra={"reference": reference})
        return error_page(500, reference)

    app.register_error_handler(OperationalError, database_away)
    app.register_error_handler(IntegrityError, at_once)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(Exception, unexpected)
