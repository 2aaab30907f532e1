"""Searching reads what was worked out when words were written: no text is parsed again, no edition compared twice.

The words of a text as full-text search knows them stand beside it, so that ranking a thousand texts parses none. The
words of an edition are indexed as an array: what such an index finds is exact, whereas it had to read and compare every
edition's clauses before.
"""

from __future__ import annotations

from alembic import op

from trustportal.protection import DEFINER, WEB, WORKER

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_SAID = "((heading::text || ' '::text) || text::text)"
_TRUST = "NULLIF(current_setting('app.trust_id', true), '')::uuid"
#: Of words that stand nearly everywhere, so many texts are ranked, and nobody looks for pieces of them.
_RANKED = 2_000
# It unpacks a whole tree: the cost tells PostgreSQL to ask the index, also where there are few editions yet.
_WORDS_SAID = """
CREATE FUNCTION words_said(p_tree jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
  SELECT array_agg(one ->> 'words') FROM jsonb_array_elements(p_tree) one
$$
"""
# What is asked is put into one condition, so that PostgreSQL joins the indexes' answers before it reads a text. Nothing
# that is typed is in it, only the numbers of the parts.
_SEARCH = f"""
CREATE OR REPLACE FUNCTION find_clauses(p_queries text[], p_inside text[], p_limit integer)
RETURNS TABLE (words text, of_trust text, clause_key text, edition_ids uuid[], inside boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  here CONSTANT uuid := {_TRUST};
  one_query tsquery;
  queries tsquery[] := '{{}}';
  patterns text[] := '{{}}';
  asked text := '';
  as_word text;
  as_words text := 'true';
  hashes text[];
  wholes boolean[];
BEGIN
  FOR at IN 1 .. cardinality(p_queries) LOOP
    one_query := to_tsquery('english'::regconfig, p_queries[at]);
    CONTINUE WHEN numnode(one_query) = 0;
    queries := queries || one_query;
    patterns := patterns || p_inside[at];
    as_word := replace(' AND c.searched @@ $1[#]', '#', cardinality(queries)::text);
    as_words := as_words || as_word;
    IF p_inside[at] IS NOT NULL AND {_RANKED} > (
         SELECT count(*) FROM (SELECT FROM clause_text c WHERE c.trust_id = here AND c.searched @@ one_query
                                LIMIT {_RANKED}) hit) THEN
      asked := asked || replace(
        $or$ AND (c.searched @@ $1[#] OR {_SAID} ILIKE $2[#])$or$, '#', cardinality(queries)::text);
    ELSE
      asked := asked || as_word;
    END IF;
  END LOOP;
  IF asked = '' THEN
    RETURN;
  END IF;
  EXECUTE 'WITH every AS MATERIALIZED ('
    '  SELECT c.hash, c.searched, ' || as_words || ' AS whole FROM clause_text c WHERE c.trust_id = $3' || asked ||
    '   ORDER BY whole DESC, c.hash LIMIT {_RANKED}),'
    ' said AS ('
    '  SELECT e.hash, e.whole FROM every e ORDER BY e.whole DESC, ts_rank(e.searched, $4) DESC, e.hash LIMIT $5)'
    ' SELECT array_agg(hash::text), array_agg(whole) FROM said'
    INTO hashes, wholes
    USING queries, patterns, here, to_tsquery('english'::regconfig, array_to_string(p_queries, ' & ')), p_limit;
  RETURN QUERY
    SELECT said.hash, NULL::text, NULL::text, '{{}}'::uuid[], NOT said.whole
      FROM unnest(hashes, wholes) WITH ORDINALITY AS said(hash, whole, at)
     ORDER BY said.at;
  RETURN QUERY
    WITH found AS MATERIALIZED (
      SELECT e.id, e.tree
        FROM edition e
       WHERE e.trust_id = here AND e.state = 'approved' AND words_said(e.tree) && hashes)
    SELECT one ->> 'words', CASE one ->> 'origin' WHEN 'trust' THEN one ->> 'template_words' END, one ->> 'key',
           array_agg(f.id), NULL::boolean
      FROM found f CROSS JOIN LATERAL jsonb_array_elements(f.tree) one
     WHERE one ->> 'words' IN (SELECT unnest(hashes))
     GROUP BY 1, 2, 3;
END $$
"""


def upgrade() -> None:
    op.execute("DROP INDEX ix_clause_text_searched")
    op.execute(
        "ALTER TABLE clause_text ADD COLUMN searched tsvector"
        f" GENERATED ALWAYS AS (to_tsvector('english'::regconfig, {_SAID})) STORED"
    )
    op.execute("CREATE INDEX ix_clause_text_searched ON clause_text USING gin (searched)")
    op.execute(_WORDS_SAID)
    # Whoever writes an edition writes its index.
    op.execute("REVOKE ALL ON FUNCTION words_said(jsonb) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION words_said(jsonb) TO {WEB}, {WORKER}, {DEFINER}")
    op.execute("DROP INDEX ix_edition_words")
    op.execute("CREATE INDEX ix_edition_words ON edition USING gin (words_said(tree))")
    # What was written since the last vacuum would wait in a list that every search reads through: just after a version
    # reached two hundred schools, that was three quarters of a search.
    for index in ("ix_clause_text_searched", "ix_clause_text_inside", "ix_edition_words"):
        op.execute(f"ALTER INDEX {index} SET (fastupdate = off)")
    # Replaced: its owner and who may call it stay what they are.
    op.get_bind().exec_driver_sql(_SEARCH)


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
