"""What people write in a case, sealed at rest: AES-GCM with a key per trust, itself sealed with the installation's.

A sealed text is bound to the row that it stands in: copied into another case's row, it cannot be opened.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from trustportal.db import current_scope, db
from trustportal.times import now
from trustportal.workflows.models import TrustKey

_NONCE = 12


@lru_cache(4)
def _installation(secret: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"keys of trusts").derive(secret.encode())
    return AESGCM(derived)


def _master() -> AESGCM:
    return _installation(str(current_app.config["PORTAL"].secret_key))


def make_key() -> None:
    """Give the trust of the scope its key, if it has none yet; in the open unit of work."""
    scope = current_scope()
    assert scope is not None
    nonce = os.urandom(_NONCE)
    wrapped = nonce + _master().encrypt(nonce, AESGCM.generate_key(256), scope.trust_id.bytes)
    db.session.execute(
        insert(TrustKey)
        .values(id=uuid4(), trust_id=scope.trust_id, wrapped=wrapped, created_at=now())
        .on_conflict_do_nothing()
    )


class Seal:
    """The trust's key, opened for one request or job: `Seal.of_trust()`."""

    def __init__(self, key: bytes, trust_id: UUID) -> None:
        self._aead, self._trust = AESGCM(key), trust_id.bytes

    @classmethod
    def of_trust(cls) -> Seal:
        """The key of the trust in scope. Raises RuntimeError where it has none: it gets one with its first school."""
        scope = current_scope()
        row = db.session.scalars(select(TrustKey)).one_or_none()
        if scope is None or row is None:
            raise RuntimeError("this trust has no key yet")
        key = _master().decrypt(row.wrapped[:_NONCE], row.wrapped[_NONCE:], scope.trust_id.bytes)
        return cls(key, scope.trust_id)

    def close(self, value: Any, row: UUID) -> bytes:
        """Seal anything that JSON can hold, for one row."""
        return self.close_bytes(json.dumps(value, ensure_ascii=False).encode(), row)

    def open(self, sealed: bytes, row: UUID) -> Any:
        """What was sealed for a row. Raises cryptography's InvalidTag where it was altered or is another row's."""
        return json.loads(self.open_bytes(sealed, row))

    def close_bytes(self, value: bytes, row: UUID) -> bytes:
        """Seal a file for one row."""
        nonce = os.urandom(_NONCE)
        return nonce + self._aead.encrypt(nonce, value, self._trust + row.bytes)

    def open_bytes(self, sealed: bytes, row: UUID) -> bytes:
        """A file that was sealed for a row."""
        return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._trust + row.bytes)
