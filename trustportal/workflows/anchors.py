"""Anchors of the cases' own chains: where each stood on a day, and what a time stamping authority said of them all.

Part of the models' room. The web sees those of a case as it sees the case, and no stamp; only jobs add one. What is
told of them goes to whoever runs the installation, never to the trust: their number alone would say that there are
cases.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from trustportal.db import TrustOwned, points_at


class CaseAnchor(TrustOwned):
    """Where a case's chain stood: its last link's position and hash."""

    __tablename__ = "case_anchor"
    __table_args__ = (
        ForeignKeyConstraint(["trust_id"], ["trust.id"]),
        points_at("workflow_case", "case_id"),
    )
    trust_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    anchored_on: Mapped[date] = mapped_column(primary_key=True)
    position: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]


class CaseStamp(TrustOwned):
    """The answer of a time stamping authority (RFC 3161) about all anchors up to a day, as it came. The authority sees
    one fingerprint, whatever is behind it.
    """

    __tablename__ = "case_stamp"
    __table_args__ = (ForeignKeyConstraint(["trust_id"], ["trust.id"]),)
    trust_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: The last day whose anchors are in it: that day is closed.
    anchored_on: Mapped[date] = mapped_column(primary_key=True)
    response: Mapped[bytes] = mapped_column(LargeBinary)
    #: What the authority's own clock said.
    stamped_at: Mapped[datetime]
    authority: Mapped[str] = mapped_column(String(300))
