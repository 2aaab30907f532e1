"""Puts trusts, schools, people and sign-in into an application."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

from trustportal import page_context, web
from trustportal.tenants import home, starting
from trustportal.tenants.tasks import provide_tasks
from trustportal.tenants.views import account, demonstration, navigation, sign_in
from trustportal.tenants.views.blueprint import blueprint


def install(app: Flask) -> None:
    """Register pages, navigation and jobs. Called once per application; what is global is registered once."""
    for module in ("jobs", "views.people", "views.schools", "views.settings"):
        import_module(f"trustportal.tenants.{module}")
    for one in (blueprint, sign_in.blueprint, account.blueprint, demonstration.blueprint):
        app.register_blueprint(one)
    web.school_finder(navigation.find_school)
    starting.provide_requirements(starting.of_tenants)
    provide_tasks(home.my_tasks)
    page_context.add_navigation(navigation.links)
