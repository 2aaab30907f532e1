"""Alembic's door: run by `trustportal.migrate` with a connection of the migration role."""

from __future__ import annotations

from alembic import context

import trustportal.acceptance.models
import trustportal.kernel_models
import trustportal.policies.models
import trustportal.tenants.models  # noqa: F401
from trustportal.db import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
