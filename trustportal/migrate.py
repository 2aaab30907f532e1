"""Bringing the database to the form that this version of the portal expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, text

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_OWNER = "trustportal_owner"
#: Two processes that migrate at once wait for each other under this number.
_LOCK = 7_205_318


def upgrade(migration_url: str, revision: str = "head") -> bool:
    """Run the migrations that are missing; True when there were any.

    `migration_url` names the migration role (`postgresql://…`), which acts as the owner of all tables. Raises
    RuntimeError when it cannot, and whatever a failing migration raises; a failed one leaves nothing behind.
    """
    engine = create_engine(sqlalchemy_url(migration_url), poolclass=NullPool)
    config = _config()
    try:
        # The lock has a connection of its own: migrations commit, each for itself.
        with engine.connect() as lock, engine.connect() as connection:
            lock.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _LOCK})
            acting_as = connection.execute(text("SELECT current_user")).scalar_one()
            if acting_as != _OWNER:
                connection.execute(text(f"SET ROLE {_OWNER}"))
            connection.commit()
            before = MigrationContext.configure(connection).get_current_heads()
            connection.rollback()
            if revision == "head" and set(before) == set(ScriptDirectory.from_config(config).get_heads()):
                return False
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
            return True
    finally:
        engine.dispose()


def knows(revision: str) -> bool:
    """Whether this version of the portal has a migration of that name, and so can go on from there."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def sqlalchemy_url(url: str) -> str:
    """The address as SQLAlchemy wants it, with the driver named."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _config() -> Config:
    config = Config()
    # Alembic reads `%` in its options as the start of a variable.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
