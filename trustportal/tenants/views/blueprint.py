"""The blueprint that the pages of trusts, schools, people and settings share."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("tenants", __name__)
