"""What a process of the portal loads when it starts: a person waits for it, and the tests start many."""

from __future__ import annotations

import json
import subprocess
import sys

#: Libraries of few use cases, each loaded by the first who wants it.
LATE = {
    "alembic",
    "charset_normalizer",
    "docx",
    "holidays",
    "icalendar",
    "numpy",
    "openpyxl",
    "pdfminer",
    "pdfplumber",
    "rfc3161_client",
    "weasyprint",
}
_START = """
import json, sys
from trustportal.app import create_app
create_app()
import trustportal.worker, trustportal.clock
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_a_process_starts_without_what_few_use_cases_want() -> None:
    started = subprocess.run(
        [sys.executable, "-c", _START],
        env={"SECRET_KEY": "x" * 40, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(started.stdout))
    assert {"sqlalchemy", "trustportal"} <= loaded
    assert not loaded & LATE
