"""What fills "My tasks": features register who asks somebody to do something, and the quiet facts below.

    from trustportal.tenants.tasks import Fact, Task, provide_facts, provide_tasks

    def my_tasks(actor: Actor, today: date) -> Iterable[Task]: …     # runs in the scope of the person, few queries
    provide_tasks(my_tasks)                                          # in the feature's install(app)

A title begins with a verb ("Sign two policies for 2026–27"); what has nothing to do is no task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from trustportal.access import Actor
from trustportal.words import spelled


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that somebody is asked to do."""

    title: str
    url: str
    detail: str = ""
    due_on: date | None = None
    #: The words of the button.
    action_label: str = "Open"
    #: The school's short name, or "" for the trust: tasks are grouped by it when there are several places.
    place: str = ""
    #: 0 first: something that holds up other people; 1 usual; 2 can wait.
    urgency: int = 1
    #: A short word beside the title ("2 conflicts"), with the kind of tag that shows it.
    tag: str = ""
    tag_kind: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A number in a row: "41" "of 48 have signed"."""

    number: str
    words: str
    url: str = ""
    place: str = ""
    #: For a bar below the row: how much of 100 is done.
    percent: int | None = None


TaskProvider = Callable[[Actor, date], Iterable[Task]]
FactProvider = Callable[[Actor, date], Iterable[Fact]]

_tasks: list[TaskProvider] = []
_facts: list[FactProvider] = []


def provide_tasks(provider: TaskProvider) -> None:
    """Register who makes tasks; registering again changes nothing."""
    if provider not in _tasks:
        _tasks.append(provider)


def provide_facts(provider: FactProvider) -> None:
    """Register who tells facts; registering again changes nothing."""
    if provider not in _facts:
        _facts.append(provider)


def tasks_of(actor: Actor, today: date) -> list[Task]:
    """Everything that waits for somebody: what holds others up first, then by day."""
    found = [task for provider in _tasks for task in provider(actor, today)]
    return sorted(found, key=lambda task: (task.urgency, task.due_on or date.max, task.place, task.title))


def facts_of(actor: Actor, today: date) -> list[Fact]:
    """The facts that the features tell somebody, in the order of registration."""
    return [fact for provider in _facts for fact in provider(actor, today)]


def waiting_words(count: int) -> str:
    """The sentence at the top of the home page."""
    if count == 0:
        return "Nothing needs you today."
    return f"{spelled(count)} {'thing needs' if count == 1 else 'things need'} you. Nothing else is waiting."
