"""Decisions about trusts, schools, people and roles: which memberships hold on a day, what a post is called, what a
place's placeholders are worth, what makes a password acceptable. Facts in, answers or `RuleBroken` out. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from trustportal.access import GRANTS, ROLE_LABELS, SCHOOL_ROLES, TRUST_ROLES, Permission, Role
from trustportal.errors import RuleBroken

#: How long an invitation can be used, and a link to set a new password.
INVITATION_DAYS = 14
RESET_MINUTES = 60
#: Tries at one account in the window, whatever the address they come from.
MOST_FAILURES = 10
FAILURE_WINDOW = timedelta(minutes=5)
#: Mails that somebody who is not signed in can cause to one address in an hour.
MOST_MAILS = 3
MAIL_WINDOW = timedelta(hours=1)
#: How long the step between password and code may take.
HALF_WAY = timedelta(minutes=10)

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 256

_SIGNING = frozenset({Permission.ACCEPTANCE_SIGN, Permission.EDITION_READ, Permission.TEMPLATE_READ})
#: Roles that no grant lets do more than read and sign, and that may be asked to manage an allegation.
_TRUSTED = frozenset({Role.VICE_CHAIR_OF_GOVERNORS})
#: Roles that may do more than read and sign: they need a second factor.
SECOND_FACTOR_ROLES: frozenset[Role] = _TRUSTED | {role for role in Role if GRANTS[role] - _SIGNING}


# -- memberships -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """One membership as facts: a role at a school or (None) at the trust, from a day to a day, both included."""

    role: Role
    school_id: UUID | None
    from_on: date
    to_on: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the role is held on a day."""
        return self.from_on <= day and (self.to_on is None or self.to_on >= day)


def holding(held: Iterable[Held], on: date) -> tuple[Held, ...]:
    """Those that hold on a day, in the order given."""
    return tuple(one for one in held if one.holds_on(on))


def needs_second_factor(roles: Iterable[Role]) -> bool:
    """Whether somebody with these roles has to sign in with a second factor."""
    return any(role in SECOND_FACTOR_ROLES for role in roles)


def check_beginning(
    new: Held, existing: Iterable[Held], *, school_from: date | None = None, school_to: date | None = None
) -> None:
    """Raise `RuleBroken` where a membership cannot begin: wrong place, wrong dates, or held already."""
    if new.school_id is None and new.role not in TRUST_ROLES:
        raise RuleBroken(f"“{ROLE_LABELS[new.role]}” is a role at a school: choose the school.", "place")
    if new.school_id is not None and new.role not in SCHOOL_ROLES:
        raise RuleBroken(f"“{ROLE_LABELS[new.role]}” is a role at the trust, not at a school.", "role")
    if new.to_on is not None and new.to_on < new.from_on:
        raise RuleBroken("The last day must be on or after the first day.", "to_on")
    if school_to is not None and new.from_on >= school_to:
        raise RuleBroken(
            f"This school closes on {long_day(school_to)}: the role must begin before.", "from_on"
        )
    if school_from is not None and new.to_on is not None and new.to_on < school_from:
        raise RuleBroken(f"This school joins the trust on {long_day(school_from)}.", "to_on")
    for one in existing:
        if (one.role, one.school_id) == (new.role, new.school_id) and _overlap(one, new):
            raise RuleBroken("This person holds this role there already, on some of these days.", "from_on")


def _overlap(one: Held, other: Held) -> bool:
    return (one.to_on is None or one.to_on >= other.from_on) and (
        other.to_on is None or other.to_on >= one.from_on
    )


def check_ending(ending: Held, *, to_on: date, others: Iterable[Held], today: date) -> None:
    """Raise `RuleBroken` where a membership cannot end on a day. `others`: all others with that role there."""
    if ending.to_on is not None and ending.to_on < today and to_on >= today:
        raise RuleBroken(
            f"This role ended on {long_day(ending.to_on)}. Give a new one from the day on which it begins again.",
            "to_on",
        )
    if to_on < ending.from_on:
        raise RuleBroken(
            f"The last day cannot be before the first day, {long_day(ending.from_on)}.",
            "to_on",
        )
    if ending.role is Role.NETWORK_MANAGER and not any(
        one.holds_on(to_on + timedelta(days=1)) for one in others
    ):
        raise RuleBroken(
            "A trust cannot be without a network manager: give somebody else the role first.",
            "to_on",
        )


#: For so long somebody who has signed in, or typed the password again, may change how they sign in.
FRESH = timedelta(minutes=10)


def is_fresh(shown: Iterable[datetime], *, now: datetime) -> bool:
    """Whether somebody has shown lately that it is them; `shown`: when they signed in or typed their password."""
    return any(timedelta(0) <= now - at <= FRESH for at in shown)


def checked_address(typed: str, field: str) -> str:
    """An address of a public page, or "". Raises `RuleBroken` for anything that a browser would not just open."""
    address = typed.strip()
    if address and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[^\s\"'<>\\]*)?", address):
        raise RuleBroken("Enter a whole address, like https://www.ashgrove.example/policies.", field)
    return address


def has_left(held: Iterable[Held], on: date) -> bool:
    """Whether somebody holds no role any more and will hold none: they have left the trust."""
    return not any(one.to_on is None or one.to_on >= on for one in held)


def long_day(day: date) -> str:
    """A day as people write it: 1 September 2026."""
    return f"{day.day} {day:%B %Y}"


# -- words of the trust ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrustSettings:
    """What a trust has chosen beyond its name: the JSON of `trust.settings`, with what is not known here kept."""

    #: How this trust calls its posts: {"clerk": "Company secretary"}. A school's own label goes before it.
    role_labels: Mapping[str, str] = field(default_factory=dict)
    #: Who does a school's posts in the central team: {"headteacher": "Chief executive"}; for the trust's own editions.
    central_labels: Mapping[str, str] = field(default_factory=dict)
    #: Whom the demonstration offers on the sign-in page: [{"person": id, "words": what they do there}].
    shown: tuple[Mapping[str, str], ...] = ()
    rest: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> TrustSettings:
        """From what is stored; anything missing gets its default."""
        known = {"role_labels", "central_labels", "shown"}
        return cls(
            dict(stored.get("role_labels") or {}),
            dict(stored.get("central_labels") or {}),
            tuple(stored.get("shown") or ()),
            {key: value for key, value in stored.items() if key not in known},
        )

    def stored(self) -> dict[str, Any]:
        """To what is stored."""
        return {
            **self.rest,
            "role_labels": dict(self.role_labels),
            **({"central_labels": dict(self.central_labels)} if self.central_labels else {}),
            **({"shown": [dict(one) for one in self.shown]} if self.shown else {}),
        }

    def with_labels(self, labels: Mapping[str, str]) -> TrustSettings:
        """The same with other role labels."""
        return replace(self, role_labels=dict(labels))


#: Posts that a school may call otherwise; who looks after the network differs from school to school, too.
NAMED_BY_SCHOOLS: frozenset[Role] = SCHOOL_ROLES | {Role.NETWORK_MANAGER}


def role_label(role: Role, school_labels: Mapping[str, str], trust_labels: Mapping[str, str]) -> str:
    """What a post is called at a place: the school's word, else the trust's, else the portal's."""
    return school_labels.get(role) or trust_labels.get(role) or ROLE_LABELS[role]


def checked_labels(labels: Mapping[str, str], roles: frozenset[Role]) -> dict[str, str]:
    """Role labels fit to be stored; the portal's own word is not kept. Raises `RuleBroken` for an unusable one."""
    kept: dict[str, str] = {}
    for role in sorted(roles):
        label = " ".join(labels.get(role, "").split())
        if len(label) > 60:
            raise RuleBroken("A role's name can have up to 60 characters.", role)
        check_plain(label, role)
        if label and label != ROLE_LABELS[role]:
            kept[str(role)] = label
    return kept


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """A place as placeholders speak of it. The trust's own place has no school."""

    trust_name: str
    trust_labels: Mapping[str, str]
    school_name: str | None = None
    school_short_name: str | None = None
    school_labels: Mapping[str, str] = field(default_factory=dict)


#: Slots that have no row: they come from the names of trust and school.
BUILT_IN = ("school.name", "school.short_name", "trust.name")


def is_built_in(name: str) -> bool:
    """Whether a slot is filled from names and role labels, not by hand."""
    return name in BUILT_IN or (
        name.startswith("role.") and name.removeprefix("role.") in Role._value2member_map_
    )


def all_values(
    words: PlaceWords, *, of_trust: Mapping[str, str], of_school: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Every placeholder's value at a place. What the school filled in goes before what the trust filled in for all;
    names and role labels cannot be overridden. Empty values are left out, so that they count as missing.
    """
    filled = {**of_trust, **{name: value for name, value in (of_school or {}).items() if value.strip()}}
    built_in = {
        "trust.name": words.trust_name,
        "school.name": words.school_name or words.trust_name,
        "school.short_name": words.school_short_name or words.school_name or words.trust_name,
        **{f"role.{role}": role_label(role, words.school_labels, words.trust_labels) for role in Role},
    }
    return {name: value for name, value in {**filled, **built_in}.items() if value.strip()}


_MARKUP = re.compile(r"[*`<>|\\]|~~|\{\{|\[\[|\]\s*[(\[:]|(?<!\w)_|_(?!\w)")


def check_plain(words: str, field_name: str) -> None:
    """Raise `RuleBroken` for words that a policy would print as more than words: a link, a slot, a struck-out line.

    They stand in clauses that a school may not change, and nobody votes on them.
    """
    if _MARKUP.search(words):
        raise RuleBroken(
            "Use plain words here, without double brackets, links or signs like * < > | ` that would change"
            " how the policy prints.",
            field_name,
        )


_NAME = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")


def check_placeholder_name(name: str) -> None:
    """Raise `RuleBroken` unless a name can be a placeholder of the trust's own."""
    if not _NAME.fullmatch(name) or len(name) > 80:
        raise RuleBroken(
            "A placeholder’s name has small letters and underscores, parted by a dot: contact.lado.",
            "name",
        )
    if is_built_in(name) or name.startswith("role."):
        raise RuleBroken("This placeholder fills itself from names and role names.", "name")


# -- names, addresses, colours -----------------------------------------------------------------------------------


def slug_of(name: str) -> str:
    """A name as it stands in an address: "St Mary's C of E Primary" becomes "st-marys-c-of-e-primary"."""
    plain = re.sub(r"[’']", "", name.lower())
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "school"


def normal_email(address: str | None) -> str | None:
    """An e-mail address as it is compared and stored, or None. Raises `RuleBroken` for what cannot be one."""
    found = (address or "").strip().lower()
    if not found:
        return None
    if len(found) > 320 or not re.fullmatch(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\"]+", found):
        raise RuleBroken("Enter an e-mail address like name@school.example.", "email")
    return found


def contrast_with_white(colour: str) -> float:
    """The contrast ratio of a colour (#rrggbb) with white text, by WCAG: 1 to 21."""

    def channel(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (channel(int(colour[start : start + 2], 16)) for start in (1, 3, 5))
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def check_colour(colour: str) -> str:
    """The colour in small letters. Raises `RuleBroken` unless white text can be read on it (4.5 to 1)."""
    found = colour.strip().lower()
    if not re.fullmatch(r"#[0-9a-f]{6}", found):
        raise RuleBroken("Enter a colour as # and six digits or letters from a to f, like #1f4b7a.", "colour")
    ratio = contrast_with_white(found)
    if ratio < 4.5:
        raise RuleBroken(
            f"White text on this colour is hard to read "
            f"(contrast {ratio:.1f} to 1; it needs 4.5). Choose a darker one.",
            "colour",
        )
    return found


def wash_of(colour: str) -> str:
    """A very light tint of a colour (#rrggbb), to lay under text."""
    channels = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - value) * 0.08):02x}" for value in channels)


def browser_words(user_agent: str) -> str:
    """What a browser is, as its owner would say it: "Chrome on Windows"."""
    browsers = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
    systems = (
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "Chromebook"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    )
    browser = next((words for mark, words in browsers if mark in user_agent), "A browser")
    system = next((words for mark, words in systems if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


# -- passwords and invitations -----------------------------------------------------------------------------------


def check_password(password: str, *, common: frozenset[str], own: Iterable[str] = ()) -> None:
    """Raise `RuleBroken` for a password that is too short, very long, common, or the person's own name or address."""
    if len(password) < SHORTEST_PASSWORD:
        raise RuleBroken(
            f"Use at least {SHORTEST_PASSWORD} characters. Three words together are a good choice.",
            "password",
        )
    if len(password) > LONGEST_PASSWORD:
        raise RuleBroken(f"Use at most {LONGEST_PASSWORD} characters.", "password")
    plain = password.lower()
    if plain in common or len(set(plain)) < 3:
        raise RuleBroken(
            "Many people use this password, so it is easily guessed. Choose another.", "password"
        )
    if plain in {part for word in own for part in (word.lower(), word.lower().partition("@")[0]) if part}:
        raise RuleBroken("Choose a password that is not your name or your e-mail address.", "password")


def check_invitation(*, expires_at: datetime, used_at: datetime | None, now: datetime) -> None:
    """Raise `RuleBroken` for an invitation that was used or has expired."""
    if used_at is not None:
        raise RuleBroken("This invitation has been used. Sign in with the password that you chose.")
    if expires_at <= now:
        raise RuleBroken("This invitation has expired. Ask your trust to invite you again.")
