"""Workflows: definitions, cases that only those who take part can see, the register of accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from trustportal.protection import DEFINER, WEB, WORKER, Protected, Reach, Writes, statements

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PROTECTED = (
    Protected("workflow_definition", writes=Writes.KEEP),
    Protected("workflow_version"),
    Protected("workflow_override", Reach.SCHOOL),
    Protected("school_break", Reach.SCHOOL),
    Protected("trust_key", writes=Writes.APPEND),
    Protected("tie", Reach.OWN, Writes.KEEP),
    Protected("case_intake", Reach.OWN),
    Protected("workflow_case", Reach.CASES, Writes.KEEP),
    Protected("case_participant", Reach.CASE_ROUTED, Writes.KEEP),
    Protected("case_subject", Reach.CASE, Writes.APPEND),
    Protected("case_task", Reach.CASE, Writes.KEEP),
    Protected("case_assignee", Reach.CASE_ROUTED, Writes.KEEP),
    Protected("case_recusal", Reach.CASE, Writes.APPEND),
    Protected("case_deadline", Reach.CASE, Writes.KEEP),
    Protected("case_signature", Reach.CASE, Writes.KEEP),
    Protected("case_note", Reach.CASE, Writes.APPEND),
    Protected("case_document", Reach.CASE, Writes.KEEP),
    Protected("case_event", Reach.CASE, Writes.CHAIN),
    Protected("case_event_payload", Reach.CASE, Writes.CHAIN),
    Protected("case_head", Reach.CASE, Writes.READ),
    Protected("alarm", Reach.OWN, Writes.KEEP),
    Protected("register_entry", Reach.PLACE, Writes.KEEP),
    Protected("register_person", Reach.PLACE, Writes.KEEP),
    Protected("register_flag", Reach.PLACE, Writes.KEEP),
)
#: Security-definer functions, and who may call them.
FUNCTIONS = {
    "my_cases()": f"{WEB}, {WORKER}",
    "append_case_event(uuid, uuid, uuid, text, uuid, text, bytea, bytea)": f"{WEB}, {WORKER}",
}

_MY_CASES = """
CREATE FUNCTION my_cases() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT p.case_id FROM case_participant p
   WHERE p.trust_id = NULLIF(current_setting('app.trust_id', true), '')::uuid
     AND p.person_id = NULLIF(current_setting('app.person_id', true), '')::uuid AND p.until_at IS NULL
     AND NOT EXISTS (SELECT 1 FROM case_subject s
                      WHERE s.trust_id = p.trust_id AND s.case_id = p.case_id AND s.person_id = p.person_id)
$$
"""
# Whoever takes part in a case adds to its chain; so do jobs. The role that connected says which it is: inside the
# function the current one is the function's owner.
_APPEND = f"""
CREATE FUNCTION append_case_event(p_trust uuid, p_case uuid, p_id uuid, p_action text, p_actor uuid, p_entry text,
                                  p_salt bytea, p_sealed bytea)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  head case_head%ROWTYPE;
  link bytea;
BEGIN
  IF p_trust IS DISTINCT FROM NULLIF(current_setting('app.trust_id', true), '')::uuid
     OR NOT (session_user = '{WORKER}' OR EXISTS (SELECT 1 FROM my_cases() m WHERE m = p_case)) THEN
    RAISE EXCEPTION 'the chain of another case' USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO case_head (trust_id, case_id, position, hash) VALUES (p_trust, p_case, 0, ''::bytea)
    ON CONFLICT DO NOTHING;
  SELECT * INTO head FROM case_head WHERE trust_id = p_trust AND case_id = p_case FOR UPDATE;
  link := sha256(head.hash || convert_to((head.position + 1)::text || p_entry, 'UTF8'));
  INSERT INTO case_event (trust_id, case_id, position, id, at, action, actor_id, entry, hash)
  VALUES (p_trust, p_case, head.position + 1, p_id, ((p_entry::jsonb) ->> 'at')::timestamptz, p_action, p_actor,
          p_entry, link);
  INSERT INTO case_event_payload (trust_id, event_id, case_id, salt, sealed)
  VALUES (p_trust, p_id, p_case, p_salt, p_sealed);
  UPDATE case_head SET position = head.position + 1, hash = link WHERE trust_id = p_trust AND case_id = p_case;
END $$
"""
_FREEZE_VERSION = """
CREATE FUNCTION freeze_workflow_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = 'published' THEN
    RAISE EXCEPTION 'a published workflow never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$
"""
# A signature is voided, and nothing else about it changes; a document's PDF is stored once.
_FREEZE_SIGNATURE = """
CREATE FUNCTION freeze_case_signature() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a signature is never removed' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.voided_at IS NOT NULL OR to_jsonb(OLD) - 'voided_at' IS DISTINCT FROM to_jsonb(NEW) - 'voided_at' THEN
    RAISE EXCEPTION 'a signature is voided, and never changed' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
_FREEZE_DOCUMENT = """
CREATE FUNCTION freeze_case_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a letter is never removed' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.pdf IS NOT NULL OR (OLD.key, OLD.visit, OLD.title, OLD.to_id, OLD.sealed, OLD.written_at)
     IS DISTINCT FROM (NEW.key, NEW.visit, NEW.title, NEW.to_id, NEW.sealed, NEW.written_at) THEN
    RAISE EXCEPTION 'a letter never changes once it is written' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
#: Triggers that keep rows as they are: table, function.
FREEZING = (
    ("workflow_version", "freeze_workflow_version"),
    ("case_signature", "freeze_case_signature"),
    ("case_document", "freeze_case_document"),
)


def upgrade() -> None:
    op.create_table(
        "trust_key",
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_trust_key_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trust_key")),
        sa.UniqueConstraint("trust_id", "id", name="uq_trust_key_trust"),
        sa.UniqueConstraint("trust_id", name="uq_trust_key_one"),
    )
    op.create_table(
        "workflow_definition",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_workflow_definition_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_definition")),
        sa.UniqueConstraint("trust_id", "id", name="uq_workflow_definition_trust"),
        sa.UniqueConstraint("trust_id", "key", name="uq_workflow_definition_key"),
    )
    op.create_table(
        "alarm",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_alarm_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_alarm_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
        sa.UniqueConstraint("trust_id", "id", name="uq_alarm_trust"),
    )
    op.create_index(
        "ix_alarm_person",
        "alarm",
        ["trust_id", "person_id"],
        unique=False,
        postgresql_where="cleared_at IS NULL",
    )
    op.create_table(
        "register_entry",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("platform", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("official_email", sa.String(length=320), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("custodian_id", sa.Uuid(), nullable=True),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("go_live_on", sa.Date(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closing_note", sa.String(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "custodian_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_register_entry_trust_id_custodian_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "owner_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_register_entry_trust_id_owner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_register_entry_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_register_entry_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_entry")),
        sa.UniqueConstraint("trust_id", "id", name="uq_register_entry_trust"),
    )
    op.create_index(
        "ix_register_entry_school", "register_entry", ["trust_id", "school_id", "closed_on"], unique=False
    )
    op.create_table(
        "school_break",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("to_on >= from_on", name=op.f("ck_school_break_break_ends_after_it_begins")),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_school_break_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_school_break_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_break")),
        sa.UniqueConstraint("trust_id", "id", name="uq_school_break_trust"),
    )
    op.create_table(
        "tie",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("person_id <> other_id", name=op.f("ck_tie_tie_joins_two_people")),
        sa.ForeignKeyConstraint(
            ["trust_id", "other_id"], ["person.trust_id", "person.id"], name=op.f("fk_tie_trust_id_other_id")
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_tie_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_tie_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tie")),
        sa.UniqueConstraint("trust_id", "id", name="uq_tie_trust"),
    )
    op.create_table(
        "workflow_override",
        sa.Column("definition_id", sa.Uuid(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "definition_id"],
            ["workflow_definition.trust_id", "workflow_definition.id"],
            name=op.f("fk_workflow_override_trust_id_definition_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_workflow_override_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_workflow_override_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_override")),
        sa.UniqueConstraint("trust_id", "definition_id", "school_id", name="uq_workflow_override_school"),
        sa.UniqueConstraint("trust_id", "id", name="uq_workflow_override_trust"),
    )
    op.create_table(
        "workflow_version",
        sa.Column("definition_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("content", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("shipped_hash", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'draft') = (number IS NULL)",
            name=op.f("ck_workflow_version_published_workflow_has_a_number"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "definition_id"],
            ["workflow_definition.trust_id", "workflow_definition.id"],
            name=op.f("fk_workflow_version_trust_id_definition_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_workflow_version_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_version")),
        sa.UniqueConstraint("trust_id", "definition_id", "number", name="uq_workflow_version_number"),
        sa.UniqueConstraint("trust_id", "id", name="uq_workflow_version_trust"),
    )
    op.create_index(
        "uq_workflow_version_draft",
        "workflow_version",
        ["trust_id", "definition_id"],
        unique=True,
        postgresql_where="state = 'draft'",
    )
    op.create_table(
        "case_intake",
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_intake_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_case_intake_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "version_id"],
            ["workflow_version.trust_id", "workflow_version.id"],
            name=op.f("fk_case_intake_trust_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_intake_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_intake")),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_intake_trust"),
    )
    op.create_index("ix_case_intake_person", "case_intake", ["trust_id", "person_id"], unique=False)
    op.create_table(
        "register_flag",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "entry_id"],
            ["register_entry.trust_id", "register_entry.id"],
            name=op.f("fk_register_flag_trust_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_register_flag_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_register_flag_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_flag")),
        sa.UniqueConstraint("trust_id", "id", name="uq_register_flag_trust"),
    )
    op.create_index(
        "uq_register_flag_open",
        "register_flag",
        ["trust_id", "entry_id", "kind"],
        unique=True,
        postgresql_where="cleared_at IS NULL",
    )
    op.create_table(
        "register_person",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.String(length=20), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "entry_id"],
            ["register_entry.trust_id", "register_entry.id"],
            name=op.f("fk_register_person_trust_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_register_person_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_register_person_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_register_person_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_person")),
        sa.UniqueConstraint("trust_id", "id", name="uq_register_person_trust"),
    )
    op.create_index(
        "uq_register_person_one",
        "register_person",
        ["trust_id", "entry_id", "part", "person_id"],
        unique=True,
        postgresql_where="to_on IS NULL",
    )
    op.create_table(
        "workflow_case",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("starter_id", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("keep_until", sa.Date(), nullable=True),
        sa.Column("legal_hold", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_workflow_case_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "starter_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_workflow_case_trust_id_starter_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "version_id"],
            ["workflow_version.trust_id", "workflow_version.id"],
            name=op.f("fk_workflow_case_trust_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_workflow_case_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_case")),
        sa.UniqueConstraint("trust_id", "id", name="uq_workflow_case_trust"),
        sa.UniqueConstraint("trust_id", "reference", name="uq_workflow_case_reference"),
    )
    op.create_index(
        "ix_workflow_case_school", "workflow_case", ["trust_id", "school_id", "closed_at"], unique=False
    )
    op.create_table(
        "case_deadline",
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_deadline_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_deadline_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_deadline")),
        sa.UniqueConstraint("trust_id", "case_id", "visit", "kind", name="uq_case_deadline_kind"),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_deadline_trust"),
    )
    op.create_index(
        "ix_case_deadline_due",
        "case_deadline",
        ["trust_id", "due_on"],
        unique=False,
        postgresql_where="ended_at IS NULL",
    )
    op.create_table(
        "case_document",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_document_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "to_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_document_trust_id_to_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_document_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_document")),
        sa.UniqueConstraint("trust_id", "case_id", "visit", "key", name="uq_case_document_key"),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_document_trust"),
    )
    op.create_table(
        "case_event",
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("entry", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_event_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_event_trust_id")),
        sa.PrimaryKeyConstraint("trust_id", "case_id", "position", name=op.f("pk_case_event")),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_event_trust"),
    )
    op.create_table(
        "case_event_payload",
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_event_payload_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_event_payload_trust_id")),
        sa.PrimaryKeyConstraint("trust_id", "event_id", name=op.f("pk_case_event_payload")),
    )
    op.create_table(
        "case_head",
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_head_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_head_trust_id")),
        sa.PrimaryKeyConstraint("trust_id", "case_id", name=op.f("pk_case_head")),
    )
    op.create_table(
        "case_note",
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "author_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_note_trust_id_author_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_note_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_note_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_note")),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_note_trust"),
    )
    op.create_table(
        "case_participant",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.String(length=20), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("because", sa.String(length=20), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_participant_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_participant_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_participant_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_participant")),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_participant_trust"),
    )
    op.create_index(
        "ix_case_participant_person",
        "case_participant",
        ["trust_id", "person_id"],
        unique=False,
        postgresql_where="until_at IS NULL",
    )
    op.create_index(
        "uq_case_participant_one",
        "case_participant",
        ["trust_id", "case_id", "person_id", "part"],
        unique=True,
        postgresql_where="until_at IS NULL",
    )
    op.create_table(
        "case_recusal",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_recusal_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_recusal_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_recusal_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_recusal")),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_recusal_trust"),
    )
    op.create_table(
        "case_signature",
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("seat", sa.String(length=60), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("role_label", sa.String(length=200), nullable=False),
        sa.Column("statement", sa.String(length=400), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_signature_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_signature_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_signature_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_signature")),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_signature_trust"),
    )
    op.create_table(
        "case_subject",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_subject_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_subject_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_subject_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_subject")),
        sa.UniqueConstraint("trust_id", "case_id", "person_id", name="uq_case_subject_person"),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_subject_trust"),
    )
    op.create_table(
        "case_task",
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("seat", sa.String(length=60), nullable=False),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Uuid(), nullable=True),
        sa.Column("wanted_id", sa.Uuid(), nullable=True),
        sa.Column("stuck_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_task_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "done_by"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_task_trust_id_done_by"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_task_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_task")),
        sa.UniqueConstraint("trust_id", "case_id", "visit", "seat", name="uq_case_task_seat"),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_task_trust"),
    )
    op.create_index(
        "ix_case_task_open",
        "case_task",
        ["trust_id", "case_id"],
        unique=False,
        postgresql_where="ended_at IS NULL",
    )
    op.create_table(
        "case_assignee",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_assignee_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_assignee_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "task_id"],
            ["case_task.trust_id", "case_task.id"],
            name=op.f("fk_case_assignee_trust_id_task_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_assignee_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_assignee")),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_assignee_trust"),
    )
    op.create_index(
        "ix_case_assignee_person",
        "case_assignee",
        ["trust_id", "person_id"],
        unique=False,
        postgresql_where="until_at IS NULL",
    )
    op.create_index(
        "uq_case_assignee_one",
        "case_assignee",
        ["trust_id", "task_id", "person_id"],
        unique=True,
        postgresql_where="until_at IS NULL",
    )

    for function in (_MY_CASES, _APPEND, _FREEZE_VERSION, _FREEZE_SIGNATURE, _FREEZE_DOCUMENT):
        op.get_bind().exec_driver_sql(function.replace("%", "%%"))
    # The functions' owner needs its rights before the first policy that calls one is used.
    for function, callers in FUNCTIONS.items():
        op.execute(f"ALTER FUNCTION {function} OWNER TO {DEFINER}")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {callers}")
    for rule in PROTECTED:
        for line in statements(rule):
            op.execute(line)
    for table, function in FREEZING:
        op.execute(
            f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    raise RuntimeError("cases are not taken back: restore a backup instead")
