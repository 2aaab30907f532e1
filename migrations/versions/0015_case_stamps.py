"""Time stamps of the anchors of the cases' chains."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from trustportal.protection import Protected, Reach, Writes, statements

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

PROTECTED = (Protected("case_stamp", Reach.KEPT, Writes.APPEND),)


def upgrade() -> None:
    op.create_table(
        "case_stamp",
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.Column("anchored_on", sa.Date(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("stamped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("authority", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_stamp_trust_id")),
        sa.PrimaryKeyConstraint("trust_id", "anchored_on", name=op.f("pk_case_stamp")),
    )
    for rule in PROTECTED:
        for line in statements(rule):
            op.execute(line)


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
