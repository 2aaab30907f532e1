"""What a school has to have before it is live: features register what they ask for.

    from trustportal.tenants.starting import Requirement, provide_requirements

    def receives(school: School, today: date) -> Iterable[Requirement]: …     # in the scope of who starts it
    provide_requirements(receives)                                            # in the feature's install(app)

`services.start_school` refuses while one of them is not met, whatever page it was asked from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from trustportal.access import Role
from trustportal.tenants import queries
from trustportal.tenants.models import School


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that has to be there. `title`: "A headteacher"; `detail`: how it is put right, or what is there."""

    title: str
    met: bool
    detail: str
    #: Where it is put right: a page's endpoint, and what its address names besides the trust.
    endpoint: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    #: The words of the link.
    link: str = ""


Provider = Callable[[School, date], Iterable[Requirement]]

_providers: list[Provider] = []


def provide_requirements(provider: Provider) -> None:
    """Register who asks for something; registering again changes nothing."""
    if provider not in _providers:
        _providers.append(provider)


def requirements_of(school: School, today: date) -> list[Requirement]:
    """Everything that a school has to have, met or not, in the order of registration."""
    return [one for provider in _providers for one in provider(school, today)]


def of_tenants(school: School, today: date) -> Iterable[Requirement]:
    """Somebody leads it."""
    heads = queries.list_serving(on=today, school_id=school.id, roles=[Role.HEADTEACHER])
    yield Requirement(
        "A headteacher",
        bool(heads),
        f"{', '.join(one.name for one in heads)}."
        if heads
        else "Nobody leads the school in the portal yet. Give somebody the role, from today or earlier.",
        "tenants.add_person",
        {"place": school.slug},
        "Add a person here",
    )
