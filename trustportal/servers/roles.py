"""The roles of the database and what each may do, as SQL. Pure: the same text serves our own server and others.

- `trustportal_owner` owns the database, its schema and tables, and cannot log in.
- `trustportal_migrator` logs in for migrations and acts as the owner from the moment it connects.
- `trustportal_app` (web) and `trustportal_worker` own nothing and cannot bypass row-level security.
- `trustportal_definer` owns the security-definer functions; it may bypass, and cannot log in.
- `trustportal_backup` logs in for backups: reads everything, past row-level security.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

DATABASE = "trustportal"
OWNER = "trustportal_owner"
MIGRATOR = "trustportal_migrator"
WEB = "trustportal_app"
WORKER = "trustportal_worker"
DEFINER = "trustportal_definer"
BACKUP = "trustportal_backup"

#: Roles that log in, each with a password of its own.
LOGIN_ROLES = (MIGRATOR, WEB, WORKER, BACKUP)

_POWERS = {
    OWNER: "NOLOGIN NOBYPASSRLS",
    DEFINER: "NOLOGIN BYPASSRLS",
    MIGRATOR: "LOGIN NOBYPASSRLS",
    WEB: "LOGIN NOBYPASSRLS",
    WORKER: "LOGIN NOBYPASSRLS",
    BACKUP: "LOGIN BYPASSRLS",
}


@dataclass(frozen=True, slots=True, repr=False)  # passwords stay out of tracebacks
class DatabaseUrls:
    """One database, seen by each role, as `postgresql://` addresses. `backup` is empty where none was given."""

    web: str
    worker: str
    migration: str
    backup: str = ""

    def environment(self) -> dict[str, str]:
        """The variables that name this database to another process."""
        named = {
            "DATABASE_URL": self.web,
            "WORKER_DATABASE_URL": self.worker,
            "MIGRATION_DATABASE_URL": self.migration,
            "BACKUP_DATABASE_URL": self.backup,
        }
        return {name: value for name, value in named.items() if value}


def socket_url(role: str, password: str, database: str, folder: str) -> str:
    """The address of a database behind a socket in `folder`."""
    return f"postgresql://{role}:{quote(password, safe='')}@/{database}?host={quote(folder, safe='/')}"


def role_statements(passwords: Mapping[str, str]) -> list[str]:
    """Statements that make the roles, or bring existing ones to what they should be. `passwords`: role to password."""
    lines = []
    for role, powers in _POWERS.items():
        lines.append(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
            f" THEN CREATE ROLE {role}; END IF; END $$"
        )
        password = f" PASSWORD {_literal(passwords[role])}" if role in LOGIN_ROLES else ""
        lines.append(
            f"ALTER ROLE {role} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION INHERIT {powers}{password}"
        )
    lines += [
        # The owner hands security-definer functions to their owner, so it must be able to become that role.
        f"GRANT {DEFINER} TO {OWNER}",
        f"GRANT {OWNER} TO {MIGRATOR}",
        f"ALTER ROLE {MIGRATOR} SET role = '{OWNER}'",
        f"GRANT pg_read_all_data TO {BACKUP}",
    ]
    return lines


def access_statements(database: str) -> list[str]:
    """Who may enter one database. `CREATE DATABASE … TEMPLATE` does not copy this."""
    roles = ", ".join(LOGIN_ROLES)
    return [
        f"ALTER DATABASE {database} OWNER TO {OWNER}",
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {database} TO {roles}",
    ]


def schema_statements() -> list[str]:
    """What each role may do inside one database; to be run in it. A copy made from a template has it already."""
    return [
        f"ALTER SCHEMA public OWNER TO {OWNER}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {WEB}, {WORKER}, {BACKUP}",
        f"GRANT USAGE, CREATE ON SCHEMA public TO {DEFINER}",
        # A new function is for nobody until a migration says for whom.
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER}, {DEFINER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    ]


def database_roles_sql(passwords: Mapping[str, str], *, database: str = DATABASE) -> str:
    """A script for `psql` that makes roles and database on a server of one's own; run as its superuser.

    `passwords` maps each of `LOGIN_ROLES` to its password. Running it again changes nothing but the passwords.
    """
    parts = [
        *(f"{line};" for line in role_statements(passwords)),
        (
            f"SELECT 'CREATE DATABASE {database} OWNER {OWNER} ENCODING ''UTF8'' TEMPLATE template0'"
            f" WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec"
        ),
        *(f"{line};" for line in access_statements(database)),
        f"\\connect {database}",
        *(f"{line};" for line in schema_statements()),
    ]
    return "\n".join(parts) + "\n"


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
