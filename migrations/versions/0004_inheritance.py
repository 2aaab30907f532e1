"""What a version will do at each place, reminders and forcing, the search of clauses, redlines on paper."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from trustportal.protection import DEFINER, WEB, Protected, Reach, statements

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PROTECTED = (
    Protected("outlook"),
    Protected("outlook_place", Reach.PLACE),
    Protected("redline_pdf"),
)

#: PostgreSQL uses no index for a search under row-level security, because its operators could tell of rows that are
#: hidden. So the search runs as the definer, inside the trust of the transaction, and returns ids only: what they
#: stand for is read under row-level security.
FUNCTIONS = {"search_clauses(text, integer)": WEB}
_SEARCH = """
CREATE FUNCTION search_clauses(p_query text, p_limit integer)
RETURNS TABLE (words text, of_trust text, clause_key text, edition_ids uuid[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH asked AS (SELECT to_tsquery('english'::regconfig, p_query) AS query),
  said AS MATERIALIZED (
    SELECT c.hash::text AS hash
      FROM clause_text c, asked a
     WHERE c.trust_id = NULLIF(current_setting('app.trust_id', true), '')::uuid
       AND to_tsvector('english'::regconfig, (heading::text || ' '::text) || text::text) @@ a.query
     ORDER BY ts_rank(to_tsvector('english'::regconfig, (heading::text || ' '::text) || text::text), a.query) DESC,
              c.hash
     LIMIT p_limit),
  found AS MATERIALIZED (
    SELECT e.id, e.tree
      FROM edition e
     WHERE e.trust_id = NULLIF(current_setting('app.trust_id', true), '')::uuid AND e.state = 'approved'
       AND jsonb_path_query_array(e.tree, '$[*]."words"') ?| ARRAY(SELECT hash FROM said))
  SELECT s.hash, NULL::text, NULL::text, '{}'::uuid[] FROM said s
  UNION ALL
  SELECT one ->> 'words', CASE one ->> 'origin' WHEN 'trust' THEN one ->> 'template_words' END, one ->> 'key',
         array_agg(f.id)
    FROM found f CROSS JOIN LATERAL jsonb_array_elements(f.tree) one
   WHERE one ->> 'words' IN (SELECT hash FROM said)
   GROUP BY 1, 2, 3
$$
"""


def upgrade() -> None:
    op.create_table(
        "outlook",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_outlook_trust_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_outlook_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlook")),
        sa.UniqueConstraint("trust_id", "id", name="uq_outlook_trust"),
        sa.UniqueConstraint("trust_id", "version_id", name="uq_outlook_version"),
    )
    op.create_table(
        "outlook_place",
        sa.Column("outlook_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "outlook_id"],
            ["outlook.trust_id", "outlook.id"],
            name=op.f("fk_outlook_place_trust_id_outlook_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_outlook_place_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_outlook_place_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlook_place")),
        sa.UniqueConstraint("trust_id", "id", name="uq_outlook_place_trust"),
    )
    op.create_index(
        "uq_outlook_place",
        "outlook_place",
        ["trust_id", "outlook_id", sa.literal_column("COALESCE(school_id, trust_id)")],
        unique=True,
    )
    op.create_table(
        "redline_pdf",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("old_version_id", sa.Uuid(), nullable=True),
        sa.Column("old_edition_id", sa.Uuid(), nullable=True),
        sa.Column("new_version_id", sa.Uuid(), nullable=True),
        sa.Column("new_edition_id", sa.Uuid(), nullable=True),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("blob_hash", sa.String(length=64), nullable=True),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(old_version_id IS NULL) <> (old_edition_id IS NULL)"
            " AND (new_version_id IS NULL) <> (new_edition_id IS NULL)",
            name=op.f("ck_redline_pdf_redline_compares_two_texts"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "new_edition_id"],
            ["edition.trust_id", "edition.id"],
            name=op.f("fk_redline_pdf_trust_id_new_edition_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "new_version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_redline_pdf_trust_id_new_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "old_edition_id"],
            ["edition.trust_id", "edition.id"],
            name=op.f("fk_redline_pdf_trust_id_old_edition_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "old_version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_redline_pdf_trust_id_old_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_redline_pdf_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_redline_pdf_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redline_pdf")),
        sa.UniqueConstraint("trust_id", "id", name="uq_redline_pdf_trust"),
        sa.UniqueConstraint("trust_id", "key", name="uq_redline_pdf_key"),
    )
    op.create_index(
        "ix_clause_text_searched",
        "clause_text",
        [sa.literal_column("to_tsvector('english'::regconfig, (heading::text || ' '::text) || text::text)")],
        unique=False,
        postgresql_using="gin",
    )
    op.create_index(
        "ix_edition_words",
        "edition",
        [sa.literal_column("jsonb_path_query_array(tree, '$[*].\"words\"')")],
        unique=False,
        postgresql_using="gin",
    )
    op.add_column(
        "publication_place",
        sa.Column("detail", postgresql.JSONB(astext_type=Text()), nullable=False, server_default="{}"),
    )
    op.add_column("reconcile", sa.Column("reminded_on", sa.Date(), nullable=True))
    op.add_column("reconcile", sa.Column("forced_reason", sa.String(), nullable=False, server_default=""))
    # What stands there already got its value; new rows get theirs from the code.
    op.alter_column("publication_place", "detail", server_default=None)
    op.alter_column("reconcile", "forced_reason", server_default=None)

    op.get_bind().exec_driver_sql(_SEARCH)
    for rule in PROTECTED:
        for line in statements(rule):
            op.execute(line)
    for function, callers in FUNCTIONS.items():
        op.execute(f"ALTER FUNCTION {function} OWNER TO {DEFINER}")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {callers}")


def downgrade() -> None:
    raise RuntimeError("a migration is not taken back: restore a backup instead")
