"""Paper: somebody signed with a pen, and somebody else records it, with the day and where the paper is kept."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from trustportal import blobs
from trustportal.acceptance.domain import paper
from trustportal.acceptance.domain.evidence import ON_PAPER
from trustportal.acceptance.models import Signature
from trustportal.acceptance.queries import outside
from trustportal.acceptance.queries.facts import Place
from trustportal.acceptance.queries.signing import EditionRow, ToSign, lock_to_sign
from trustportal.acceptance.scans import check_scan
from trustportal.acceptance.services.giving import Given, give
from trustportal.access import Actor, Permission
from trustportal.db import unit_of_work
from trustportal.errors import NotFound, RuleBroken
from trustportal.policies import queries as policies
from trustportal.policies import reading
from trustportal.tenants import queries as tenants
from trustportal.times import day_of


def record_paper(
    actor: Actor,
    *,
    person_id: UUID,
    school_id: Place,
    assignment_ids: Collection[UUID],
    signed_on: date,
    kept: str,
    scan: bytes | None = None,
    now: datetime,
    today: date,
) -> list[Signature]:
    """Record what somebody signed on paper at a place. Nobody records their own; the person is told.

    The edition is the one that was in force on that day; if a material one has come since, they have to sign that.
    """
    actor.require(Permission.ACCEPTANCE_OVERSEE, school_id)
    if actor.person_id is None or actor.person_id == person_id:
        raise RuleBroken("Somebody else records your own paper: you can sign here yourself.")
    kept = paper.check_note(signed_on=signed_on, kept=kept, today=today)
    if not assignment_ids:
        raise RuleBroken("Tick what was signed.", "assignments")
    with unit_of_work():
        witness = {
            "recorder": str(actor.person_id),
            "recorder_name": tenants.get_person(actor.person_id).name,
            "signed_on": signed_on.isoformat(),
            "kept": kept,
            "scan_sha256": blobs.put(scan, check_scan(scan)) if scan is not None else "",
        }
        held = tenants.get_actor(person_id, on=signed_on).roles_at(school_id)
        if not held:
            raise RuleBroken("This person held no role here on that day.", "signed_on")
        signatures = []
        for assignment_id in sorted(assignment_ids, key=str):
            asked = lock_to_sign(assignment_id, person_id, signed_on)
            if asked.row.school_id != school_id:
                raise NotFound()
            if asked.row.state == "signed":
                continue
            edition = _edition_signed(asked, signed_on=signed_on, today=today)
            statement = asked.worded(edition)
            signatures.append(
                give(
                    actor,
                    asked,
                    edition,
                    Given(
                        held=held,
                        statement=statement,
                        signed_at=now,
                        method=ON_PAPER,
                        authenticated_at=None,
                        witness=witness,
                    ),
                )
            )
    return signatures


def _edition_signed(asked: ToSign, *, signed_on: date, today: date) -> EditionRow:
    if asked.row.state == "closed":
        raise RuleBroken("This person is no longer asked to sign this.")
    if signed_on < day_of(asked.row.created_at):
        raise RuleBroken("They were asked later than that: a paper cannot be older.", "signed_on")
    edition = asked.edition
    if edition is None or (edition.pdf_hash is None and not edition.is_outside):
        raise RuleBroken("No edition was ready to be signed here on that day.", "signed_on")
    if asked.row.outside_id is not None:
        current = outside.find_current(asked.row.outside_id, today)
        if current is not None and outside.asks_again_since(outside.get_edition(edition.id), current):
            raise RuleBroken(
                f"There is a newer edition of {asked.policy_title} since that day: they have to confirm that one.",
                "signed_on",
            )
        return edition
    assert asked.row.policy_id is not None
    newest = policies.find_edition_in_force(asked.row.policy_id, asked.row.school_id, today, whole=False)
    if newest is not None and reading.is_material_since(policies.get_edition(edition.id), newest):
        raise RuleBroken(
            f"{asked.policy_title} has changed materially since that day: they have to sign the new edition.",
            "signed_on",
        )
    return edition
