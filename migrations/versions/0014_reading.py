"""Row-level security asks for each setting once in a statement, not for every row."""

from __future__ import annotations

from alembic import op

from trustportal.protection import RESTRICTIONS, Reach, restriction

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # By the names that `statements` gives: whatever an earlier migration made of a table, its policy says its reach.
    found = op.get_bind().exec_driver_sql(
        "SELECT tablename, policyname FROM pg_policies WHERE schemaname = current_schema() ORDER BY 1, 2"
    )
    for table, policy in found.all():
        reach = policy.removeprefix(f"{table}_")
        if reach in RESTRICTIONS:
            op.execute(f"ALTER POLICY {policy} ON {table} {restriction(Reach(reach))}")


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
