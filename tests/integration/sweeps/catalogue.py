"""What must hold in PostgreSQL's catalogue of a migrated database, as checks that return faults in words.

The migrations say which tables are protected how (`PROTECTED`), which are global and which functions may pass by
row-level security. Here everything in the database is compared with that, so that neither a forgotten table nor a
policy weakened by hand stays unseen. A connection of a superuser is needed; nothing is left changed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg

from trustportal.db import METADATA
from trustportal.features import FEATURES
from trustportal.protection import (
    BACKUP,
    DEFINER,
    GRANTED,
    OWNER,
    WEB,
    WORKER,
    Protected,
    Writes,
    statements,
)

VERSIONS = Path(__file__).resolve().parents[3] / "migrations" / "versions"
#: Tables that the tools keep, and nobody of the application touches.
TOOLS = {"alembic_version"}
SEARCH_PATH = "search_path=public, pg_temp"
#: Triggers that keep rows as they are, besides those that `protection.statements` makes: table, function.
FREEZING = {
    ("edition", "freeze_edition"),
    ("template_version", "freeze_version"),
    ("approval_run", "freeze_run"),
    ("workflow_version", "freeze_workflow_version"),
    ("case_signature", "freeze_case_signature"),
    ("case_document", "freeze_case_document"),
    ("allegation_routing", "freeze_allegation_routing"),
    ("archive", "guard_archive"),
    ("archive_consent", "guard_archive_consent"),
}
#: Unique keys of tenant tables that say nothing of another trust's rows although they do not name the trust.
BLIND_UNIQUE = {"uq_trust_slug", "uq_invitation_token", "uq_signing_code_hash"}

for _feature in ("kernel_models", *(f"{name}.models" for name in FEATURES)):
    import_module(f"trustportal.{_feature}")

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Declared:
    """What all migrations together declare."""

    protected: Mapping[str, Protected]
    rights_of_global: Mapping[str, str]
    functions: Mapping[str, str]
    #: Tables of which the functions' owner may remove rows: of a case that is disposed of, and what is only counted.
    disposed: frozenset[str]


@cache
def declared() -> Declared:
    """Read the declarations of all migrations, in order; a later one replaces an earlier one's line."""
    protected: dict[str, Protected] = {}
    rights: dict[str, str] = {}
    functions: dict[str, str] = {}
    disposed: set[str] = set()
    for path in sorted(VERSIONS.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"migration_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        protected |= {rule.table: rule for rule in getattr(module, "PROTECTED", ())}
        rights |= getattr(module, "GLOBAL", {})
        for gone in getattr(module, "DROPPED", ()):
            del functions[gone]
        functions |= getattr(module, "FUNCTIONS", {})
        disposed |= set(getattr(module, "DISPOSED", ()))
    return Declared(protected, rights, functions, frozenset(disposed))


def all_faults(connection: Connection) -> list[str]:
    """Every fault of every check."""
    return [
        *undeclared_tables(connection),
        *weak_tables(connection),
        *policies(connection),
        *foreign_keys(connection),
        *unique_keys(connection),
        *views(connection),
        *powers(connection),
        *rights(connection),
        *functions(connection),
        *triggers(connection),
    ]


def undeclared_tables(connection: Connection) -> list[str]:
    """Tables of the models, of the migrations and of the database must be the same."""
    known = set(declared().protected) | set(declared().rights_of_global)
    there = _column(
        connection,
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'f') AND relnamespace = 'public'::regnamespace",
    )
    elsewhere = _column(
        connection,
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE relkind IN ('r', 'p', 'f', 'm', 'v') AND nspname NOT IN ('public', 'pg_catalog', 'information_schema')"
        " AND nspname !~ '^pg_(toast|temp)'",
    )
    return [
        *(f"the model of {name} has no line in a migration" for name in set(METADATA.tables) - known),
        *(f"{name} stands in a migration and has no model" for name in known - set(METADATA.tables)),
        *(f"{name} stands in no migration" for name in there - known - TOOLS),
        *(f"{name} is missing in the database" for name in known - there),
        *(f"{name} lies in a schema of its own" for name in elsewhere),
    ]


def weak_tables(connection: Connection) -> list[str]:
    """Whatever has a trust_id, and the table of trusts, is under row-level security, the owner included."""
    rows = connection.execute(
        "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, r.rolname,"
        " EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND attname = 'trust_id' AND NOT attisdropped),"
        " (SELECT bool_and(attnotnull) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'trust_id')"
        " FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner"
        " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
    ).fetchall()
    faults = []
    for name, enabled, forced, owner, of_a_trust, never_null in rows:
        if owner != OWNER:
            faults.append(f"{name} belongs to {owner}")
        if of_a_trust and name not in declared().protected:
            faults.append(f"{name} has a trust_id and is not protected")
        if of_a_trust and not never_null:
            faults.append(f"{name} may have no trust")
        if not (of_a_trust or name in declared().protected):
            continue
        if not enabled:
            faults.append(f"{name} has row-level security off")
        if not forced:
            faults.append(f"{name} does not force row-level security on its owner")
    return faults


_POLICIES = """
    SELECT c.relname, p.polname, p.polcmd::text, p.polpermissive, p.polroles::regrole[]::text,
           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
      FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
"""


def policies(connection: Connection) -> list[str]:
    """Each table has exactly the policies that `protection.statements` makes: they are made anew and compared."""
    faults = []
    found = set(connection.execute(_POLICIES).fetchall())
    tables = set(METADATA.tables) | {row[0] for row in found}
    there = _column(connection, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    with connection.transaction(force_rollback=True):
        for table, name, *_ in found:
            connection.execute(f'DROP POLICY "{name}" ON "{table}"')
        for rule in declared().protected.values():
            for line in statements(rule):
                if line.startswith("CREATE POLICY") and rule.table in there:
                    connection.execute(line)
        expected = set(connection.execute(_POLICIES).fetchall())
    for table in sorted(tables):
        wanted = {row[1]: row[2:] for row in expected if row[0] == table}
        have = {row[1]: row[2:] for row in found if row[0] == table}
        faults += [f"{table} lacks the policy {name}" for name in wanted.keys() - have.keys()]
        faults += [f"{table} has a policy of its own: {name}" for name in have.keys() - wanted.keys()]
        faults += [
            f"the policy {name} of {table} is not the generated one: {have[name]}"
            for name in wanted.keys() & have.keys()
            if wanted[name] != have[name]
        ]
    return faults


def foreign_keys(connection: Connection) -> list[str]:
    """A key between two tables of trusts names the trust on both sides: a simple one would accept a foreign row."""
    return [
        f"the key {name} of {table} may point at another trust's {target}"
        for name, table, target in connection.execute(
            """
            SELECT con.conname, con.conrelid::regclass::text, con.confrelid::regclass::text FROM pg_constraint con
             WHERE con.contype = 'f'
               AND EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = con.conrelid AND attname = 'trust_id')
               AND EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = con.confrelid AND attname = 'trust_id')
               AND NOT EXISTS (
                 SELECT 1 FROM unnest(con.conkey, con.confkey) AS k(mine, theirs)
                   JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.mine
                   JOIN pg_attribute b ON b.attrelid = con.confrelid AND b.attnum = k.theirs
                  WHERE a.attname = 'trust_id' AND b.attname = 'trust_id')
             UNION ALL
            SELECT con.conname, con.conrelid::regclass::text, con.confrelid::regclass::text FROM pg_constraint con
             WHERE con.contype = 'f' AND NOT con.convalidated
            """
        ).fetchall()
    ] + [
        f"{name} has no key to its trust"
        for (name,) in connection.execute(
            """
            SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'trust_id'
             WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT EXISTS (
               SELECT 1 FROM pg_constraint con WHERE con.conrelid = c.oid AND con.contype = 'f'
                  AND con.confrelid = 'trust'::regclass AND con.conkey = ARRAY[a.attnum])
            """
        ).fetchall()
    ]


def unique_keys(connection: Connection) -> list[str]:
    """A unique key over all trusts tells one trust what another has, unless it is over something random."""
    rows = connection.execute(
        """
        SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text,
               ARRAY(SELECT attname::text FROM pg_attribute a
                      WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey))
          FROM pg_index i JOIN pg_attribute t ON t.attrelid = i.indrelid AND t.attname = 'trust_id'
         WHERE i.indisunique
        """
    ).fetchall()
    return [
        f"the unique key {name} of {table} spans all trusts"
        for name, table, columns in rows
        if "trust_id" not in columns and columns != ["id"] and name not in BLIND_UNIQUE
    ]


def views(connection: Connection) -> list[str]:
    """A view of a privileged owner reads past row-level security; a materialised one always does."""
    return [
        f"the {'materialised ' if kind == 'm' else ''}view {name} does not read as its caller"
        for name, kind in connection.execute(
            "SELECT relname, relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND (relkind = 'm'"
            " OR relkind = 'v' AND NOT coalesce(reloptions @> '{security_invoker=true}', false))"
        ).fetchall()
    ]


def powers(connection: Connection) -> list[str]:
    """The application's roles can do nothing but work with rows; the owner and the definer cannot log in."""
    faults = []
    rows = {
        row[0]: row[1:]
        for row in connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin"
            " FROM pg_roles"
        ).fetchall()
    }
    names = ("superuser", "bypassing", "making roles", "making databases", "replicating")
    for role in (WEB, WORKER, OWNER, DEFINER, BACKUP):
        if role not in rows:
            faults.append(f"there is no role {role}")
            continue
        *has, logs_in = rows[role]
        may = {"bypassing"} if role in {DEFINER, BACKUP} else set()
        faults += [
            f"{role} has the power of {name}"
            for name, on in zip(names, has, strict=True)
            if on and name not in may
        ]
        if role in {OWNER, DEFINER} and logs_in:
            faults.append(f"{role} can log in")
    for role in {WEB, WORKER} & rows.keys():
        faults += [
            f"{role} is a member of {other}"
            for (other,) in connection.execute(
                "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole", [role]
            ).fetchall()
        ]
        faults += [
            f"{role} owns something in {catalogue}"
            for (catalogue,) in connection.execute(
                "SELECT DISTINCT classid::regclass::text FROM pg_shdepend"
                " WHERE refobjid = %s::regrole AND refclassid = 'pg_authid'::regclass AND deptype = 'o'",
                [role],
            ).fetchall()
        ]
        (makes, makes_temporary, makes_in_database) = connection.execute(
            "SELECT has_schema_privilege(%(role)s, 'public', 'CREATE'),"
            " has_database_privilege(%(role)s, current_database(), 'TEMP'),"
            " has_database_privilege(%(role)s, current_database(), 'CREATE')",
            {"role": role},
        ).fetchall()[0]
        if makes or makes_temporary or makes_in_database:
            faults.append(f"{role} can make tables or schemas")
    return faults


def rights(connection: Connection) -> list[str]:
    """What each role may do with each table is what its line says: nothing less, nothing more."""
    wanted: set[tuple[str, str, str]] = set()
    for rule in declared().protected.values():
        granted = GRANTED[rule.writes].split(", ")
        wanted |= {(rule.table, role, right) for role in (WEB, WORKER) for right in granted}
        wanted |= {(rule.table, DEFINER, right) for right in ("SELECT", "INSERT", "UPDATE")}
        wanted.add((rule.table, BACKUP, "SELECT"))
    wanted |= {(table, DEFINER, "DELETE") for table in declared().disposed}
    for table, given in declared().rights_of_global.items():
        wanted |= {(table, role, right) for role in (WEB, WORKER) for right in given.split(", ")}
        wanted |= {(table, DEFINER, "SELECT"), (table, DEFINER, "UPDATE"), (table, BACKUP, "SELECT")}
    found = {
        (table, role, right)
        for table, role, right in connection.execute(
            """
            SELECT c.relname, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END, g.privilege_type
              FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) g
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
               AND g.grantee <> c.relowner
            """
        ).fetchall()
    }
    columns = _column(
        connection,
        "SELECT attrelid::regclass::text FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid IN"
        " (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)",
    )
    return [
        *(f"{role} may {right} {table} beyond its line" for table, role, right in sorted(found - wanted)),
        *(f"{role} lacks {right} on {table}" for table, role, right in sorted(wanted - found)),
        *(f"{table} grants rights on single columns" for table in sorted(columns)),
    ]


def functions(connection: Connection) -> list[str]:
    """Functions that run as their owner are exactly the reviewed ones, with a fixed search path and their callers.

    What an extension brings may be called by everybody, so it stands in a schema that the application may not enter.
    """
    faults = []
    reviewed = {
        connection.execute("SELECT %s::regprocedure::text", [name]).fetchall()[0][0]: {
            caller.strip() for caller in callers.split(",")
        }
        for name, callers in declared().functions.items()
    }
    rows = connection.execute(
        """
        SELECT p.oid::regprocedure::text, p.proowner::regrole::text, p.proconfig, p.prosecdef,
               ARRAY(SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END
                       FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
                      WHERE g.grantee <> p.proowner),
               EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
                 AND NOT has_schema_privilege(%s, n.oid, 'USAGE') AND NOT has_schema_privilege(%s, n.oid, 'USAGE')
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
        """,
        [WEB, WORKER],
    ).fetchall()
    for name, owner, config, as_owner, callers, out_of_reach in rows:
        if not as_owner:
            if callers and "PUBLIC" in callers and not out_of_reach:
                faults.append(f"everybody may call {name}")
            continue
        if name not in reviewed:
            faults.append(f"{name} runs as its owner and was not reviewed")
            continue
        if owner != DEFINER:
            faults.append(f"{name} belongs to {owner}")
        if config != [SEARCH_PATH]:
            faults.append(f"{name} has no fixed search path: {config}")
        if set(callers) != reviewed[name]:
            faults.append(f"{name} may be called by {sorted(callers)}, not {sorted(reviewed[name])}")
    return faults + [
        f"{name} does not run as its owner" for name in reviewed.keys() - {row[0] for row in rows if row[3]}
    ]


def triggers(connection: Connection) -> list[str]:
    """Rows that are only added to are guarded by a trigger too, which also refuses the owner."""
    wanted = FREEZING | {
        (rule.table, "refuse_change")
        for rule in declared().protected.values()
        if rule.writes in {Writes.APPEND, Writes.CHAIN}
    }
    # tgtype: 1 for each row, 2 before, 8 on delete, 16 on update.
    found = {
        (table, function)
        for table, function in connection.execute(
            "SELECT tgrelid::regclass::text, tgfoid::regproc::text FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype = 1 + 2 + 8 + 16 AND tgqual IS NULL"
            " AND tgattr = ''::int2vector"
        ).fetchall()
    }
    return [f"no trigger {function} guards {table}" for table, function in sorted(wanted - found)]


def _column(connection: Connection, query: str) -> set[str]:
    return {row[0] for row in connection.execute(query).fetchall()}
