"""What the portal is made of: every feature's tables, jobs, pages and commands, put into an application.

Only `app`, `worker` and `clock` import this; it is the one place that knows all features.
"""

from __future__ import annotations

from importlib import import_module

from flask import Flask
from govuk_frontend_wtf.main import WTFormsHelpers
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader

FEATURES = ("tenants", "policies", "acceptance", "workflows", "archives")


def install(app: Flask) -> None:
    """Import every table and job (so that a worker knows them before its first), and register every page."""
    import_module("trustportal.kernel_models")
    import_module("trustportal.mail")
    for feature in FEATURES:
        import_module(f"trustportal.{feature}.models")
    for feature in FEATURES:
        import_module(f"trustportal.{feature}.feature").install(app)
    import_module("trustportal.pages").install(app)
    import_module("trustportal.cli").install(app)
    assert app.jinja_loader is not None
    app.jinja_loader = ChoiceLoader(
        [
            app.jinja_loader,
            PrefixLoader(
                {
                    "govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja"),
                    "govuk_frontend_wtf": PackageLoader("govuk_frontend_wtf"),
                }
            ),
        ]
    )
    WTFormsHelpers(app)
