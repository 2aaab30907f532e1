"""Puts workflows into an application: jobs, pages, navigation, what the home page shows of them."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

from trustportal import web
from trustportal.tenants.tasks import provide_tasks
from trustportal.workflows import home
from trustportal.workflows.views import blueprint, cases, defining, navigation, register, requests, ties

#: The modules whose routes the blueprints hold, once they are imported.
PAGES = (cases, requests, defining, register, ties)


def install(app: Flask) -> None:
    """Called once per application; what is global is registered once."""
    import_module("trustportal.workflows.jobs")
    for one in (blueprint.cases, blueprint.workflows, blueprint.register):
        app.register_blueprint(one)
    if navigation.links not in web.navigation:
        web.navigation.append(navigation.links)
    provide_tasks(home.my_tasks)
