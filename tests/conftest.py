"""Fixtures for every kind of test: the servers. Unit tests use none of them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from trustportal.servers import Servers, ensure_servers

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_finish() -> None:
    """What was loaded stays until the end: the garbage collector walks through the rest, and not at every turn."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """A real PostgreSQL and a real Valkey, started once and shared by every test process."""
    with ensure_servers(ROOT / "var" / "test", env={}, durable=False, in_memory=True) as running:
        yield running
