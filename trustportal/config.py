"""Settings, read once from the environment. Each is documented where it is declared."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


def _flag(value: str | None, default: bool) -> bool:
    return default if value is None or value == "" else value.strip().lower() in {"1", "true", "yes", "on"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between one installation and another."""

    #: DATABASE_URL: the web's role (`trustportal_app`). Without it the portal starts a PostgreSQL of its own.
    database_url: str
    #: WORKER_DATABASE_URL: the workers' role (`trustportal_worker`).
    worker_database_url: str
    #: MIGRATION_DATABASE_URL: the role that owns the tables' owner role; used by migrations only.
    migration_database_url: str
    #: REDIS_URL: the queue server; Valkey or Redis.
    redis_url: str
    #: PUBLIC_URL: the address people type, without a slash at the end. Printed in mail, PDFs and QR codes.
    public_url: str
    #: PORT: where the web listens.
    port: int
    #: SECRET_KEY: signs one-time links. Without it one is made and kept in `var/secret-key`.
    secret_key: str
    #: DEMO: demonstration mode: one-click sign-in and the mailbox page. Never on a machine with real people.
    demo: bool
    #: SMTP_URL: smtp://user:password@host:587 (STARTTLS) or smtps://. Without it mail stays in the mailbox table.
    smtp_url: str
    #: MAIL_FROM: the sender of every mail.
    mail_from: str
    #: MAIL_BATCH_SECONDS: how long notices to one person are gathered before one mail goes out.
    mail_batch_seconds: int
    #: SECURE_COOKIES: `__Host-` cookie over HTTPS. Off only for plain HTTP on one's own machine.
    secure_cookies: bool
    #: VAR: where the portal keeps its own files when it runs its own servers.
    var: Path
    #: PROXY_COUNT: how many reverse proxies stand in front (for the visitor's address).
    proxy_count: int
    #: TIMESTAMP_URL: an authority (RFC 3161) that stamps each day's anchors of the audit trails and of cases.
    timestamp_url: str = ""
    #: TIMESTAMP_ROOTS: a PEM file with that authority's root certificates, by which its stamps are checked.
    timestamp_roots: Path | None = None
    #: OPERATOR_EMAIL: who runs the installation; gets where the chains of cases stand, which no trust may see.
    operator_email: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; raises KeyError where none can be had."""
        env = os.environ if env is None else env
        var = Path(env.get("VAR", "var"))
        port = int(env.get("PORT", "8000"))
        public_url = env.get("PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/")
        url = env.get("DATABASE_URL", "")
        stamps, roots = env.get("TIMESTAMP_URL", ""), env.get("TIMESTAMP_ROOTS", "")
        if stamps and (not stamps.startswith(("http://", "https://")) or not roots):
            raise ValueError(
                "TIMESTAMP_URL is a web address, and TIMESTAMP_ROOTS its root certificates (PEM)"
            )
        return cls(
            database_url=_driver(url),
            worker_database_url=_driver(env.get("WORKER_DATABASE_URL", url)),
            migration_database_url=_driver(env.get("MIGRATION_DATABASE_URL", "")),
            redis_url=env.get("REDIS_URL", ""),
            public_url=public_url,
            port=port,
            secret_key=env.get("SECRET_KEY") or _kept_secret(var),
            demo=_flag(env.get("DEMO"), False),
            smtp_url=env.get("SMTP_URL", ""),
            mail_from=env.get("MAIL_FROM", "TrustPortal <no-reply@trustportal.example>"),
            mail_batch_seconds=int(env.get("MAIL_BATCH_SECONDS", "60")),
            secure_cookies=_flag(env.get("SECURE_COOKIES"), public_url.startswith("https://")),
            var=var,
            proxy_count=int(env.get("PROXY_COUNT", "0")),
            timestamp_url=stamps,
            timestamp_roots=Path(roots) if roots else None,
            operator_email=env.get("OPERATOR_EMAIL", ""),
        )


def _driver(url: str) -> str:
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


def _kept_secret(var: Path) -> str:
    """The key of an installation that was given none: made once, readable by its owner only."""
    path = var / "secret-key"
    if path.exists():
        return path.read_text().strip()
    var.mkdir(parents=True, exist_ok=True)
    made = secrets.token_urlsafe(48)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(made)
    return made
