"""What goes wrong with servers, in words for the person who started the portal."""

from __future__ import annotations


class ServersFailed(Exception):
    """A server could not be started or reached. The message says what to do."""
