"""Drafts of a school's own policies have the reach of that school; search finds inside words; prepared comparisons.

The parts of words are found by trigrams. PostgreSQL's own extension for them (pg_trgm, which an owner of a database may
create without being a superuser) gets a schema of its own, into which neither the web nor the workers may look: only
the function that searches uses it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from trustportal.protection import DEFINER, OWNER, WEB, Protected, Reach, Writes, statements

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ENDING = Protected("place_ending", Reach.PLACE, Writes.APPEND)
PLACED = (
    Protected("template_version", Reach.PLACE),
    Protected("draft_clause", Reach.PLACE),
)
PROTECTED = (ENDING, *PLACED)

FUNCTIONS = {"find_clauses(text[], text[], integer)": WEB}
DROPPED = ("search_clauses(text, integer)",)
_SAID = "((heading::text || ' '::text) || text::text)"
_VECTOR = f"to_tsvector('english'::regconfig, {_SAID})"
_TRUST = "NULLIF(current_setting('app.trust_id', true), '')::uuid"
#: Of words that stand nearly everywhere, so many texts are ranked, and nobody looks for pieces of them.
_RANKED = 2_000
_SEARCH = f"""
CREATE FUNCTION find_clauses(p_queries text[], p_inside text[], p_limit integer)
RETURNS TABLE (words text, of_trust text, clause_key text, edition_ids uuid[], inside boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH asked AS MATERIALIZED (
    SELECT one.at, to_tsquery('english'::regconfig, one.query) AS query, one.pattern
      FROM unnest(p_queries, p_inside) WITH ORDINALITY AS one(query, pattern, at)
     WHERE numnode(to_tsquery('english'::regconfig, one.query)) > 0),
  word_hit AS MATERIALIZED (
    SELECT a.at, c.hash
      FROM asked a JOIN clause_text c ON c.trust_id = {_TRUST} AND {_VECTOR} @@ a.query),
  hit AS MATERIALIZED (
    SELECT h.at, h.hash, true AS as_word FROM word_hit h
    UNION ALL
    SELECT a.at, c.hash, false
      FROM asked a JOIN clause_text c ON c.trust_id = {_TRUST} AND {_SAID} ILIKE a.pattern
     WHERE a.pattern IS NOT NULL AND (SELECT count(*) FROM word_hit h WHERE h.at = a.at) < {_RANKED}),
  every AS MATERIALIZED (
    SELECT h.hash, count(DISTINCT h.at) FILTER (WHERE h.as_word) = (SELECT count(*) FROM asked) AS whole
      FROM hit h
     GROUP BY h.hash
    HAVING count(DISTINCT h.at) = (SELECT count(*) FROM asked)
     ORDER BY whole DESC, h.hash
     LIMIT {_RANKED}),
  said AS MATERIALIZED (
    SELECT c.hash::text AS hash, e.whole, row_number() OVER (
             ORDER BY e.whole DESC, ts_rank({_VECTOR}, w.query) DESC, c.hash) AS at
      FROM every e JOIN clause_text c ON c.trust_id = {_TRUST} AND c.hash = e.hash,
           to_tsquery('english'::regconfig, array_to_string(p_queries, ' & ')) AS w(query)
     ORDER BY at
     LIMIT p_limit),
  found AS MATERIALIZED (
    SELECT e.id, e.tree
      FROM edition e
     WHERE e.trust_id = {_TRUST} AND e.state = 'approved'
       AND jsonb_path_query_array(e.tree, '$[*]."words"') ?| ARRAY(SELECT hash FROM said))
  (SELECT s.hash, NULL::text, NULL::text, '{{}}'::uuid[], NOT s.whole FROM said s ORDER BY s.at)
  UNION ALL
  SELECT one ->> 'words', CASE one ->> 'origin' WHEN 'trust' THEN one ->> 'template_words' END, one ->> 'key',
         array_agg(f.id), NULL::boolean
    FROM found f CROSS JOIN LATERAL jsonb_array_elements(f.tree) one
   WHERE one ->> 'words' IN (SELECT hash FROM said)
   GROUP BY 1, 2, 3
$$
"""

#: A row says whose it is, since row-level security asks it; that it says so truly is seen to here.
_PLACES = """
CREATE FUNCTION version_is_of_its_policy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM policy p WHERE p.trust_id = NEW.trust_id AND p.id = NEW.policy_id
                          AND p.school_id IS NOT DISTINCT FROM NEW.school_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a version belongs to the place of its policy' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER template_version_place AFTER INSERT OR UPDATE OF school_id, policy_id ON template_version
  FOR EACH ROW EXECUTE FUNCTION version_is_of_its_policy();

CREATE FUNCTION clause_is_of_its_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM template_version v WHERE v.trust_id = NEW.trust_id AND v.id = NEW.version_id
                                    AND v.school_id IS NOT DISTINCT FROM NEW.school_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a clause belongs to the place of its version' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER draft_clause_place AFTER INSERT OR UPDATE OF school_id, version_id ON draft_clause
  FOR EACH ROW EXECUTE FUNCTION clause_is_of_its_version();
"""


def upgrade() -> None:
    _reach_of_schools()
    _endings()
    _search_inside()
    _prepared_pairs()


def _reach_of_schools() -> None:
    tables = ("template_version", "draft_clause")
    for table in tables:
        op.add_column(table, sa.Column("school_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_trust_id_school_id"),
            table,
            "school",
            ["trust_id", "school_id"],
            ["trust_id", "id"],
        )
    # The owner sees rows of every trust only where row-level security is not forced upon it, and what was published is
    # told whose it is although it never changes. Nobody else sees the tables before this is committed.
    for table in (*tables, "policy"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE template_version DISABLE TRIGGER template_version_frozen")
    op.execute(
        "UPDATE template_version v SET school_id = p.school_id FROM policy p"
        " WHERE p.trust_id = v.trust_id AND p.id = v.policy_id AND p.school_id IS NOT NULL"
    )
    op.execute(
        "UPDATE draft_clause c SET school_id = v.school_id FROM template_version v"
        " WHERE v.trust_id = c.trust_id AND v.id = c.version_id AND v.school_id IS NOT NULL"
    )
    # What the constraints wait for is settled before the tables are changed again.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute("ALTER TABLE template_version ENABLE TRIGGER template_version_frozen")
    for table in (*tables, "policy"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for rule in PLACED:
        for line in statements(rule):
            if line.startswith(f"CREATE POLICY {rule.table}_place "):
                op.execute(line)
    op.get_bind().exec_driver_sql(_PLACES)


def _endings() -> None:
    op.create_table(
        "place_ending",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_place_ending_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_place_ending_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_place_ending_trust_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_place_ending_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_ending")),
        sa.UniqueConstraint("trust_id", "id", name="uq_place_ending_trust"),
        sa.UniqueConstraint(
            "trust_id",
            "policy_id",
            "school_id",
            "number",
            name="uq_place_ending",
            postgresql_nulls_not_distinct=True,
        ),
    )
    # Where a version went on without a place before this was written down, it ended on the day of that version's
    # publication, as far as the newest one tells.
    read = ("standing", "policy", "policy_place", "template_version")
    for table in read:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        """
        INSERT INTO place_ending (id, trust_id, school_id, policy_id, version_id, number, ended_on)
        SELECT gen_random_uuid(), s.trust_id, s.school_id, s.policy_id, v.id, v.number,
               (v.published_at AT TIME ZONE 'Europe/London')::date
          FROM standing s
          JOIN policy p ON p.trust_id = s.trust_id AND p.id = s.policy_id AND p.school_id IS NULL
          JOIN LATERAL (SELECT * FROM template_version t
                         WHERE t.trust_id = s.trust_id AND t.policy_id = s.policy_id AND t.state = 'published'
                           AND t.published_at IS NOT NULL
                         ORDER BY t.number DESC LIMIT 1) v ON true
         WHERE NOT (p.places = 'all' AND s.school_id IS NOT NULL)
           AND NOT EXISTS (SELECT FROM policy_place e WHERE e.trust_id = s.trust_id AND e.policy_id = s.policy_id
                              AND e.school_id IS NOT DISTINCT FROM s.school_id)
        """
    )
    for table in read:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for line in statements(ENDING):
        op.execute(line)


def _search_inside() -> None:
    op.execute(f"CREATE SCHEMA trigrams AUTHORIZATION {OWNER}")
    op.execute("REVOKE ALL ON SCHEMA trigrams FROM PUBLIC")
    op.execute(f"GRANT USAGE ON SCHEMA trigrams TO {DEFINER}")
    op.execute("CREATE EXTENSION pg_trgm WITH SCHEMA trigrams")
    op.execute(
        f"CREATE INDEX ix_clause_text_inside ON clause_text USING gin (({_SAID}) trigrams.gin_trgm_ops)"
    )
    for function in DROPPED:
        op.execute(f"DROP FUNCTION {function}")
    op.get_bind().exec_driver_sql(_SEARCH)
    for function, callers in FUNCTIONS.items():
        op.execute(f"ALTER FUNCTION {function} OWNER TO {DEFINER}")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {callers}")


def _prepared_pairs() -> None:
    op.add_column("joining_pair", sa.Column("prepared", sa.String(length=20), nullable=True))
    op.add_column("joining_pair", sa.Column("prepared_by", sa.Uuid(), nullable=True))
    op.add_column("joining_pair", sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_joining_pair_prepared_choices"),
        "joining_pair",
        "prepared IS NULL OR prepared IN ('accept', 'drop')",
    )
    op.create_check_constraint(
        op.f("ck_joining_pair_prepared_pair_says_by_whom"),
        "joining_pair",
        "(prepared IS NULL) = (prepared_by IS NULL) AND (prepared IS NULL) = (prepared_at IS NULL)",
    )


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
