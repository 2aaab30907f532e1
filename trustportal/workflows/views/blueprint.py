"""The blueprints of workflows: cases and requests; definitions; the register of accounts."""

from __future__ import annotations

from flask import Blueprint

cases = Blueprint("cases", __name__)
workflows = Blueprint("workflows", __name__)
register = Blueprint("register", __name__)
concerns = Blueprint("concerns", __name__)
