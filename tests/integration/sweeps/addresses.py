"""Every address of the portal, with something real behind each name in it: the one place that knows how to fill them.

A route whose address names something new fails the sweeps until it is listed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from flask import Flask
from werkzeug.routing import Rule

from tests.integration.sweeps.estate import Furnished
from trustportal.web import Access

#: What stands for each name in an address, unless the endpoint needs something else (below).
NAMES: Mapping[str, Any] = {
    "trust": lambda at: at.world.slug,
    "school": lambda at: at.ashgrove.slug,
    "policy": lambda at: at.reconciling,
    "key": lambda at: "administrators",
    "label": lambda at: "1.1",
    "place": lambda at: at.ashgrove.slug,
    "number": lambda at: 1,
    "kind": lambda at: "csv",
    "record": lambda at: "data-protection-act-1998",
    "token": lambda at: "made-up",
    "digest": lambda at: at.digest,
    "session_id": lambda at: uuid4(),
    "workflow": lambda at: "site-approval",
    "action": lambda at: "sign",
    **{
        name: lambda at, name=name: at.ids[name]
        for name in (
            "absence_id",
            "archive_id",
            "ask_id",
            "assignment_id",
            "batch_id",
            "break_id",
            "campaign_id",
            "case_id",
            "comment_id",
            "document_id",
            "entry_id",
            "intake_id",
            "membership_id",
            "outside_id",
            "pack_id",
            "pair_id",
            "person_id",
            "question_id",
            "reading_id",
            "routing_id",
            "run_id",
            "signature_id",
            "stand_in_id",
            "task_id",
            "tie_id",
            "version_id",
        )
    },
}


#: What the draft's own pages work on, but for those below.
AT_BLUEPRINT: Mapping[str, Any] = {
    "drafts": lambda at: {"policy": at.drafting, "key": "kind"},
    "consulting": lambda at: {"policy": at.drafting},
    "lint": lambda at: {"policy": at.drafting},
}
#: Endpoints that work on something in a certain state.
AT_ENDPOINT: Mapping[str, Any] = {
    "archives.withdraw": lambda at: {"archive_id": at.ids["asked_archive_id"]},
    "archives.decide": lambda at: {"archive_id": at.ids["asked_archive_id"]},
    "cases.calendar": lambda at: {"document_id": at.ids["calendar_id"]},
    "acceptance.scan": lambda at: {"signature_id": at.ids["paper_id"]},
    "imports.drop_entry": lambda at: {"entry_id": at.ids["import_entry_id"]},
    "imports.put_back_entry": lambda at: {"entry_id": at.ids["import_entry_id"]},
    "drafts.start": lambda at: {"policy": at.reconciling},
    "drafts.publish": lambda at: {"policy": at.approved},
    "drafts.foresee": lambda at: {"policy": at.approved},
    "drafts.deadline": lambda at: {"policy": at.reconciling},
    "drafts.force": lambda at: {"policy": at.reconciling},
    "drafts.publication": lambda at: {"policy": at.reconciling},
    "drafts.withdraw": lambda at: {"policy": at.submitted},
    "approvals.ratify": lambda at: {"run_id": at.acted},
    "own_policies.go_on": lambda at: {"policy": at.own},
    **{
        f"own_policies.{name}": lambda at: {"reading_id": at.ids["head_reading_id"]}
        for name in ("brought", "correct", "save")
    },
    "policy_register.edition": lambda at: {"policy": at.drafting},
    "policy_register.edition_pdf": lambda at: {"policy": at.drafting},
    "policy_register.withdraw": lambda at: {"policy": at.reconciling},
    "policies.release": lambda at: {"policy": at.drafting},
    **{
        f"school_policies.{name}": lambda at: {"policy": at.joining}
        for name in (
            "joining",
            "decide_pair",
            "finish_joining",
            "give_up_joining",
            "take_prepared",
            "hand_over_joining",
        )
    },
    **{
        f"school_policies.{name}": lambda at: {"reading_id": at.ids["head_reading_id"]}
        for name in ("brought", "correct_brought", "compare_brought")
    },
    **{
        f"cases.{name}": lambda at: {"case_id": at.ids["concern_id"], "kind": "welfare"}
        for name in ("record", "add_subject", "hold")
    },
    "cases.take_up_again": lambda at: {"case_id": at.ids["closed_concern_id"]},
    "school_policies.add": lambda at: {"key": "trips"},
    "school_policies.remove": lambda at: {"policy": at.drafting, "key": at.added_key},
    "school_policies.withdraw": lambda at: {"policy": at.drafting},
}


@dataclass(frozen=True, slots=True)
class Address:
    """One method of one route."""

    rule: Rule
    method: str
    access: Access

    @property
    def endpoint(self) -> str:
        """The view's name."""
        return str(self.rule.endpoint)

    @property
    def of_a_trust(self) -> bool:
        """Whether it lies inside a trust, for its members."""
        return not (self.access.public or self.access.account_only)

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"

    def arguments(self, at: Furnished) -> dict[str, Any]:
        """What stands for each name in the address; KeyError for a name that nobody listed."""
        chosen = {name: NAMES[name](at) for name in self.rule.arguments}
        blueprint = self.endpoint.partition(".")[0]
        special = AT_ENDPOINT.get(self.endpoint) or AT_BLUEPRINT.get(blueprint) or (lambda _: {})
        for name, value in special(at).items():
            if name in chosen:
                chosen[name] = value
        return chosen

    def url(self, at: Furnished, **instead: Any) -> str:
        """The filled address."""
        _domain, path = self.rule.build({**self.arguments(at), **instead}, append_unknown=False)  # type: ignore[misc]
        return path


def addresses(app: Flask) -> Iterator[Address]:
    """Every method of every route, but for static files."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        if rule.endpoint == "static":
            continue
        access = app.view_functions[rule.endpoint].access  # type: ignore[attr-defined]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Address(rule, method, access)


def foreign(name: str, at: Furnished) -> Any:
    """The same thing in another trust; for what is only a name or a number, one that does not exist."""
    if name in at.ids:
        return at.ids[name]
    return {"number": 999, "label": "9.9"}.get(name, "no-such-thing")


def is_typed(rule: Rule, name: str) -> bool:
    """Whether an id in an address is refused by the router when it is malformed."""
    return f"<uuid:{name}>" in rule.rule or f"<int:{name}>" in rule.rule
