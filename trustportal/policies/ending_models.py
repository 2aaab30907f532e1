"""Where a policy ended at single places: a version of it went on without them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from trustportal.db import PlaceOwned, points_at


class PlaceEnding(PlaceOwned):
    """From a day on, no edition made of an earlier version than `number` is in force at a place. Only added.

    A version that takes the place in again has a higher number, and so have its editions.
    """

    __tablename__ = "place_ending"
    __rules__ = (
        points_at("policy", "policy_id"),
        points_at("school", "school_id"),
        points_at("template_version", "version_id"),
        UniqueConstraint(
            "trust_id",
            "policy_id",
            "school_id",
            "number",
            name="uq_place_ending",
            postgresql_nulls_not_distinct=True,
        ),
    )

    policy_id: Mapped[UUID]
    #: The version that applies there no more, and its number.
    version_id: Mapped[UUID]
    number: Mapped[int]
    ended_on: Mapped[date]
