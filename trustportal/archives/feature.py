"""Puts archives into an application: jobs, pages, what the home page shows of them."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

from trustportal import page_context
from trustportal.archives import home, navigation, views
from trustportal.tenants.tasks import provide_tasks


def install(app: Flask) -> None:
    """Called once per application; what is global is registered once."""
    import_module("trustportal.archives.jobs")
    app.register_blueprint(views.blueprint)
    page_context.add_navigation(navigation.links)
    provide_tasks(home.my_tasks)
