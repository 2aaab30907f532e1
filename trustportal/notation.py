"""YAML, read and written with libyaml where the installed PyYAML has it: seven times as fast, and every process of the
portal reads the definitions and records that it comes with.
"""

from __future__ import annotations

from typing import Any

import yaml

__all__ = ["YAMLError", "from_yaml", "to_yaml"]

YAMLError = yaml.YAMLError
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def from_yaml(text: str) -> Any:
    """What a text says: lists, mappings, words, numbers. Raises `YAMLError`."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - either loader is a safe one


def to_yaml(content: Any) -> str:
    """The text of it, in the order in which it stands, in lines of up to 110 characters."""
    return yaml.dump(content, Dumper=_DUMPER, allow_unicode=True, sort_keys=False, width=110)
