"""How far a campaign is stands in a row for each person, place and campaign, whatever it asks them to sign.

Twenty thousand people were laid together from forty thousand rows each time somebody looked, and from more where a
campaign asks for several policies. Now what somebody owes and in which roles they serve is written down as it changes:
the roles, with the days from and to which they hold, whenever a place or a person is planned; what is owed with each
assignment that is signed, closed, paused or due another day.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from trustportal.protection import DEFINER, WEB, WORKER, Protected, Reach, Writes, statements

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

PROTECTED = (Protected("campaign_person", Reach.PLACE, Writes.READ),)
#: Security-definer functions, and who may call them.
FUNCTIONS = {
    "count_people(uuid, uuid[], text[])": WORKER,
    # A trigger: nobody can call it otherwise.
    "count_assignments()": f"{WEB}, {WORKER}",
}
#: Tables of which the functions' owner removes rows.
DISPOSED = ("campaign_person",)

#: The bit of each role, from the right, as `acceptance.domain.counting` has it on the day of this migration.
_ROLES = (
    "network_manager",
    "trustee",
    "chair_of_trust_board",
    "vice_chair_of_trust_board",
    "clerk",
    "ceo",
    "hr_lead",
    "dpo",
    "central_staff",
    "headteacher",
    "deputy_headteacher",
    "chair_of_governors",
    "vice_chair_of_governors",
    "governor",
    "dsl",
    "business_manager",
    "line_manager",
    "staff",
    "supply",
    "contractor",
    "volunteer",
)
# Whoever is away counts neither as asked nor as owing; what was closed counts only where the campaign ended without it.
_COUNTS = "(a.paused_on IS NULL AND (a.closed_because IS NULL OR a.closed_because = 'ended'))"
_OWED_BY = "CASE WHEN a.state <> 'signed' THEN a.due_on END"
_PLACE = "COALESCE({0}.school_id, {0}.trust_id)"
_KEY = (
    f"c.trust_id = one.trust_id AND {_PLACE.format('c')} = one.place"
    " AND c.person_id = one.person_id AND c.campaign_id = one.campaign_id"
)
_TRUST = "NULLIF(current_setting('app.trust_id', true), '')::uuid"
# Somebody's memberships at a place cut the time into spans, in each of which they hold the same roles.
_WRITE = f"""
  WITH held AS MATERIALIZED (
    SELECT m.person_id, m.from_on, m.to_on, 1 << (array_position($4, m.role::text) - 1) AS bit
      FROM membership m
     WHERE m.trust_id = $1 AND (m.school_id = $2 OR $2 IS NULL AND m.school_id IS NULL)
       AND ($3 IS NULL OR m.person_id = ANY ($3))),
  span AS (
    SELECT person_id, day AS from_on, lead(day) OVER (PARTITION BY person_id ORDER BY day) - 1 AS to_on
      FROM (SELECT person_id, from_on AS day FROM held
             UNION SELECT person_id, to_on + 1 FROM held WHERE to_on IS NOT NULL) cut),
  serving AS (
    SELECT s.person_id, s.from_on, s.to_on, bit_or(h.bit) AS roles
      FROM span s JOIN held h ON h.person_id = s.person_id AND h.from_on <= s.from_on
                                AND (h.to_on IS NULL OR h.to_on >= s.from_on)
     GROUP BY s.person_id, s.from_on, s.to_on),
  asked AS (
    SELECT a.campaign_id, a.person_id, bool_or({_COUNTS}) AS counts, min({_OWED_BY}) FILTER (WHERE {_COUNTS}) AS owed_by
      FROM assignment a
     WHERE a.trust_id = $1 AND (a.school_id = $2 OR $2 IS NULL AND a.school_id IS NULL)
       AND ($3 IS NULL OR a.person_id = ANY ($3))
     GROUP BY a.campaign_id, a.person_id),
  wanted AS MATERIALIZED (SELECT * FROM asked JOIN serving USING (person_id)),
  present AS MATERIALIZED (
    SELECT c.id, c.campaign_id, c.person_id, c.from_on, c.to_on, c.roles, c.counts, c.owed_by
      FROM campaign_person c
     WHERE c.trust_id = $1 AND {_PLACE.format("c")} = COALESCE($2, $1) AND ($3 IS NULL OR c.person_id = ANY ($3))),
  gone AS (
    DELETE FROM campaign_person c
     USING present p LEFT JOIN wanted w USING (person_id, campaign_id, from_on)
     WHERE c.id = p.id AND c.trust_id = $1 AND w.person_id IS NULL)
  INSERT INTO campaign_person AS c
         (id, trust_id, school_id, campaign_id, person_id, roles, from_on, to_on, counts, owed_by)
  SELECT gen_random_uuid(), $1, $2, w.campaign_id, w.person_id, w.roles, w.from_on, w.to_on, w.counts, w.owed_by
    FROM wanted w LEFT JOIN present p USING (person_id, campaign_id, from_on)
   WHERE p.id IS NULL
      OR (p.roles, p.to_on, p.counts, p.owed_by) IS DISTINCT FROM (w.roles, w.to_on, w.counts, w.owed_by)
  ON CONFLICT (trust_id, (COALESCE(school_id, trust_id)), person_id, campaign_id, from_on)
  DO UPDATE SET roles = EXCLUDED.roles, to_on = EXCLUDED.to_on, counts = EXCLUDED.counts, owed_by = EXCLUDED.owed_by
"""
# It is planned each time, for this place and these people: a plan for any would compare everybody with everybody.
_PEOPLE = f"""
CREATE FUNCTION count_people(p_school uuid, p_people uuid[], p_roles text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  here CONSTANT uuid := {_TRUST};
BEGIN
  -- Whoever signs at this moment is waited for: the next statement sees what they signed.
  PERFORM FROM campaign_person c
    WHERE c.trust_id = here AND {_PLACE.format("c")} = COALESCE(p_school, here)
      AND (p_people IS NULL OR c.person_id = ANY (p_people))
    ORDER BY c.person_id, c.campaign_id, c.from_on FOR UPDATE;
  EXECUTE $write${_WRITE}$write$ USING here, p_school, p_people, p_roles;
END $$
"""
# One after the other, each by its index: a plan that is kept must be as good for a campaign that is due another day as
# for somebody who signs. The row is locked before its assignments are read: of two that somebody signs at once, the
# second sees the first. What is locked is locked in the same order everywhere.
_ASSIGNMENTS = f"""
CREATE FUNCTION count_assignments() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  one record;
  counted boolean;
  owed date;
BEGIN
  FOR one IN
    SELECT DISTINCT c.person_id, c.campaign_id, {_PLACE.format("c")} AS place, c.trust_id
      FROM (SELECT a.id, a.trust_id, a.school_id, a.campaign_id, a.person_id, {_COUNTS}, {_OWED_BY} FROM after a
            EXCEPT
            SELECT a.id, a.trust_id, a.school_id, a.campaign_id, a.person_id, {_COUNTS}, {_OWED_BY} FROM before a) c
     ORDER BY c.person_id, c.campaign_id, place
  LOOP
    PERFORM FROM campaign_person c WHERE {_KEY} ORDER BY c.from_on FOR UPDATE;
    CONTINUE WHEN NOT FOUND;
    SELECT bool_or({_COUNTS}), min({_OWED_BY}) FILTER (WHERE {_COUNTS}) INTO counted, owed
      FROM assignment a
     WHERE a.trust_id = one.trust_id AND a.person_id = one.person_id AND a.campaign_id = one.campaign_id
       AND {_PLACE.format("a")} = one.place;
    UPDATE campaign_person c SET counts = counted, owed_by = owed
     WHERE {_KEY} AND (c.counts, c.owed_by) IS DISTINCT FROM (counted, owed);
  END LOOP;
  RETURN NULL;
END $$
"""
# Nobody sees the tables before this is committed; the functions' owner reads every trust's rows.
_FILL = f"""
DO $$
DECLARE
  place record;
BEGIN
  FOR place IN SELECT DISTINCT a.trust_id, a.school_id FROM assignment a LOOP
    PERFORM set_config('app.trust_id', place.trust_id::text, true);
    PERFORM count_people(place.school_id, NULL, ARRAY[{", ".join(f"'{role}'" for role in _ROLES)}]);
  END LOOP;
  PERFORM set_config('app.trust_id', '', true);
END $$
"""


def upgrade() -> None:
    op.create_table(
        "campaign_person",
        # What is compared and counted comes first, and what may be missing last: PostgreSQL walks through each row.
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("roles", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("owed_by", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["trust_id", "campaign_id"],
            ["campaign.trust_id", "campaign.id"],
            name=op.f("fk_campaign_person_trust_id_campaign_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_campaign_person_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_campaign_person_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_campaign_person_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_person")),
        sa.UniqueConstraint("trust_id", "id", name="uq_campaign_person_trust"),
        # What is signed changes one value in place.
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "uq_campaign_person_span",
        "campaign_person",
        ["trust_id", sa.text("COALESCE(school_id, trust_id)"), "person_id", "campaign_id", "from_on"],
        unique=True,
    )
    op.create_index("ix_campaign_person_place", "campaign_person", ["trust_id", "campaign_id", "school_id"])
    for rule in PROTECTED:
        for line in statements(rule):
            op.execute(line)
    op.execute(f"GRANT DELETE ON campaign_person TO {DEFINER}")
    for body in (_PEOPLE, _ASSIGNMENTS):
        op.get_bind().exec_driver_sql(body.replace("%", "%%"))
    for function in FUNCTIONS:
        op.execute(f"ALTER FUNCTION {function} OWNER TO {DEFINER}")
    op.execute("ALTER TABLE assignment NO FORCE ROW LEVEL SECURITY")
    op.get_bind().exec_driver_sql(_FILL.replace("%", "%%"))
    op.execute("ALTER TABLE assignment FORCE ROW LEVEL SECURITY")
    for function, callers in FUNCTIONS.items():
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {callers}")
    op.execute(
        "CREATE TRIGGER assignment_counted AFTER UPDATE ON assignment"
        " REFERENCING OLD TABLE AS before NEW TABLE AS after"
        " FOR EACH STATEMENT EXECUTE FUNCTION count_assignments()"
    )


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
