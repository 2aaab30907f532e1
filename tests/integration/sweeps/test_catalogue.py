"""PostgreSQL's own catalogue says that trusts are apart; and each check finds the fault that it is there for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import NullPool, create_engine

from tests.integration.sweeps import catalogue
from tests.integration.sweeps.catalogue import Connection
from trustportal.db import METADATA
from trustportal.migrate import sqlalchemy_url
from trustportal.protection import TRUST_EXPRESSION, WEB, WORKER, Writes
from trustportal.servers import DatabaseUrls, Servers


@pytest.fixture(scope="module")
def bare(servers: Servers, template: str) -> Iterator[tuple[DatabaseUrls, str]]:
    """A migrated database with nothing in it, and its name."""
    name = f"catalogue_{os.getpid()}"
    yield servers.fresh_database(name, template=template), name
    servers.drop_database(name)


@pytest.fixture
def superuser(servers: Servers, bare: tuple[DatabaseUrls, str]) -> Iterator[Connection]:
    """The database, as its server's superuser; nothing is kept."""
    with psycopg.connect(servers.superuser_url(bare[1])) as connection:
        yield connection
        connection.rollback()


def test_nothing_is_amiss(superuser: Connection) -> None:
    assert catalogue.all_faults(superuser) == []


def test_the_migrations_make_what_the_models_say(bare: tuple[DatabaseUrls, str]) -> None:
    engine = create_engine(sqlalchemy_url(bare[0].migration), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [
            difference
            for difference in compare_metadata(context, METADATA)
            if not (isinstance(difference, tuple) and difference[0] == "remove_table")
        ]
    engine.dispose()
    assert differences == []


FAULTS = {
    "a table without row-level security": (
        "CREATE TABLE lunch (id uuid PRIMARY KEY, trust_id uuid NOT NULL REFERENCES trust (id))",
        "lunch has a trust_id and is not protected",
    ),
    "a table that nobody declared": (
        "CREATE TABLE lunch (id uuid PRIMARY KEY)",
        "lunch stands in no migration",
    ),
    "a table in another schema": (
        "CREATE SCHEMA aside; CREATE TABLE aside.lunch (id uuid PRIMARY KEY)",
        "aside.lunch lies in a schema of its own",
    ),
    "a table that is gone": ("DROP TABLE signature_trace", "signature_trace is missing in the database"),
    "row-level security switched off": (
        "ALTER TABLE school DISABLE ROW LEVEL SECURITY",
        "school has row-level security off",
    ),
    "the owner let through": (
        "ALTER TABLE signature NO FORCE ROW LEVEL SECURITY",
        "signature does not force row-level security on its owner",
    ),
    "a policy that lets through when unset": (
        f"ALTER POLICY policy_trust ON policy USING ({TRUST_EXPRESSION} OR current_setting('app.trust_id', true) = '')",
        "the policy policy_trust of policy is not the generated one",
    ),
    "a policy that checks nothing": (
        "ALTER POLICY edition_trust ON edition WITH CHECK (true)",
        "the policy edition_trust of edition is not the generated one",
    ),
    "a policy for some commands only": (
        (
            "DROP POLICY edition_trust ON edition;"
            f" CREATE POLICY edition_trust ON edition FOR SELECT USING ({TRUST_EXPRESSION})"
        ),
        "the policy edition_trust of edition is not the generated one",
    ),
    "a restriction that was dropped": (
        "DROP POLICY override_school ON override",
        "override lacks the policy override_school",
    ),
    "a restriction that became a permission": (
        "DROP POLICY override_school ON override; CREATE POLICY override_school ON override USING (true)",
        "the policy override_school of override is not the generated one",
    ),
    "one policy more": (
        "CREATE POLICY everybody ON person USING (true)",
        "person has a policy of its own: everybody",
    ),
    "a key that accepts another trust's row": (
        "ALTER TABLE signature ADD FOREIGN KEY (edition_id) REFERENCES edition (id)",
        "of signature may point at another trust's edition",
    ),
    "a row without a trust": (
        "ALTER TABLE campaign ALTER trust_id DROP NOT NULL",
        "campaign may have no trust",
    ),
    "no key to the trust": (
        "ALTER TABLE blob DROP CONSTRAINT fk_blob_trust_id",
        "blob has no key to its trust",
    ),
    "a unique key over all trusts": (
        "CREATE UNIQUE INDEX one_title ON policy (title)",
        "the unique key one_title of policy spans all trusts",
    ),
    "a view of the owner": (
        "CREATE VIEW everyone AS SELECT * FROM person",
        "the view everyone does not read as its caller",
    ),
    "a materialised view": (
        "CREATE MATERIALIZED VIEW everyone AS SELECT * FROM person",
        "the materialised view everyone does not read as its caller",
    ),
    "a role that bypasses": (f"ALTER ROLE {WEB} BYPASSRLS", f"{WEB} has the power of bypassing"),
    "a superuser": (f"ALTER ROLE {WORKER} SUPERUSER", f"{WORKER} has the power of superuser"),
    "a role in another": (
        f"GRANT trustportal_owner TO {WEB}",
        f"{WEB} is a member of trustportal_owner",
    ),
    "a role that owns a table": (
        f"ALTER TABLE heartbeat OWNER TO {WORKER}",
        f"{WORKER} owns something in pg_class",
    ),
    "a role that makes tables": (
        f"GRANT CREATE ON SCHEMA public TO {WEB}",
        f"{WEB} can make tables or schemas",
    ),
    "a definer who logs in": ("ALTER ROLE trustportal_definer LOGIN", "trustportal_definer can log in"),
    "a right too many": (
        f"GRANT UPDATE ON signature TO {WORKER}",
        f"{WORKER} may UPDATE signature beyond its line",
    ),
    "a right for everybody": (
        "GRANT SELECT ON account TO PUBLIC",
        "PUBLIC may SELECT account beyond its line",
    ),
    "a right on a column": (
        f"GRANT UPDATE (position) ON audit_head TO {WEB}",
        "audit_head grants rights on single columns",
    ),
    "emptying a table": (
        f"GRANT TRUNCATE ON audit_event TO {WEB}",
        f"{WEB} may TRUNCATE audit_event beyond its line",
    ),
    "a right missing": (f"REVOKE INSERT ON outbox FROM {WEB}", f"{WEB} lacks INSERT on outbox"),
    "a function that nobody reviewed": (
        "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM person'",
        "peek() runs as its owner and was not reviewed",
    ),
    "a function without a search path": (
        "ALTER FUNCTION trust_ids() RESET search_path",
        "trust_ids() has no fixed search path",
    ),
    "a function of another owner": (
        "ALTER FUNCTION trust_ids() OWNER TO trustportal_owner",
        "trust_ids() belongs to trustportal_owner",
    ),
    "a function for the web too": (
        f"GRANT EXECUTE ON FUNCTION trust_ids() TO {WEB}",
        "trust_ids() may be called by",
    ),
    "a function for everybody": (
        "GRANT EXECUTE ON FUNCTION outbox_oldest() TO PUBLIC",
        "outbox_oldest() may be called by",
    ),
    "a reviewed function that runs as its caller": (
        "ALTER FUNCTION find_trust(text) SECURITY INVOKER",
        "find_trust(text) does not run as its owner",
    ),
    "a trigger switched off": (
        "ALTER TABLE audit_event DISABLE TRIGGER audit_event_append_only",
        "no trigger refuse_change guards audit_event",
    ),
    "a trigger dropped": (
        "DROP TRIGGER edition_frozen ON edition",
        "no trigger freeze_edition guards edition",
    ),
    "a trigger on one command only": (
        (
            "DROP TRIGGER signature_append_only ON signature;"
            " CREATE TRIGGER signature_append_only BEFORE UPDATE ON signature"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        ),
        "no trigger refuse_change guards signature",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_is_found(superuser: Connection, fault: str) -> None:
    planting, words = FAULTS[fault]
    with superuser.transaction(force_rollback=True):
        superuser.execute(planting)
        found = catalogue.all_faults(superuser)
        assert any(words in one for one in found), found


def test_a_model_that_no_migration_knows_is_found(
    superuser: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = catalogue.declared()
    forgotten = catalogue.Declared(
        {name: rule for name, rule in known.protected.items() if name != "campaign"},
        known.rights_of_global,
        known.functions,
        known.disposed,
    )
    monkeypatch.setattr(catalogue, "declared", lambda: forgotten)
    found = catalogue.all_faults(superuser)
    assert "the model of campaign has no line in a migration" in found
    assert "campaign has a trust_id and is not protected" in found


@pytest.mark.parametrize("role", ["web", "worker"])
def test_what_is_only_added_to_refuses_both_roles(bare: tuple[DatabaseUrls, str], role: str) -> None:
    tried = 0
    with psycopg.connect(getattr(bare[0], role), autocommit=True) as connection:
        for rule in catalogue.declared().protected.values():
            forbidden = {
                Writes.FULL: (),
                Writes.KEEP: ("DELETE FROM {}",),
                Writes.APPEND: ("UPDATE {} SET trust_id = trust_id", "DELETE FROM {}"),
                Writes.CHAIN: (
                    "UPDATE {} SET trust_id = trust_id",
                    "DELETE FROM {}",
                    "INSERT INTO {} DEFAULT VALUES",
                ),
                Writes.READ: (
                    "UPDATE {} SET trust_id = trust_id",
                    "DELETE FROM {}",
                    "INSERT INTO {} DEFAULT VALUES",
                ),
            }[rule.writes]
            for statement in (*forbidden, "TRUNCATE {}", "ALTER TABLE {} DISABLE TRIGGER ALL"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.format(rule.table))
                tried += 1
    assert tried > 90
