"""Who sees an earlier case because of a later one about the same person is seen there by nobody else.

Whoever looks after the earlier case would learn that there is a later one, and may be whom it is about.
"""

from __future__ import annotations

from alembic import op

from trustportal.protection import Protected, Reach, Writes, statements

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

PROTECTED = (Protected("case_participant", Reach.TAKING_PART, Writes.KEEP),)


def upgrade() -> None:
    op.execute("DROP POLICY case_participant_case_routed ON case_participant")
    for rule in PROTECTED:
        for line in statements(rule):
            if line.startswith(f"CREATE POLICY {rule.table}_{rule.reach} "):
                op.execute(line)


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
