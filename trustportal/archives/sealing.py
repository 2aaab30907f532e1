"""The bytes of archives, sealed at rest with a key for each: a copy of the database holds none of them in clear."""

from __future__ import annotations

import os
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

_NONCE = 12


class ArchiveSeal:
    """The key of one archive, derived from the installation's secret."""

    def __init__(self, trust_id: UUID, archive_id: UUID) -> None:
        secret = str(current_app.config["PORTAL"].secret_key).encode()
        derived = HKDF(algorithm=SHA256(), length=32, salt=archive_id.bytes, info=b"archives").derive(secret)
        self._aead, self._place = AESGCM(derived), trust_id.bytes + archive_id.bytes

    def close(self, piece: bytes, number: int) -> bytes:
        """Seal one piece: it opens in its own place only."""
        nonce = os.urandom(_NONCE)
        return nonce + self._aead.encrypt(nonce, piece, self._place + number.to_bytes(8))

    def open(self, sealed: bytes, number: int) -> bytes:
        """What was sealed. Raises cryptography's InvalidTag where it was altered, or stands in another's place."""
        return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._place + number.to_bytes(8))
