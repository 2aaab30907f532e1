"""The trust itself: founding it, its name, colour and logo, and how it calls its posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID, uuid4

from trustportal import audit, blobs
from trustportal.access import TRUST_ROLES, Actor, Permission, Role
from trustportal.audit import Action
from trustportal.db import current_scope, db, unit_of_work
from trustportal.errors import Forbidden, RuleBroken
from trustportal.jobs import Event
from trustportal.tenants import domain, queries
from trustportal.tenants.images import check_logo
from trustportal.tenants.models import Membership, Person, Trust


@dataclass(frozen=True, slots=True)
class Founded:
    """A new trust and its first person, the network manager."""

    trust: Trust
    manager_id: UUID


def create_trust(
    actor: Actor,
    *,
    name: str,
    slug: str,
    manager_name: str,
    manager_email: str,
    now: datetime,
    today: date,
    colour: str = "#1f4b7a",
) -> Founded:
    """Found a trust, with its first network manager. Only the portal itself may: no trust makes another.

    The id is chosen by whoever calls, because everything that is written needs the scope of its trust:

        trust_id = uuid4()
        with scope(Scope.job(trust_id)):
            founded = create_trust(Actor.portal(trust_id), name=…, …)
            manager = queries.get_actor(founded.manager_id, on=today)   # acts in what follows
    """
    scope = current_scope()
    if actor.person_id is not None or scope is None or scope.trust_id != actor.trust_id:
        raise Forbidden()
    if slug != domain.slug_of(slug):
        raise RuleBroken("The name in addresses has small letters, digits and hyphens.", "slug")
    email = domain.normal_email(manager_email)
    with unit_of_work():
        if queries.find_trust_id(slug) is not None:
            raise RuleBroken("Another trust has this name in addresses.", "slug")
        trust = Trust(
            id=actor.trust_id,
            slug=slug,
            name=_name(name),
            colour=domain.check_colour(colour),
            settings={},
            created_at=now,
        )
        db.session.add(trust)
        db.session.flush()
        manager = Person(id=uuid4(), name=manager_name.strip(), email=email, created_at=now)
        db.session.add(manager)
        db.session.flush()
        db.session.add(Membership(id=uuid4(), person_id=manager.id, role=Role.NETWORK_MANAGER, from_on=today))
        audit.record(actor, Action.TRUST_CREATED, now=now)
        audit.record(actor, Action.PERSON_CREATED, now=now, person_id=manager.id)
    return Founded(trust, manager.id)


def _name(name: str) -> str:
    found = " ".join(name.split())
    if not found or len(found) > 200:
        raise RuleBroken("Enter a name of up to 200 characters.", "name")
    domain.check_plain(found, "name")
    return found


def change_trust(actor: Actor, *, name: str, colour: str) -> Trust:
    """Change the trust's name and colour. A new name changes what `{{trust.name}}` prints everywhere."""
    actor.require(Permission.TRUST_SETTINGS)
    with unit_of_work() as uow:
        trust = queries.get_trust()
        new_name, new_colour = _name(name), domain.check_colour(colour)
        fields = [
            field
            for field, old, new in (("name", trust.name, new_name), ("colour", trust.colour, new_colour))
            if old != new
        ]
        if not fields:
            return trust
        trust.name, trust.colour = new_name, new_colour
        audit.record(actor, Action.TRUST_CHANGED, fields=fields)
        if "name" in fields:
            uow.announce(Event.PLACEHOLDER_CHANGED, school_id="")
    return trust


def rename_trust_roles(actor: Actor, *, labels: Mapping[str, str]) -> Trust:
    """Say how this trust calls its posts. Schools may call theirs otherwise."""
    actor.require(Permission.TRUST_SETTINGS)
    with unit_of_work() as uow:
        trust = queries.get_trust()
        settings = domain.TrustSettings.read(trust.settings)
        checked = domain.checked_labels(labels, TRUST_ROLES | frozenset(Role))
        if checked == dict(settings.role_labels):
            return trust
        trust.settings = settings.with_labels(checked).stored()
        audit.record(actor, Action.TRUST_CHANGED, fields=["role_labels"])
        uow.announce(Event.PLACEHOLDER_CHANGED, school_id="")
    return trust


def rename_central_roles(actor: Actor, *, labels: Mapping[str, str]) -> Trust:
    """Say who does a school's posts in the central team: the trust's own editions print that."""
    actor.require(Permission.TRUST_SETTINGS)
    with unit_of_work() as uow:
        trust = queries.get_trust()
        settings = domain.TrustSettings.read(trust.settings)
        checked = domain.checked_labels(labels, frozenset(Role))
        if checked == dict(settings.central_labels):
            return trust
        trust.settings = replace(settings, central_labels=checked).stored()
        audit.record(actor, Action.TRUST_CHANGED, fields=["central_labels"])
        uow.announce(Event.PLACEHOLDER_CHANGED, school_id="")
    return trust


def show_in_demonstration(actor: Actor, *, people: Sequence[tuple[UUID, str]]) -> None:
    """Say whom the sign-in page of the demonstration offers: ids of people, each with a few words on what they do."""
    actor.require(Permission.TRUST_SETTINGS)
    with unit_of_work():
        trust = queries.get_trust()
        settings = domain.TrustSettings.read(trust.settings)
        shown = tuple({"person": str(person_id), "words": words} for person_id, words in people)
        trust.settings = replace(settings, shown=shown).stored()
        audit.record(actor, Action.TRUST_CHANGED, fields=["shown"])


def set_logo(actor: Actor, *, content: bytes | None) -> Trust:
    """Put a logo (PNG or JPEG, checked by really reading it) in the header, or with None take it away."""
    actor.require(Permission.TRUST_SETTINGS)
    logo = check_logo(content) if content is not None else None
    with unit_of_work():
        trust = queries.get_trust()
        trust.logo_hash = blobs.put(logo.content, logo.media_type) if logo is not None else None
        audit.record(actor, Action.TRUST_CHANGED, fields=["logo"])
    return trust
