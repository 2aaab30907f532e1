"""Reading the dictionary of law, guidance, bodies, platforms and suppliers: YAML in, checked records out."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trustportal import notation
from trustportal.policies.domain.lint.dictionary import Dictionary, Record, RecordKind, compiled, phrase
from trustportal.policies.domain.lint.model import Severity

__all__ = ["DictionaryFault", "load_dictionary", "read_dictionary"]


class DictionaryFault(ValueError):
    """A dictionary file that cannot be used. The message says where it is wrong."""


class _Facts(BaseModel):
    """A misspelt field is an error: a record that silently lacks its date would never be superseded."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class _Match(_Facts):
    """A pattern, and a literal in small letters that every match of it holds."""

    literal: str
    pattern: str

    @model_validator(mode="after")
    def _compiles(self) -> _Match:
        re.compile(self.pattern)
        return self


class _RecordFacts(_Facts):
    id: str
    kind: RecordKind
    name: str
    begins: date | None = Field(None, alias="from")
    until: date | None = None
    replaced_by: str = ""
    note: str = ""
    source: Literal[
        "statute",
        "statutory guidance",
        "government guidance",
        "regulator",
        "body’s own site",
        "sector knowledge",
        "house rule",
    ]
    phrases: tuple[str, ...] = ()
    patterns: tuple[_Match, ...] = ()
    severity: Severity | None = None
    fault: Literal["", "partial", "misnamed", "rolling", "advice"] = ""
    unless: str = ""

    def record(self) -> Record:
        if not (self.phrases or self.patterns):
            raise ValueError(f"{self.id}: no phrase and no pattern finds it")
        return Record(
            id=self.id,
            kind=self.kind,
            name=self.name,
            begins=self.begins,
            until=self.until,
            replaced_by=self.replaced_by,
            note=self.note,
            source=self.source,
            matches=(
                *(phrase(words) for words in self.phrases),
                *compiled((one.literal, one.pattern) for one in self.patterns),
            ),
            severity=self.severity,
            fault=self.fault,
            unless=re.compile(self.unless) if self.unless else None,
        )


class _YearFacts(_Facts):
    year: int
    begins: date | None = Field(None, alias="from")
    until: date | None = None
    replaced_by: str = ""
    note: str = ""
    severity: Severity | None = None
    fault: Literal["", "partial"] = ""
    unless: str = ""


class _ActFacts(_Facts):
    """An Act by its title and its years: each year is a record of its own."""

    title: str
    years: tuple[_YearFacts, ...]


class _File(_Facts):
    acts: tuple[_ActFacts, ...]
    records: tuple[_RecordFacts, ...]
    national_hosts: tuple[str, ...]


def _act_records(act: _ActFacts) -> list[Record]:
    slug = re.sub(r"[^a-z0-9]+", "-", act.title.lower()).strip("-")
    return [
        Record(
            id=f"{slug}-act-{one.year}",
            kind=RecordKind.ACT,
            name=f"{act.title} Act {one.year}",
            begins=one.begins,
            until=one.until,
            replaced_by=one.replaced_by,
            note=one.note,
            source="statute",
            title=act.title,
            year=one.year,
            severity=one.severity,
            fault=one.fault,
            unless=re.compile(one.unless) if one.unless else None,
        )
        for one in act.years
    ]


def read_dictionary(written: str) -> Dictionary:
    """A dictionary from YAML. Raises `DictionaryFault`."""
    try:
        raw: Any = notation.from_yaml(written)
        facts = _File.model_validate(raw)
        records = [
            *(one for act in facts.acts for one in _act_records(act)),
            *(one.record() for one in facts.records),
        ]
    except (notation.YAMLError, ValidationError, ValueError, re.error) as wrong:
        raise DictionaryFault(str(wrong)) from wrong
    ids = [record.id for record in records]
    for record in records:
        if ids.count(record.id) > 1:
            raise DictionaryFault(f"{record.id} is there twice")
        if record.begins and record.until and record.until <= record.begins:
            raise DictionaryFault(f"{record.id} ends before it begins")
    return Dictionary(tuple(records), frozenset(facts.national_hosts))


@lru_cache(1)
def load_dictionary() -> Dictionary:
    """The dictionary that is shipped, read and compiled once."""
    return read_dictionary(resources.files(__package__).joinpath("records.yaml").read_text(encoding="utf-8"))
