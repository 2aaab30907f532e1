"""${message}

A new table of a trust needs its `Protected` line in this file, or the catalogue test fails. Row-level security is
forced on the owner too: a data migration loops over trusts (`SELECT set_config('app.trust_id', …, true)`) and
asserts how many rows it changed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
