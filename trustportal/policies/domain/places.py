"""Where a policy applies, as a version says it: all schools or some, and whether the trust itself is a place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from trustportal.errors import RuleBroken

__all__ = ["Where"]


@dataclass(frozen=True, slots=True)
class Where:
    """`schools`: ids of schools, or None for all of them, later ones too. `trust`: the central team as well."""

    schools: frozenset[str] | None = None
    trust: bool = False

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        schools = stored.get("schools")
        return cls(None if schools is None else frozenset(schools), bool(stored.get("trust")))

    def to_json(self) -> dict[str, Any]:
        return {"schools": None if self.schools is None else sorted(self.schools), "trust": self.trust}

    def takes_in(self, school_id: object | None) -> bool:
        """Whether it applies at a school, or (None) for the trust itself."""
        if school_id is None:
            return self.trust
        return self.schools is None or str(school_id) in self.schools

    def check(self, known: Iterable[str]) -> None:
        """Raise `RuleBroken` for a policy that would apply nowhere, or at a school that the trust does not have."""
        if self.schools is None:
            return
        if not self.schools and not self.trust:
            raise RuleBroken("Choose at least one school, or the trust’s central team.", "schools")
        if self.schools - set(known):
            raise RuleBroken("Choose from the trust’s schools.", "schools")
