"""The blueprint that the pages of acceptance share."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("acceptance", __name__)
