"""What the portal is made of: every feature's tables, jobs, pages and commands, put into an application.

Only `app`, `worker` and `clock` import this; it is the one place that knows all features.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module

from flask import Flask
from govuk_frontend_wtf.main import WTFormsHelpers
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from sqlalchemy.orm import configure_mappers

FEATURES = ("tenants", "policies", "acceptance", "workflows", "archives")


@contextmanager
def _for_good() -> Iterator[None]:
    """What is loaded meanwhile never becomes garbage. To look for it all the same takes a quarter of the time while
    everything is loaded, and later, again and again, a tenth of a second of some request: so it is not looked at.
    """
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if looked:
            gc.enable()


_loaded = False


def install(app: Flask) -> None:
    """Import every table and job (so that a worker knows them before its first), and register every page."""
    global _loaded
    with nullcontext() if _loaded else _for_good():
        import_module("trustportal.kernel_models")
        import_module("trustportal.mail")
        for feature in FEATURES:
            import_module(f"trustportal.{feature}.models")
        for feature in FEATURES:
            import_module(f"trustportal.{feature}.feature").install(app)
        import_module("trustportal.pages").install(app)
        import_module("trustportal.cli").install(app)
        configure_mappers()
    _loaded = True
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
