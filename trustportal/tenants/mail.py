"""The letters of this feature: composed from plain facts, sent by `trustportal.mail`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject and its lines, as `trustportal.mail.queue_mail` takes them."""

    subject: str
    lines: tuple[dict[str, str], ...]


def _words(text: str) -> dict[str, str]:
    return {"text": text, "path": "", "link": ""}


def invitation(*, trust_name: str, inviter: str, token: str, days: int) -> Letter:
    """To somebody who has no account yet."""
    return Letter(
        f"Your account for {trust_name}",
        (
            _words(
                f"{inviter or trust_name} invites you to TrustPortal, where {trust_name} keeps its policies."
            ),
            {
                "text": "Choose a password to begin.",
                "path": f"/invitation/{token}",
                "link": "Choose your password",
            },
            _words(f"The link can be used once, within {days} days. If you did not expect it, do nothing."),
        ),
    )


def reset(*, token: str, minutes: int) -> Letter:
    """To somebody who asked for a new password."""
    return Letter(
        "Set a new password for TrustPortal",
        (
            {
                "text": "Somebody, we think you, asked to set a new password for this address.",
                "path": f"/reset-password/{token}",
                "link": "Set a new password",
            },
            _words(f"The link can be used once, within {minutes} minutes. If it was not you, do nothing."),
        ),
    )


def password_changed() -> Letter:
    """To the owner of an account, so that a change that was not theirs is noticed."""
    return Letter(
        "Your password for TrustPortal was changed",
        (
            _words("Your password was changed just now, and every other browser was signed out."),
            {
                "text": "If it was not you, set a new one at once.",
                "path": "/reset-password",
                "link": "Set a new password",
            },
        ),
    )
