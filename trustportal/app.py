"""create_app(): settings, extensions, blueprints, error handling. Nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from flask import Flask
from flask_wtf import CSRFProtect
from htmx_flask import Htmx
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from trustportal import features, web, words
from trustportal.addresses import Portal
from trustportal.config import Settings
from trustportal.db import db, refuse_powerful_role
from trustportal.sessions import PortalSessions
from trustportal.wire import use_wires

ROOT = Path(__file__).resolve().parent.parent
csrf = CSRFProtect()
htmx = Htmx()


def create_app(
    settings: Settings | None = None, *, role: Literal["web", "worker"] = "web", **overrides: Any
) -> Flask:
    """The web application, or (role "worker") the one in which jobs run, with the workers' database role."""
    settings = settings or Settings.from_env()
    app = Portal(__name__, template_folder=str(ROOT / "templates"), static_folder="static")
    app.config.update(
        PORTAL=settings,
        SECRET_KEY=settings.secret_key,
        # Commands that need no database are found through an application that has none.
        SQLALCHEMY_DATABASE_URI=(settings.database_url if role == "web" else settings.worker_database_url)
        or "postgresql+psycopg://",
        SQLALCHEMY_ENGINE_OPTIONS={
            "pool_pre_ping": role == "worker",
            "pool_size": 5,
            "max_overflow": 10,
            # What people wrote, their addresses and the hashes of their passwords do not belong in a log.
            "hide_parameters": True,
        },
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        MAX_CONTENT_LENGTH=10 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        **overrides,
    )
    app.session_interface = PortalSessions()
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    db.init_app(app)
    with app.app_context():
        refuse_powerful_role(db.engine)
        use_wires(db.engine)
    csrf.init_app(app)
    htmx.init_app(app)
    words.install(app)
    web.install(app)
    features.install(app)
    web.every_route_declares_access(app)
    if settings.proxy_count:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app,
            x_for=settings.proxy_count,
            x_proto=settings.proxy_count,
            x_host=settings.proxy_count,
        )
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app, root=str(ROOT / "trustportal" / "static"), prefix="static/", max_age=3600
    )
    return app
