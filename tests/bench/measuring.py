"""How the bench measures: pairs taken in turn, medians, and goals that are met or missed."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement beside its goal. `kind`: the goal is the most or the least that it may be; None: no goal."""

    work: str
    value: float
    unit: str
    goal: float | None = None
    kind: Literal["most", "least", "equal"] = "most"
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None:
            return None
        if self.kind == "equal":
            return self.value == self.goal
        return self.value <= self.goal if self.kind == "most" else self.value >= self.goal

    def cells(self) -> tuple[str, str, str, str, str]:
        """The line as the table prints it."""
        said = {"most": "at most", "least": "at least", "equal": "exactly"}[self.kind]
        goal = "" if self.goal is None else f"{said} {self.goal:g}"
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        return self.work, f"{self.value:.3g} {self.unit}", goal, verdict, self.detail


@dataclass
class Report:
    """What one run has measured."""

    lines: list[Line] = field(default_factory=list)

    def add(self, line: Line) -> None:
        """Put a measurement on the table."""
        self.lines.append(line)

    def table(self) -> list[str]:
        """The table, as lines of text."""
        rows = [("work", "measured", "goal", "", "")] + [line.cells() for line in self.lines]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        return [
            "  ".join(
                [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]
            ).rstrip()
            for row in rows
        ]

    def write(self, path: Path) -> None:
        """The same as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [{**asdict(line), "met": line.met} for line in self.lines]
        path.write_text(json.dumps({"cores": os.cpu_count(), "lines": rows}, indent=2) + "\n", "utf-8")


def in_turn(
    works: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int = 3
) -> dict[str, list[float]]:
    """Do each work once a round, the order turning; seconds by name. What disturbs the machine disturbs all alike."""
    names = list(works)
    for _ in range(warm_up):
        for work in works.values():
            work()
    taken: dict[str, list[float]] = {name: [] for name in names}
    for one in range(rounds):
        for name in names[one % len(names) :] + names[: one % len(names)]:
            began = time.perf_counter()
            works[name]()
            taken[name].append(time.perf_counter() - began)
    return taken


def ratio(ours: list[float], floor: list[float]) -> float:
    """The median of the pairs' ratios."""
    return statistics.median(a / b for a, b in zip(ours, floor, strict=True))


def milliseconds(taken: list[float]) -> float:
    """The median, in milliseconds."""
    return statistics.median(taken) * 1000


# -- over HTTP ---------------------------------------------------------------------------------------------------


class Reader:
    """A client with one kept connection, which asks for one page again and again."""

    def __init__(self, port: int, path: str, cookie: str = "") -> None:
        self.path, self.headers = path, {"Cookie": cookie} if cookie else {}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.body = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def read(self) -> None:
        """Get the page; raises RuntimeError when it is not the page."""
        try:
            self.connection.request("GET", self.path, headers=self.headers)
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # The server lets go of a connection that was quiet for long: dial again.
            self.connection.close()
            self.connection.request("GET", self.path, headers=self.headers)
            answer = self.connection.getresponse()
        self.body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{self.path}: {answer.status}")


def server_arguments() -> list[str]:
    """How the Procfile starts the web, without the application and its address: the floor runs the same way."""
    line = next(
        one for one in (ROOT / "Procfile").read_text().splitlines() if one.startswith("web:")
    ).partition(":")[2]
    words = shlex.split(line)[3:-1]
    bind = words.index("--bind")
    return words[:bind] + words[bind + 2 :]


@contextmanager
def served(application: str, environment: Mapping[str, str]) -> Iterator[int]:
    """An application under gunicorn, started as the Procfile says; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", *server_arguments()),
            *("--bind", f"127.0.0.1:{port}", "--log-level", "warning", application),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        cwd=ROOT,
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[Any]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the server did not start")
