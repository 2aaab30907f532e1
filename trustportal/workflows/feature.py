"""Puts workflows into an application: jobs, pages, navigation, what the home page shows of them."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

from trustportal import page_context
from trustportal.tenants.starting import provide_requirements
from trustportal.tenants.tasks import provide_tasks
from trustportal.workflows import home, starting
from trustportal.workflows.views import (
    blueprint,
    cases,
    concerns,
    defining,
    managing,
    navigation,
    recipients,
    register,
    requests,
    schools_own,
    ties,
    trying_out,
)

#: The modules whose routes the blueprints hold, once they are imported.
PAGES = (
    cases, requests, defining, trying_out, schools_own, register, concerns, managing, recipients, ties,
)  # fmt: skip


def install(app: Flask) -> None:
    """Called once per application; what is global is registered once."""
    import_module("trustportal.workflows.jobs")
    for one in (blueprint.cases, blueprint.workflows, blueprint.register, blueprint.concerns):
        app.register_blueprint(one)
    # Without a session there is nothing that a foreign page could misuse, and beginning one would leave a trace.
    for view in (concerns.report_openly, concerns.add_openly):
        app.extensions["csrf"].exempt(view)
    page_context.add_navigation(navigation.links)
    provide_tasks(home.my_tasks)
    provide_requirements(starting.receives_about_head)
