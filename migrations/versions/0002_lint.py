"""What people said about findings of lint, and reviews that superseded law or guidance opens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from trustportal.protection import Protected, Reach, Writes, statements

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PROTECTED = (
    Protected("lint_answer", Reach.PLACE, Writes.APPEND),
    Protected("guidance_review", writes=Writes.KEEP),
)


def upgrade() -> None:
    op.create_table(
        "guidance_review",
        sa.Column("record", sa.String(length=80), nullable=False),
        sa.Column("superseded_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("roles", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("clauses", sa.Integer(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closing_note", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL)",
            name=op.f("ck_guidance_review_closed_review_says_when"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_guidance_review_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guidance_review")),
        sa.UniqueConstraint("trust_id", "id", name="uq_guidance_review_trust"),
        sa.UniqueConstraint("trust_id", "record", name="uq_guidance_review_record"),
    )
    op.create_table(
        "lint_answer",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=10), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("clause_key", sa.String(length=80), nullable=False),
        sa.Column("clause_label", sa.String(length=80), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "severity <> 'error' OR reason <> ''", name=op.f("ck_lint_answer_waived_error_has_a_reason")
        ),
        sa.CheckConstraint(
            "severity IN ('error', 'warning')", name=op.f("ck_lint_answer_only_what_asks_is_answered")
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_lint_answer_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_lint_answer_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_lint_answer_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_lint_answer_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lint_answer")),
        sa.UniqueConstraint("trust_id", "id", name="uq_lint_answer_trust"),
    )
    op.create_index(
        "uq_lint_answer_mark",
        "lint_answer",
        ["trust_id", "policy_id", sa.literal_column("COALESCE(school_id, trust_id)"), "mark"],
        unique=True,
    )

    for rule in PROTECTED:
        for line in statements(rule):
            op.execute(line)


def downgrade() -> None:
    raise RuntimeError("acknowledgements are part of the record: restore a backup instead")
