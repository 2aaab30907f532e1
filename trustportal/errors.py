"""The four ways in which a use case can say no. Pure: no framework is imported here.

Views never catch these: `trustportal.web` turns each into a page or a fragment, with what was typed kept.
"""

from __future__ import annotations

from typing import Any


class PortalError(Exception):
    """Base of everything that the portal refuses on purpose; `message` is written for the person who reads it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RuleBroken(PortalError):
    """A rule of the field says no. `field` names the form field at fault, where there is one. Shown as 422."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Forbidden(PortalError):
    """Known, but not allowed. Shown as 403 (as 404 for cases)."""

    def __init__(self, message: str = "You cannot do this with your role.") -> None:
        super().__init__(message)


class NotFound(PortalError):
    """Missing, or somebody else's: the two are never told apart. Shown as 404."""

    def __init__(self, message: str = "This page does not exist, or is not yours to see.") -> None:
        super().__init__(message)


class Conflict(PortalError):
    """Somebody else changed it meanwhile. `theirs` is what stands there now, `ours` what was typed. Shown as 409."""

    def __init__(self, message: str, *, theirs: Any = None, ours: Any = None) -> None:
        super().__init__(message)
        self.theirs = theirs
        self.ours = ours
