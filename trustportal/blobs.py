"""Stored files, by the SHA-256 of their bytes, in PostgreSQL: they are backed up with what refers to them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import undefer

from trustportal.db import current_scope, db
from trustportal.errors import NotFound
from trustportal.kernel_models import Blob


def put(content: bytes, media_type: str) -> str:
    """Store bytes in the trust of the scope and return their hash. The same bytes are stored once."""
    scope = current_scope()
    if scope is None:
        raise RuntimeError("no scope: a file is stored for one trust")
    digest = hashlib.sha256(content).hexdigest()
    db.session.execute(
        insert(Blob)
        .values(
            trust_id=scope.trust_id,
            hash=digest,
            media_type=media_type,
            size=len(content),
            content=content,
            created_at=datetime.now(UTC),
        )
        .on_conflict_do_nothing()
    )
    return digest


def get(digest: str) -> Blob:
    """A stored file with its bytes. Raises `NotFound`; raises RuntimeError when the bytes are not what was stored."""
    blob = db.session.scalars(
        select(Blob).where(Blob.hash == digest).options(undefer(Blob.content))
    ).one_or_none()
    if blob is None:
        raise NotFound()
    if hashlib.sha256(blob.content).hexdigest() != digest:
        raise RuntimeError(f"stored file {digest[:12]} was altered")
    return blob
