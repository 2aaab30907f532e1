"""What the policies feature puts into the portal: its jobs, pages, tasks and navigation."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from flask import Flask

VIEWS = (
    "trust",
    "drafts",
    "importing",
    "linting",
    "guidance",
    "approvals",
    "routes",
    "register",
    "consulting",
    "own_policies",
    "school",
    "public",
    "divergence",
    "searching",
)


def install(app: Flask) -> None:
    """Register jobs, pages and tasks."""
    if find_spec("trustportal.policies.services.documents"):
        import_module("trustportal.policies.jobs")
    for name in VIEWS:
        if find_spec("trustportal.policies.views") and find_spec(f"trustportal.policies.views.{name}"):
            import_module(f"trustportal.policies.views.{name}").install(app)
