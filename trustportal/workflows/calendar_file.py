"""The calendar file of a meeting (iCalendar, RFC 5545): composed from a snapshot. Says only when and where.

One meeting keeps its identity: a file with a higher sequence replaces what an earlier one put into a calendar, and one
that cancels takes it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from trustportal.times import LONDON


def identity(case_id: UUID, meeting: str) -> str:
    """The UID of a meeting of a case: always the same, and opens nothing."""
    return f"{uuid5(case_id, meeting)}@meetings.trustportal"


def make(content: Mapping[str, Any]) -> bytes:
    """The file. `content`: uid, sequence, day (ISO), time (HH:MM, English clock), minutes, title, place, organisation,
    cancels, written_at (ISO instant).
    """
    from icalendar import Calendar, Event  # late: few processes ever write one

    starts = datetime.combine(
        date.fromisoformat(content["day"]), time.fromisoformat(content["time"]), tzinfo=LONDON
    ).astimezone(UTC)
    written = datetime.fromisoformat(content["written_at"]).astimezone(UTC).replace(microsecond=0)
    made = Calendar()
    made.add("prodid", "-//TrustPortal//Meetings//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "CANCEL" if content["cancels"] else "PUBLISH")
    event = Event()
    event.add("uid", content["uid"])
    event.add("sequence", content["sequence"])
    event.add("dtstamp", written)
    event.add("last-modified", written)
    event.add("dtstart", starts)
    event.add("dtend", starts + timedelta(minutes=int(content["minutes"])))
    event.add("summary", f"{content['title']}, {content['organisation']}")
    event.add("location", content["place"])
    event.add("status", "CANCELLED" if content["cancels"] else "CONFIRMED")
    event.add("class", "PRIVATE")
    made.add_component(event)
    return bytes(made.to_ical())
