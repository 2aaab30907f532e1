"""Row-level security as data: for each table, what PostgreSQL is told to refuse. Pure text; migrations run it.

The catalogue tests compare what stands in the database with what this module generates, so that a policy cannot be
weakened by hand or forgotten on a new table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

OWNER = "trustportal_owner"
WEB = "trustportal_app"
WORKER = "trustportal_worker"
DEFINER = "trustportal_definer"
BACKUP = "trustportal_backup"

TRUST_EXPRESSION = "trust_id = NULLIF(current_setting('app.trust_id', true), '')::uuid"
# Each in a query of its own: PostgreSQL asks for the setting once in a statement, not for every row (of twenty thousand
# assignments that was half of the time), and does not take it for certain that an officer sees nothing. The trust needs
# none: as an equation it is weighed against the statement's own, once.
_EVERY = "(SELECT current_setting('app.all_schools', true) = 'on')"
_MINE = "ANY ((SELECT COALESCE(NULLIF(current_setting('app.school_ids', true), ''), '{}')::uuid[])::uuid[])"
_ME = "(SELECT NULLIF(current_setting('app.person_id', true), '')::uuid)"
_MY_CASES = "ANY (ARRAY(SELECT my_cases()))"


class Reach(StrEnum):
    """Who inside a trust sees the rows of a table."""

    TRUST = "trust"  # everybody of the trust
    SCHOOL = "school"  # the school's people, and the trust's officers
    PLACE = "place"  # as SCHOOL, and rows of the trust itself for everybody of the trust
    MINE_TOO = (
        "mine_too"  # as PLACE, and a person's own rows wherever they were: what I signed stays mine to see
    )
    SCHOOLS = "schools"  # the table of schools itself
    PEOPLE = "people"  # those who serve where I serve, at the trust, and myself
    CASES = "cases"  # the table of cases: those in which I take part; jobs see all of the trust
    CASE = "case"  # a row of a case, as CASES
    CASE_ROUTED = "case_routed"  # as CASE, and written by jobs only: who takes part is decided by routing
    # As CASE_ROUTED, but for those who only see it because of a later case about the same person: each of these is seen
    # by themself alone. Anybody else would learn that there is a later one.
    TAKING_PART = "taking_part"
    OWN = "own"  # who wrote it, and jobs; anybody may add one without a name, and then sees it no more
    TOLD = "told"  # whom it is for, and jobs; anybody may add one for anybody
    JOBS = "jobs"  # jobs alone; anybody may add one
    KEPT = "kept"  # jobs alone, and written by them only


class Writes(StrEnum):
    """What the application's roles may do to the rows that they see."""

    FULL = "full"
    KEEP = "keep"  # never deleted
    APPEND = "append"  # only added to
    CHAIN = "chain"  # only added to, by a security-definer function
    READ = "read"  # written by a security-definer function only


RESTRICTIONS: dict[Reach, str] = {
    Reach.SCHOOL: f"{_EVERY} OR school_id = {_MINE}",
    Reach.PLACE: f"school_id IS NULL OR {_EVERY} OR school_id = {_MINE}",
    Reach.MINE_TOO: f"school_id IS NULL OR {_EVERY} OR school_id = {_MINE} OR person_id = {_ME}",
    Reach.SCHOOLS: f"{_EVERY} OR id = {_MINE}",
    Reach.PEOPLE: (
        f"{_EVERY} OR id = {_ME} OR EXISTS (SELECT 1 FROM membership m"
        " WHERE m.trust_id = person.trust_id AND m.person_id = person.id)"
    ),
    Reach.CASES: f"id = {_MY_CASES}",
    Reach.CASE: f"case_id = {_MY_CASES}",
    Reach.CASE_ROUTED: f"case_id = {_MY_CASES}",
    Reach.TAKING_PART: f"case_id = {_MY_CASES} AND (part <> 'pattern' OR person_id = {_ME})",
    Reach.OWN: f"person_id = {_ME}",
    Reach.TOLD: f"person_id = {_ME}",
    Reach.JOBS: "false",
    Reach.KEPT: "false",
}
#: Restrictions of the web alone: jobs act on every case of their trust, under the workers' role.
OF_THE_WEB: frozenset[Reach] = frozenset(
    {
        Reach.CASES,
        Reach.CASE,
        Reach.CASE_ROUTED,
        Reach.TAKING_PART,
        Reach.OWN,
        Reach.TOLD,
        Reach.JOBS,
        Reach.KEPT,
    }
)
#: What may be written, where that is not what may be seen.
CHECKS: dict[Reach, str] = {
    Reach.PEOPLE: "true",
    Reach.CASE_ROUTED: "false",
    Reach.TAKING_PART: "false",
    Reach.OWN: f"person_id IS NULL OR person_id = {_ME}",
    Reach.TOLD: "true",
    Reach.JOBS: "true",
}
GRANTED: dict[Writes, str] = {
    Writes.FULL: "SELECT, INSERT, UPDATE, DELETE",
    Writes.KEEP: "SELECT, INSERT, UPDATE",
    Writes.APPEND: "SELECT, INSERT",
    Writes.CHAIN: "SELECT",
    Writes.READ: "SELECT",
}


@dataclass(frozen=True, slots=True)
class Protected:
    """One table: who sees its rows, and what may be done to them."""

    table: str
    reach: Reach = Reach.TRUST
    writes: Writes = Writes.FULL
    trust_column: str = "trust_id"


def restriction(reach: Reach) -> str:
    """What the restrictive policy of a reach says: what may be seen, and what may be written."""
    seen = RESTRICTIONS[reach]
    return f"USING ({seen}) WITH CHECK ({CHECKS.get(reach, seen)})"


def statements(rule: Protected) -> list[str]:
    """The SQL that protects one table."""
    table = rule.table
    trust = TRUST_EXPRESSION.replace("trust_id =", f"{rule.trust_column} =", 1)
    lines = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {table}_trust ON {table} USING ({trust}) WITH CHECK ({trust})",
    ]
    if rule.reach in RESTRICTIONS:
        role = f" TO {WEB}" if rule.reach in OF_THE_WEB else ""
        lines.append(
            f"CREATE POLICY {table}_{rule.reach} ON {table} AS RESTRICTIVE{role} {restriction(rule.reach)}"
        )
    lines.append(f"GRANT {GRANTED[rule.writes]} ON {table} TO {WEB}, {WORKER}")
    lines.append(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {DEFINER}")
    lines.append(f"GRANT SELECT ON {table} TO {BACKUP}")
    if rule.writes in {Writes.APPEND, Writes.CHAIN}:
        lines.append(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    return lines
