"""Flask with its addresses kept: a page builds a dozen, always the same ones, and they cost more than its template.
What builds them is made when it is first wanted: for all routes that takes longer than all the rest of an application.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any
from uuid import UUID

from flask import Flask, has_request_context, request
from werkzeug.routing import Rule

_MOST = 10_000
#: Arguments that are the same in an address wherever they are equal. (A number would do, but equals True and 1.0.)
_PLAIN = frozenset({str, UUID, type(None)})


class Route(Rule):
    """As Werkzeug's. The two functions that build an address are compiled when the first one is built, not before."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: Callable[..., tuple[str, str]] | None = None

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            nonlocal compiled
            if compiled is None:
                compiled = super(Route, self)._compile_builder(append_unknown)
            return compiled(rule, **values)

        return build


class Portal(Flask):
    """As Flask. The path for an endpoint with given arguments is built once per process, below each mounting point."""

    url_rule_class = Route

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept_addresses: OrderedDict[tuple[Any, ...], str] = OrderedDict()
        self._keeping_addresses = Lock()

    def url_for(
        self,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: Any,
    ) -> str:
        """As Flask's. What depends on more than the endpoint and plain arguments is never kept."""
        special = _anchor is not None or _method is not None or _scheme is not None or _external is not None
        if (
            special
            or endpoint.startswith(".")
            or not _PLAIN.issuperset(map(type, values.values()))
            or not has_request_context()
        ):
            return super().url_for(
                endpoint, _anchor=_anchor, _method=_method, _scheme=_scheme, _external=_external, **values
            )
        key = (request.script_root, endpoint, *values.items())
        found = self._kept_addresses.get(key)
        if found is None:
            found = super().url_for(endpoint, **values)
            with self._keeping_addresses:
                self._kept_addresses[key] = found
                while len(self._kept_addresses) > _MOST:
                    self._kept_addresses.popitem(last=False)
        return found
