"""The header block of a policy, as it is printed on top of every version and edition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from trustportal.errors import RuleBroken

__all__ = ["PolicyHeader"]


def _day(stored: Any) -> date | None:
    return date.fromisoformat(stored) if stored else None


@dataclass(frozen=True, slots=True)
class PolicyHeader:
    """What a policy says about itself. `person_responsible` is a post, never a name. Review period in months."""

    title: str
    reference: str = ""
    organisation: str = ""
    audience: str = ""
    person_responsible: str = ""
    approving_body: str = ""
    review_months: int = 12
    approved_on: date | None = None
    effective_on: date | None = None
    next_review_on: date | None = None
    related: tuple[str, ...] = ()
    statutory: bool = False
    public: bool = True
    #: Whether what every policy about safeguarding has to say is asked of it. It is printed nowhere, so no content.
    safeguarding: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            **self.content(),
            **({"safeguarding": True} if self.safeguarding else {}),
            "approved_on": self.approved_on.isoformat() if self.approved_on else None,
            "effective_on": self.effective_on.isoformat() if self.effective_on else None,
            "next_review_on": self.next_review_on.isoformat() if self.next_review_on else None,
        }

    def content(self) -> dict[str, Any]:
        """What the content hash covers: all but the three dates, which follow from approval and publishing."""
        return {
            "title": self.title,
            "reference": self.reference,
            "organisation": self.organisation,
            "audience": self.audience,
            "person_responsible": self.person_responsible,
            "approving_body": self.approving_body,
            "review_months": self.review_months,
            "related": list(self.related),
            "statutory": self.statutory,
            "public": self.public,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(
            title=stored.get("title") or "",
            reference=stored.get("reference") or "",
            organisation=stored.get("organisation") or "",
            audience=stored.get("audience") or "",
            person_responsible=stored.get("person_responsible") or "",
            approving_body=stored.get("approving_body") or "",
            review_months=int(stored.get("review_months") or 12),
            approved_on=_day(stored.get("approved_on")),
            effective_on=_day(stored.get("effective_on")),
            next_review_on=_day(stored.get("next_review_on")),
            related=tuple(stored.get("related") or ()),
            statutory=bool(stored.get("statutory", False)),
            public=bool(stored.get("public", True)),
            safeguarding=bool(stored.get("safeguarding", False)),
        )

    def check(self) -> None:
        """Raise `RuleBroken` when the header cannot be submitted."""
        if not self.title.strip():
            raise RuleBroken("Give the policy a title.", "title")
        if not self.person_responsible.strip():
            raise RuleBroken(
                "Say which post is responsible for this policy, for example “Trust safeguarding lead”.",
                "person_responsible",
            )
        if not self.approving_body.strip():
            raise RuleBroken(
                "Say which body approves this policy, for example “Board of trustees”.", "approving_body"
            )
        if not 1 <= self.review_months <= 60:
            raise RuleBroken("The review period must be between 1 and 60 months.", "review_months")
