"""Beside cases: why advice is sought, figures frozen each term, the register of interests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from trustportal.protection import Protected, Reach, Writes, statements

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PROTECTED = (
    Protected("case_hold", Reach.OWN, Writes.KEEP),
    Protected("case_figure", Reach.OWN, Writes.APPEND),
    Protected("interest_entry", writes=Writes.KEEP),
)


def upgrade() -> None:
    op.create_table(
        "case_figure",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("term", sa.String(length=20), nullable=False),
        sa.Column("workflow", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("began", sa.Integer(), nullable=True),
        sa.Column("ended", sa.Integer(), nullable=True),
        sa.Column("in_time", sa.String(length=20), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_figure_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_figure_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_figure")),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_figure_trust"),
        sa.UniqueConstraint("trust_id", "person_id", "term", "workflow", name="uq_case_figure_one"),
    )
    op.create_table(
        "case_hold",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("referred", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_hold_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_hold_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_hold_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_hold")),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_hold_trust"),
    )
    op.create_index("ix_case_hold_case", "case_hold", ["trust_id", "case_id"], unique=False)
    op.create_table(
        "interest_entry",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("tie_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.String(length=400), nullable=False),
        sa.Column("declared_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "other_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_interest_entry_trust_id_other_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_interest_entry_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_interest_entry_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest_entry")),
        sa.UniqueConstraint("trust_id", "id", name="uq_interest_entry_trust"),
        sa.UniqueConstraint("trust_id", "tie_id", name="uq_interest_entry_tie"),
    )
    for rule in PROTECTED:
        for line in statements(rule):
            op.execute(line)


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
