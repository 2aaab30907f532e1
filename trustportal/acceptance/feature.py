"""Puts acceptance into an application: jobs, pages, navigation, and what the home page shows of it."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

from trustportal import page_context
from trustportal.acceptance import home
from trustportal.acceptance.queries import foreseeing
from trustportal.acceptance.views import (
    blueprint,
    campaigns,
    codes,
    documents,
    evidence,
    figures,
    kiosk,
    navigation,
    papers,
    people,
    questions,
    reading,
    signing,
)
from trustportal.policies.signers import provide_signers
from trustportal.tenants.tasks import provide_facts, provide_tasks

#: The modules whose routes the blueprint holds, once they are imported.
PAGES = (signing, questions, campaigns, documents, people, papers, codes, kiosk, evidence, figures, reading)


def install(app: Flask) -> None:
    """Called once per application; what is global is registered once."""
    import_module("trustportal.acceptance.jobs")
    app.register_blueprint(blueprint.blueprint)
    page_context.add_navigation(navigation.links)
    provide_tasks(home.my_tasks)
    provide_tasks(home.questions_for_me)
    provide_tasks(home.next_campaign)
    provide_facts(home.facts)
    provide_signers(foreseeing.would_ask, foreseeing.asked)
