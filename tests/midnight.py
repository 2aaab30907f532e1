"""Tests ask for "today", as people do. One that begins just before midnight would mean another day when it ends."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from trustportal.times import LONDON, midnight


def wait_over_midnight(margin: timedelta) -> None:
    """Wait for tomorrow where less than `margin` of the English day is left."""
    at = datetime.now(LONDON)
    left = midnight(at.date() + timedelta(days=1)) - at
    if left < margin:
        time.sleep(left.total_seconds() + 0.1)
