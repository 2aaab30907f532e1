"""What somebody typed about findings of lint, in whichever form they stand."""

from __future__ import annotations

from flask import request


def typed_answers() -> dict[str, str]:
    """Mark of a finding -> reason: ticked warnings ("" for a reason), and reasons for errors that can be waived."""
    answers = dict.fromkeys(request.form.getlist("stays"), "")
    for name, value in request.form.items():
        if name.startswith("waive-") and value.strip():
            answers[name.removeprefix("waive-")] = value
    return answers
