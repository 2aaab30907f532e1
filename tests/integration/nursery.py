"""Processes of the portal that begin at once: forked from one that has loaded its code, and nothing else.

Loading the code takes two seconds of a processor, and the tests that kill processes or give commands start dozens. A
process from here is one like any other: in a session and an environment of its own, it makes its application itself.
It can be killed, and what it leaves behind is left behind.

    with Nursery() as nursery:
        process = nursery.start("worker", "mail", environment={…}, log=path)    # as python -m trustportal.worker mail
        done = nursery.command("backup", "night.backup", environment={…})      # as flask … portal backup night.backup
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """The process that the others are forked from; use it in a `with` statement. What was started lives on after it."""

    def __enter__(self) -> Nursery:
        self._mother = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.nursery"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._mother.communicate(timeout=30)

    def start(
        self,
        module: str,
        *arguments: str,
        environment: Mapping[str, str],
        log: Path,
        lease: int | None = None,
    ) -> psutil.Process:
        """Start a worker or a clock. `log`: where its words are added. `lease`: seconds, instead of the usual ones."""
        asked = {"do": [module, *arguments], "lease": lease, "out": str(log), "err": str(log)}
        return psutil.Process(self._ask({**asked, "environment": dict(environment)}))

    def command(self, *arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Give a command of the portal, and wait for its end."""
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            asked = {"do": ["command", *arguments], "out": str(out), "err": str(err), "wait": True}
            code = self._ask({**asked, "environment": dict(environment)})
            return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    def _ask(self, what: Mapping[str, Any]) -> int:
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.write(f"{json.dumps(what)}\n")
        self._mother.stdin.flush()
        return int(self._mother.stdout.readline())


def _serve() -> None:
    """The mother: forks for each line that it is told, and answers with the child's id, or with how it ended."""
    _load()
    ended: dict[int, int] = {}

    def reap(*_: object) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            ended[pid] = os.waitstatus_to_exitcode(status)

    signal.signal(signal.SIGCHLD, reap)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _become(asked)
        while asked.get("wait") and child not in ended:
            time.sleep(0.01)
        sys.stdout.write(f"{ended[child] if asked.get('wait') else child}\n")
        sys.stdout.flush()


def _load() -> None:
    """Everything that `create_app` would load."""
    features = import_module("trustportal.features")
    for feature in features.FEATURES:
        for room in ("models", "feature"):
            import_module(f"trustportal.{feature}.{room}")
    for module in ("app", "worker", "clock", "cli", "mail", "pages"):
        import_module(f"trustportal.{module}")
    gc.freeze()


def _become(asked: Mapping[str, Any]) -> None:
    """A child of the mother becomes what was asked for; it does not come back."""
    code: object = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os.environ.clear()
        os.environ.update(asked["environment"])
        for number, path in ((0, os.devnull), (1, asked["out"]), (2, asked["err"])):
            opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            os.dup2(opened, number)
            os.close(opened)
        if asked.get("lease") is not None:
            import_module("trustportal.jobs").LEASE_SECONDS = asked["lease"]
        kind, *arguments = asked["do"]
        if kind == "command":
            sys.argv = ["flask", "--app", "trustportal.app", "portal", *arguments]
            import_module("flask.cli").main()
        else:
            import_module(f"trustportal.{kind}").main(*arguments)
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        # What a process does at its end, as the servers' lease is given back: but nothing of the mother's.
        import_module("atexit")._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    _serve()
