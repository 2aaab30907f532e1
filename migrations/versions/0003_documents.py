"""Bringing policies in: a joining school's own policy beside the trust's, and many files in one ZIP."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from trustportal.protection import Protected, Reach, Writes, statements

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PROTECTED = (
    Protected("joining", Reach.SCHOOL, Writes.KEEP),
    Protected("joining_pair", Reach.SCHOOL, Writes.KEEP),
    Protected("import_batch"),
    Protected("import_entry"),
)


def _keys(table: str, *more: sa.schema.SchemaItem) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        *more,
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f(f"fk_{table}_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("trust_id", "id", name=f"uq_{table}_trust"),
    ]


def _points_at(table: str, other: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["trust_id", column], [f"{other}.trust_id", f"{other}.id"], name=op.f(f"fk_{table}_trust_id_{column}")
    )


def upgrade() -> None:
    op.create_table(
        "joining",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        *_keys(
            "joining",
            _points_at("joining", "policy", "policy_id"),
            _points_at("joining", "school", "school_id"),
            _points_at("joining", "template_version", "version_id"),
        ),
    )
    op.create_index(
        "uq_joining_open",
        "joining",
        ["trust_id", "school_id", "policy_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "joining_pair",
        sa.Column("joining_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kin", sa.String(length=20), nullable=False),
        sa.Column("clause_key", sa.String(length=80), nullable=True),
        sa.Column("proposal", sa.String(length=20), nullable=False),
        sa.Column("anchor_key", sa.String(length=80), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("own_heading", sa.String(), nullable=False),
        sa.Column("own_text", sa.String(), nullable=False),
        sa.Column("heading", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("choice", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        *_keys(
            "joining_pair",
            sa.CheckConstraint(
                "choice IS NULL OR choice IN ('accept', 'drop')",
                name=op.f("ck_joining_pair_joining_choices"),
            ),
            sa.CheckConstraint(
                "choice <> 'accept' OR reason <> ''", name=op.f("ck_joining_pair_accepted_pair_has_a_reason")
            ),
            sa.CheckConstraint(
                "(choice IS NULL) = (decided_at IS NULL)",
                name=op.f("ck_joining_pair_decided_pair_has_its_time"),
            ),
            _points_at("joining_pair", "joining", "joining_id"),
            sa.UniqueConstraint("trust_id", "joining_id", "position", name="uq_joining_pair_position"),
        ),
    )
    op.create_table(
        "import_batch",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        *_keys("import_batch", _points_at("import_batch", "person", "person_id")),
    )
    op.create_table(
        "import_entry",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("reading_id", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        *_keys(
            "import_entry",
            _points_at("import_entry", "import_batch", "batch_id"),
            _points_at("import_entry", "import_reading", "reading_id"),
            sa.UniqueConstraint("trust_id", "batch_id", "position", name="uq_import_entry_position"),
        ),
    )
    for rule in PROTECTED:
        for line in statements(rule):
            op.execute(line)


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
