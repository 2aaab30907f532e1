"""The first tables, with row-level security, roles' rights, functions and triggers.

A new table of a trust needs its `Protected` line in its migration, or the catalogue test fails.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from trustportal.protection import BACKUP, DEFINER, WEB, WORKER, Protected, Reach, Writes, statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PROTECTED = (
    Protected("trust", writes=Writes.KEEP, trust_column="id"),
    Protected("audit_event", Reach.PLACE, Writes.CHAIN),
    Protected("audit_head", writes=Writes.READ),
    Protected("audit_payload", Reach.PLACE, Writes.CHAIN),
    Protected("blob", writes=Writes.APPEND),
    Protected("campaign"),
    Protected("clause_text", writes=Writes.APPEND),
    Protected("outbox", writes=Writes.KEEP),
    Protected("person", Reach.PEOPLE, Writes.KEEP),
    Protected("placeholder"),
    Protected("policy"),
    Protected("schedule_run", writes=Writes.APPEND),
    Protected("school", Reach.SCHOOLS, Writes.KEEP),
    Protected("added_clause", Reach.SCHOOL),
    Protected("campaign_policy"),
    Protected("import_reading"),
    Protected("invitation"),
    Protected("mail", writes=Writes.KEEP),
    Protected("membership", Reach.PLACE, Writes.KEEP),
    Protected("override", Reach.SCHOOL),
    Protected("placeholder_value", Reach.PLACE),
    Protected("policy_place", Reach.PLACE),
    Protected("template_version"),
    Protected("draft_clause"),
    Protected("edition", Reach.PLACE, Writes.KEEP),
    Protected("notice", Reach.PLACE, Writes.KEEP),
    Protected("publication"),
    Protected("reconcile", Reach.SCHOOL),
    Protected("standing", Reach.PLACE),
    Protected("version_pdf", writes=Writes.APPEND),
    Protected("approval_run", Reach.PLACE),
    Protected("assignment", Reach.PLACE),
    Protected("publication_place", Reach.PLACE),
    Protected("reconcile_clause", Reach.SCHOOL),
    Protected("approval_decision", Reach.PLACE, Writes.APPEND),
    Protected("approval_member", Reach.PLACE),
    Protected("signature", Reach.MINE_TOO, Writes.APPEND),
    Protected("signature_trace", Reach.PLACE),
)
#: Tables that belong to no trust: how people sign in, and the pulse of the processes.
GLOBAL = {
    "account": "SELECT, INSERT, UPDATE",
    "web_session": "SELECT, INSERT, UPDATE, DELETE",
    "sign_in_failure": "SELECT, INSERT, DELETE",
    "heartbeat": "SELECT, INSERT, UPDATE",
}
#: Security-definer functions, and who may call them.
FUNCTIONS = {
    "sign_on(bytea, text, timestamptz, date)": WEB,
    "account_trusts(uuid, date)": f"{WEB}, {WORKER}",
    "find_trust(text)": f"{WEB}, {WORKER}",
    "find_public_place(text, text)": WEB,
    "find_invitation(bytea)": WEB,
    "find_printed(text)": WEB,
    "trust_ids()": WORKER,
    "lease_outbox(integer, integer)": WORKER,
    "release_outbox(uuid[])": WORKER,
    "outbox_oldest()": f"{WEB}, {WORKER}",
    "append_audit(uuid, uuid, text, uuid, text, bytea, text)": f"{WEB}, {WORKER}",
}


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tf_primary_method", sa.String(length=64), nullable=True),
        sa.Column("tf_totp_secret", sa.String(length=255), nullable=True),
        sa.Column("totp_last_counter", sa.Integer(), nullable=True),
        sa.Column("mf_recovery_codes", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("create_datetime", sa.DateTime(timezone=True), nullable=False),
        sa.Column("update_datetime", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_account_fs_uniquifier")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failure")),
    )
    op.create_index("ix_sign_in_failure_key_at", "sign_in_failure", ["key", "at"], unique=False)
    op.create_table(
        "trust",
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=False),
        sa.Column("logo_hash", sa.String(length=64), nullable=True),
        sa.Column("settings", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trust")),
        sa.UniqueConstraint("slug", name=op.f("uq_trust_slug")),
    )
    op.create_table(
        "audit_event",
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("entry", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_audit_event_trust_id")),
        sa.PrimaryKeyConstraint("trust_id", "position", name=op.f("pk_audit_event")),
        sa.UniqueConstraint("trust_id", "id", name="uq_audit_event_trust"),
    )
    op.create_table(
        "audit_head",
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_audit_head_trust_id")),
        sa.PrimaryKeyConstraint("trust_id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_payload",
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_audit_payload_trust_id")),
        sa.PrimaryKeyConstraint("trust_id", "event_id", name=op.f("pk_audit_payload")),
    )
    op.create_table(
        "blob",
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_blob_trust_id")),
        sa.PrimaryKeyConstraint("trust_id", "hash", name=op.f("pk_blob")),
    )
    op.create_table(
        "campaign",
        sa.Column("academic_year", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("roles", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("places", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("joiner_days", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL)",
            name=op.f("ck_campaign_closed_campaign_has_its_time"),
        ),
        sa.CheckConstraint("due_on >= opens_on", name=op.f("ck_campaign_campaign_is_due_after_it_opens")),
        sa.CheckConstraint("joiner_days BETWEEN 1 AND 90", name=op.f("ck_campaign_joiners_have_some_days")),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_campaign_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("trust_id", "academic_year", "title", name="uq_campaign_title"),
        sa.UniqueConstraint("trust_id", "id", name="uq_campaign_trust"),
    )
    op.create_table(
        "clause_text",
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("heading", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_clause_text_trust_id")),
        sa.PrimaryKeyConstraint("trust_id", "hash", name=op.f("pk_clause_text")),
    )
    op.create_table(
        "outbox",
        sa.Column("event", sa.String(length=80), nullable=False),
        sa.Column("job", sa.String(length=120), nullable=False),
        sa.Column("queue", sa.String(length=20), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=120), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_outbox_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("trust_id", "id", name="uq_outbox_trust"),
    )
    op.create_index(
        "ix_outbox_undone",
        "outbox",
        ["created_at"],
        unique=False,
        postgresql_where="done_at IS NULL AND failed_at IS NULL",
    )
    op.create_table(
        "person",
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("job_title", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_person_account_id")),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_person_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("trust_id", "account_id", name="uq_person_account"),
        sa.UniqueConstraint("trust_id", "email", name="uq_person_email"),
        sa.UniqueConstraint("trust_id", "id", name="uq_person_trust"),
    )
    op.create_index("ix_person_account", "person", ["account_id"], unique=False)
    op.create_table(
        "placeholder",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("hint", sa.String(length=400), nullable=False),
        sa.Column("example", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_placeholder_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placeholder")),
        sa.UniqueConstraint("trust_id", "id", name="uq_placeholder_trust"),
        sa.UniqueConstraint("trust_id", "name", name="uq_placeholder_name"),
    )
    op.create_table(
        "policy",
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("numbering", sa.String(length=20), nullable=False),
        sa.Column("places", sa.String(length=10), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("route", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_policy_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy")),
        sa.UniqueConstraint("trust_id", "id", name="uq_policy_trust"),
        sa.UniqueConstraint("trust_id", "slug", name="uq_policy_slug"),
    )
    op.create_table(
        "schedule_run",
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("slot", sa.String(length=40), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_schedule_run_trust_id")),
        sa.PrimaryKeyConstraint("trust_id", "name", "slot", name=op.f("pk_schedule_run")),
    )
    op.create_table(
        "school",
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("short_name", sa.String(length=80), nullable=False),
        sa.Column("phase", sa.String(length=40), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("role_labels", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "closes_on IS NULL OR closes_on > joined_on", name=op.f("ck_school_school_closes_after_it_joins")
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_school_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school")),
        sa.UniqueConstraint("trust_id", "id", name="uq_school_trust"),
        sa.UniqueConstraint("trust_id", "slug", name="uq_school_slug"),
    )
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("content", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_web_session_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_web_session_token_hash")),
    )
    op.create_index(op.f("ix_web_session_account_id"), "web_session", ["account_id"], unique=False)
    op.create_table(
        "added_clause",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("after_key", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("heading", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("weight", sa.String(length=20), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_added_clause_added_clause_has_a_reason")),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_added_clause_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_added_clause_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_added_clause_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_added_clause")),
        sa.UniqueConstraint("trust_id", "id", name="uq_added_clause_trust"),
        sa.UniqueConstraint("trust_id", "school_id", "policy_id", "key", name="uq_added_clause_key"),
    )
    op.create_table(
        "campaign_policy",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "campaign_id"],
            ["campaign.trust_id", "campaign.id"],
            name=op.f("fk_campaign_policy_trust_id_campaign_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_campaign_policy_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_campaign_policy_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_policy")),
        sa.UniqueConstraint("trust_id", "campaign_id", "policy_id", name="uq_campaign_policy"),
        sa.UniqueConstraint("trust_id", "id", name="uq_campaign_policy_trust"),
    )
    op.create_table(
        "import_reading",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=True),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("source_hash", sa.String(length=64), nullable=False),
        sa.Column("reading", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_import_reading_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_import_reading_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_import_reading_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_reading")),
        sa.UniqueConstraint("trust_id", "id", name="uq_import_reading_trust"),
    )
    op.create_table(
        "invitation",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_invitation_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_invitation_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name="uq_invitation_token"),
        sa.UniqueConstraint("trust_id", "id", name="uq_invitation_trust"),
    )
    op.create_table(
        "mail",
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("to_address", sa.String(length=320), nullable=False),
        sa.Column("to_name", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_mail_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_mail_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("trust_id", "id", name="uq_mail_trust"),
    )
    op.create_table(
        "membership",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("acting", sa.Boolean(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "to_on IS NULL OR to_on >= from_on", name=op.f("ck_membership_membership_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_membership_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_membership_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_membership_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("trust_id", "id", name="uq_membership_trust"),
    )
    op.create_index("ix_membership_person", "membership", ["trust_id", "person_id"], unique=False)
    op.create_index("ix_membership_place", "membership", ["trust_id", "school_id", "role"], unique=False)
    op.create_table(
        "override",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("clause_key", sa.String(length=80), nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("heading", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("weight", sa.String(length=20), nullable=False),
        sa.Column("base_heading", sa.String(), nullable=False),
        sa.Column("base_text", sa.String(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("answer IN ('replace', 'leave_out')", name=op.f("ck_override_override_answers")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_override_override_has_a_reason")),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_override_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_override_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_override_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_override")),
        sa.UniqueConstraint("trust_id", "id", name="uq_override_trust"),
        sa.UniqueConstraint("trust_id", "school_id", "policy_id", "clause_key", name="uq_override_clause"),
    )
    op.create_table(
        "placeholder_value",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.String(length=400), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_placeholder_value_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_placeholder_value_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placeholder_value")),
        sa.UniqueConstraint("trust_id", "id", name="uq_placeholder_value_trust"),
    )
    op.create_index(
        "uq_placeholder_value_place",
        "placeholder_value",
        ["trust_id", sa.literal_column("COALESCE(school_id, trust_id)"), "name"],
        unique=True,
    )
    op.create_table(
        "policy_place",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_policy_place_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_policy_place_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_policy_place_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_place")),
        sa.UniqueConstraint("trust_id", "id", name="uq_policy_place_trust"),
    )
    op.create_index(
        "uq_policy_place",
        "policy_place",
        ["trust_id", "policy_id", sa.literal_column("COALESCE(school_id, trust_id)")],
        unique=True,
    )
    op.create_table(
        "template_version",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("based_on_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("header", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("tree", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("marks", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("author_ids", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("decide_by", sa.Date(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("draft_pdf_hash", sa.String(length=64), nullable=True),
        sa.Column("draft_pdf_of", sa.Integer(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state <> 'published' OR number IS NOT NULL",
            name=op.f("ck_template_version_published_version_has_a_number"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "based_on_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_template_version_trust_id_based_on_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_template_version_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_template_version_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_version")),
        sa.UniqueConstraint("trust_id", "id", name="uq_template_version_trust"),
        sa.UniqueConstraint("trust_id", "policy_id", "number", name="uq_template_version_number"),
    )
    op.create_index(
        "uq_template_version_one_draft",
        "template_version",
        ["trust_id", "policy_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('draft', 'submitted', 'approved')"),
    )
    op.create_table(
        "draft_clause",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("parent_key", sa.String(length=80), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("heading", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("needs_agreement", sa.Boolean(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_draft_clause_trust_id_version_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_draft_clause_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_clause")),
        sa.UniqueConstraint("trust_id", "id", name="uq_draft_clause_trust"),
        sa.UniqueConstraint("trust_id", "version_id", "key", name="uq_draft_clause_key"),
        sa.UniqueConstraint(
            "trust_id",
            "version_id",
            "position",
            deferrable=True,
            initially="DEFERRED",
            name="uq_draft_clause_position",
        ),
    )
    op.create_table(
        "edition",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("template_version_id", sa.Uuid(), nullable=False),
        sa.Column("previous_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("major", sa.Integer(), nullable=False),
        sa.Column("minor", sa.Integer(), nullable=True),
        sa.Column("header", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("place_name", sa.String(length=200), nullable=False),
        sa.Column("tree", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("answers", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("material", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approvals", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("in_force_announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pdf_hash", sa.String(length=64), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state <> 'approved' OR (effective_on IS NOT NULL AND approved_at IS NOT NULL AND minor IS NOT NULL)",
            name=op.f("ck_edition_approved_edition_has_its_dates"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_edition_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "previous_id"],
            ["edition.trust_id", "edition.id"],
            name=op.f("fk_edition_trust_id_previous_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_edition_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "template_version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_edition_trust_id_template_version_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_edition_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
        sa.UniqueConstraint("trust_id", "id", name="uq_edition_trust"),
    )
    op.create_index("ix_edition_announced", "edition", ["trust_id", "in_force_announced_at"], unique=False)
    op.create_index("ix_edition_content", "edition", ["content_hash"], unique=False)
    op.create_index(
        "ix_edition_place",
        "edition",
        ["trust_id", "school_id", "policy_id", "state", "effective_on"],
        unique=False,
    )
    op.create_index(
        "uq_edition_number",
        "edition",
        ["trust_id", "policy_id", sa.literal_column("COALESCE(school_id, trust_id)"), "major", "minor"],
        unique=True,
        postgresql_where=sa.text("state = 'approved'"),
    )
    op.create_table(
        "notice",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mail_id", sa.Uuid(), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "mail_id"], ["mail.trust_id", "mail.id"], name=op.f("fk_notice_trust_id_mail_id")
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_notice_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_notice_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("trust_id", "id", name="uq_notice_trust"),
    )
    op.create_table(
        "publication",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_publication_trust_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_publication_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        sa.UniqueConstraint("trust_id", "id", name="uq_publication_trust"),
        sa.UniqueConstraint("trust_id", "version_id", name="uq_publication_version"),
    )
    op.create_table(
        "reconcile",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("from_version_id", sa.Uuid(), nullable=False),
        sa.Column("to_version_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("follows", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "from_version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_reconcile_trust_id_from_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_reconcile_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_reconcile_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "to_version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_reconcile_trust_id_to_version_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_reconcile_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconcile")),
        sa.UniqueConstraint("trust_id", "id", name="uq_reconcile_trust"),
    )
    op.create_index(
        "uq_reconcile_open",
        "reconcile",
        ["trust_id", "school_id", "policy_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "standing",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("release_due", sa.Boolean(), nullable=False),
        sa.Column("missing", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_standing_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_standing_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_standing_trust_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_standing_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing")),
        sa.UniqueConstraint("trust_id", "id", name="uq_standing_trust"),
    )
    op.create_index(
        "uq_standing_place",
        "standing",
        ["trust_id", "policy_id", sa.literal_column("COALESCE(school_id, trust_id)")],
        unique=True,
    )
    op.create_table(
        "version_pdf",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("blob_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_version_pdf_trust_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_version_pdf_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version_pdf")),
        sa.UniqueConstraint("trust_id", "id", name="uq_version_pdf_trust"),
        sa.UniqueConstraint("trust_id", "version_id", name="uq_version_pdf_version"),
    )
    op.create_table(
        "approval_run",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("edition_id", sa.Uuid(), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("stages", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(version_id IS NULL) <> (edition_id IS NULL)", name=op.f("ck_approval_run_run_judges_one_thing")
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "edition_id"],
            ["edition.trust_id", "edition.id"],
            name=op.f("fk_approval_run_trust_id_edition_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_approval_run_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_approval_run_trust_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_approval_run_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_run")),
        sa.UniqueConstraint("trust_id", "id", name="uq_approval_run_trust"),
    )
    op.create_index("ix_approval_run_open", "approval_run", ["trust_id", "state"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_because", sa.String(length=20), nullable=True),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_because IS NOT NULL)",
            name=op.f("ck_assignment_closed_assignment_says_why"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "campaign_id"],
            ["campaign.trust_id", "campaign.id"],
            name=op.f("fk_assignment_trust_id_campaign_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "edition_id"],
            ["edition.trust_id", "edition.id"],
            name=op.f("fk_assignment_trust_id_edition_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_assignment_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_assignment_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_assignment_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_assignment_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        sa.UniqueConstraint("trust_id", "id", name="uq_assignment_trust"),
    )
    op.create_index("ix_assignment_person", "assignment", ["trust_id", "person_id", "state"], unique=False)
    op.create_index(
        "ix_assignment_place", "assignment", ["trust_id", "campaign_id", "school_id", "state"], unique=False
    )
    op.create_index(
        "uq_assignment_open",
        "assignment",
        ["trust_id", "policy_id", sa.literal_column("COALESCE(school_id, trust_id)"), "person_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "publication_place",
        sa.Column("publication_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "publication_id"],
            ["publication.trust_id", "publication.id"],
            name=op.f("fk_publication_place_trust_id_publication_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_publication_place_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication_place")),
        sa.UniqueConstraint("trust_id", "id", name="uq_publication_place_trust"),
    )
    op.create_index(
        "uq_publication_place",
        "publication_place",
        ["trust_id", "publication_id", sa.literal_column("COALESCE(school_id, trust_id)")],
        unique=True,
    )
    op.create_table(
        "reconcile_clause",
        sa.Column("reconcile_id", sa.Uuid(), nullable=False),
        sa.Column("clause_key", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("situation", sa.String(length=40), nullable=False),
        sa.Column("texts", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("choice", sa.String(length=20), nullable=True),
        sa.Column("written_heading", sa.String(), nullable=False),
        sa.Column("written_text", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(choice IS NULL) = (decided_at IS NULL)",
            name=op.f("ck_reconcile_clause_decided_clause_has_a_choice"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "reconcile_id"],
            ["reconcile.trust_id", "reconcile.id"],
            name=op.f("fk_reconcile_clause_trust_id_reconcile_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_reconcile_clause_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconcile_clause")),
        sa.UniqueConstraint("trust_id", "id", name="uq_reconcile_clause_trust"),
        sa.UniqueConstraint("trust_id", "reconcile_id", "clause_key", name="uq_reconcile_clause_key"),
    )
    op.create_table(
        "approval_decision",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("role_label", sa.String(length=120), nullable=False),
        sa.Column("choice", sa.String(length=20), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.String(length=200), nullable=False),
        sa.Column("minute_reference", sa.String(length=120), nullable=False),
        sa.Column("met_on", sa.Date(), nullable=True),
        sa.Column("quorum_met", sa.Boolean(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "choice <> 'changes' OR comment <> ''",
            name=op.f("ck_approval_decision_asking_for_changes_says_which"),
        ),
        sa.CheckConstraint(
            "choice <> 'minuted' OR (minute_reference <> '' AND met_on IS NOT NULL)",
            name=op.f("ck_approval_decision_minuted_decision_has_its_minute"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_approval_decision_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "run_id"],
            ["approval_run.trust_id", "approval_run.id"],
            name=op.f("fk_approval_decision_trust_id_run_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_approval_decision_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_decision")),
        sa.UniqueConstraint("trust_id", "id", name="uq_approval_decision_trust"),
    )
    op.create_index(
        "uq_approval_decision_vote",
        "approval_decision",
        ["trust_id", "run_id", "stage", "person_id"],
        unique=True,
        postgresql_where=sa.text("choice <> 'minuted'"),
    )
    op.create_table(
        "approval_member",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_approval_member_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "run_id"],
            ["approval_run.trust_id", "approval_run.id"],
            name=op.f("fk_approval_member_trust_id_run_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_approval_member_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_member")),
        sa.UniqueConstraint("trust_id", "id", name="uq_approval_member_trust"),
        sa.UniqueConstraint("trust_id", "run_id", "stage", "person_id", name="uq_approval_member"),
    )
    op.create_index("ix_approval_member_person", "approval_member", ["trust_id", "person_id"], unique=False)
    op.create_table(
        "signature",
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("policy_title", sa.String(length=200), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("edition_label", sa.String(length=40), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("pdf_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("roles", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("place_name", sa.String(length=200), nullable=False),
        sa.Column("academic_year", sa.Integer(), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("statement_version", sa.String(length=64), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("record_hash", sa.String(length=64), nullable=False),
        sa.Column("audit_event_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "assignment_id"],
            ["assignment.trust_id", "assignment.id"],
            name=op.f("fk_signature_trust_id_assignment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "edition_id"],
            ["edition.trust_id", "edition.id"],
            name=op.f("fk_signature_trust_id_edition_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_signature_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_signature_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_signature_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_signature_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature")),
        sa.UniqueConstraint("trust_id", "assignment_id", name="uq_signature_assignment"),
        sa.UniqueConstraint("trust_id", "id", name="uq_signature_trust"),
    )
    op.create_index("ix_signature_person", "signature", ["trust_id", "person_id", "policy_id"], unique=False)
    op.create_index("ix_signature_place", "signature", ["trust_id", "school_id", "policy_id"], unique=False)
    op.create_table(
        "signature_trace",
        sa.Column("signature_id", sa.Uuid(), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_signature_trace_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "signature_id"],
            ["signature.trust_id", "signature.id"],
            name=op.f("fk_signature_trace_trust_id_signature_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_signature_trace_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature_trace")),
        sa.UniqueConstraint("trust_id", "id", name="uq_signature_trace_trust"),
    )

    functions = (Path(__file__).parent.parent / "functions.sql").read_text()
    op.get_bind().exec_driver_sql(functions.replace("%", "%%"))
    for rule in PROTECTED:
        for line in statements(rule):
            op.execute(line)
    for table, rights in GLOBAL.items():
        op.execute(f"GRANT {rights} ON {table} TO {WEB}, {WORKER}")
        op.execute(f"GRANT SELECT, UPDATE ON {table} TO {DEFINER}")
        op.execute(f"GRANT SELECT ON {table} TO {BACKUP}")
    op.execute(
        "CREATE TRIGGER edition_frozen BEFORE UPDATE OR DELETE ON edition"
        " FOR EACH ROW EXECUTE FUNCTION freeze_edition()"
    )
    op.execute(
        "CREATE TRIGGER template_version_frozen BEFORE UPDATE OR DELETE ON template_version"
        " FOR EACH ROW EXECUTE FUNCTION freeze_version()"
    )
    for function, callers in FUNCTIONS.items():
        op.execute(f"ALTER FUNCTION {function} OWNER TO {DEFINER}")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {callers}")


def downgrade() -> None:
    raise RuntimeError("the first migration is not taken back: restore a backup instead")
