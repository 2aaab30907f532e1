"""Words that must not lie in clear and tokens that must not be forged, under the installation's secret key; passwords.

Sealed: the secret of a second factor. Signed: the link to set a new password. Hashed: passwords (Argon2id at the
library's default) and recovery codes (random enough for a plain hash).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer
from passlib.exc import TokenError
from passlib.totp import TOTP

_hasher = PasswordHasher()


def _nobodys_hash() -> str:
    """A hash of no password, with the library's parameters. Its digest is made up: to compute one would take every
    process of the portal, most of which sign nobody in, as long as a password does.
    """
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (_hasher.salt_len, _hasher.hash_len)
    )
    costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${digest}"


#: What an unknown account's password is compared with, so that it takes as long as a known one's.
_NOBODY = _nobodys_hash()
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def hash_password(password: str) -> str:
    """Argon2id."""
    return _hasher.hash(password)


def password_matches(stored: str | None, password: str) -> bool:
    """Compare; for an account that does not exist or has no password it takes as long, and is False."""
    try:
        matches = _hasher.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return matches and stored is not None


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """Passwords that many people use, in small letters."""
    lines = (Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _secret_key() -> str:
    return str(current_app.config["PORTAL"].secret_key)


def _fernet() -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"second factor").derive(
        _secret_key().encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(words: str) -> str:
    """Encrypt."""
    return _fernet().encrypt(words.encode()).decode()


def unseal(sealed: str) -> str:
    """Decrypt what `seal` made with the same secret key; raises cryptography's InvalidToken otherwise."""
    return _fernet().decrypt(sealed.encode()).decode()


def sign(value: Any, *, purpose: str) -> str:
    """A token for an address that carries a value and when it was made."""
    return str(URLSafeTimedSerializer(_secret_key(), salt=purpose).dumps(value))


def signed(token: str, *, purpose: str, seconds: int) -> Any | None:
    """The value of a token that was made for this purpose and is not too old; None for any other."""
    try:
        return URLSafeTimedSerializer(_secret_key(), salt=purpose).loads(token, max_age=seconds)
    except BadData:
        return None


def new_totp_secret() -> str:
    """A secret for an authenticator, in base 32."""
    return str(TOTP.new().base32_key)


def totp_address(secret: str, *, account: str) -> str:
    """The `otpauth://` address that a QR code carries."""
    return str(TOTP(key=secret).to_uri(label=account, issuer="TrustPortal"))


def totp_counter(secret: str, code: str, *, at: int, after: int | None) -> int | None:
    """The counter of a code that is right at an instant (30 seconds either way), or None. `after`: the last used."""
    try:
        return int(TOTP(key=secret).match(code, time=at, window=30, last_counter=after).counter)
    except (TokenError, ValueError):
        return None


def new_recovery_codes(count: int = 8) -> list[str]:
    """Codes for the day on which the telephone is lost: shown once."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3)) for _ in range(count)
    ]


def recovery_hash(code: str) -> str:
    """What is kept of a recovery code; spaces, hyphens and capitals make no difference."""
    plain = "".join(character for character in code.lower() if character.isalnum())
    return hashlib.sha256(f"recovery:{plain}".encode()).hexdigest()
