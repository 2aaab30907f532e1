"""Allegations: who receives them (approved by trustees), what is recorded, receipts, and how a case is disposed of.

What a case holds can be added to and never removed, until two people agreed that it goes: then one function, which
only workers may call, removes it and leaves the case's reference and the links of its chain.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from trustportal.protection import DEFINER, WORKER, Protected, Reach, Writes, statements

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PROTECTED = (
    Protected("allegation_routing", writes=Writes.KEEP),
    Protected("case_receipt", Reach.CASE_ROUTED, Writes.APPEND),
    Protected("case_record", Reach.CASE, Writes.APPEND),
    Protected("disposal_ask", Reach.OWN, Writes.KEEP),
)
#: Security-definer functions, and who may call them.
FUNCTIONS = {"dispose_of_case(uuid, uuid, bytea)": WORKER}
#: What is removed of a case: rows that point at others first.
OF_A_CASE = (
    "case_record",
    "case_receipt",
    "case_note",
    "case_document",
    "case_signature",
    "case_assignee",
    "case_task",
    "case_deadline",
    "case_recusal",
    "case_subject",
    "case_participant",
    "case_event_payload",
)
#: Tables of which the functions' owner removes rows.
DISPOSED = (*OF_A_CASE, "outbox", "notice")

# As before, but for what the disposal of a case removes.
_REFUSE_CHANGE = f"""
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND TG_TABLE_NAME LIKE 'case!_%' ESCAPE '!' AND current_user = '{DEFINER}'
     AND current_setting('app.disposing', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'rows of % are only added, never changed or removed', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$
"""
_FREEZE_SIGNATURE = f"""
CREATE OR REPLACE FUNCTION freeze_case_signature() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF current_user = '{DEFINER}' AND current_setting('app.disposing', true) = 'on' THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'a signature is never removed' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.voided_at IS NOT NULL OR to_jsonb(OLD) - 'voided_at' IS DISTINCT FROM to_jsonb(NEW) - 'voided_at' THEN
    RAISE EXCEPTION 'a signature is voided, and never changed' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
_FREEZE_DOCUMENT = f"""
CREATE OR REPLACE FUNCTION freeze_case_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF current_user = '{DEFINER}' AND current_setting('app.disposing', true) = 'on' THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'a letter is never removed' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.pdf IS NOT NULL OR (OLD.key, OLD.visit, OLD.title, OLD.to_id, OLD.sealed, OLD.written_at)
     IS DISTINCT FROM (NEW.key, NEW.visit, NEW.title, NEW.to_id, NEW.sealed, NEW.written_at) THEN
    RAISE EXCEPTION 'a letter never changes once it is written' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
_FREEZE_ROUTING = """
CREATE FUNCTION freeze_allegation_routing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.state <> 'proposed' THEN
    RAISE EXCEPTION 'a table that was decided on never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.content, OLD.reason, OLD.proposed_by, OLD.proposed_at)
     IS DISTINCT FROM (NEW.content, NEW.reason, NEW.proposed_by, NEW.proposed_at) THEN
    RAISE EXCEPTION 'a table that was proposed is decided on as it stands' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
#: Triggers that keep rows as they are: table, function.
FREEZING = (("allegation_routing", "freeze_allegation_routing"),)

# Two different people agreed, the case is closed, nothing holds it: then all that people wrote goes, and who took part.
_DISPOSE = f"""
CREATE FUNCTION dispose_of_case(p_trust uuid, p_case uuid, p_nothing bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF session_user <> '{WORKER}' OR p_trust IS DISTINCT FROM NULLIF(current_setting('app.trust_id', true), '')::uuid THEN
    RAISE EXCEPTION 'the case of another trust' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM 1 FROM workflow_case WHERE trust_id = p_trust AND id = p_case AND closed_at IS NOT NULL AND NOT legal_hold
    FOR UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  IF (SELECT count(DISTINCT person_id) FROM disposal_ask WHERE trust_id = p_trust AND case_id = p_case
        AND ended_at IS NULL AND answer = 'agreed' AND seat IN ('dpo', 'chair')) < 2 THEN
    RETURN false;
  END IF;
  PERFORM set_config('app.disposing', 'on', true);
  DELETE FROM outbox WHERE trust_id = p_trust AND done_at IS NOT NULL AND (
    payload ->> 'case_id' = p_case::text
    OR payload ->> 'intake_id' = p_case::text
    OR payload ->> 'document_id' IN (SELECT id::text FROM case_document WHERE trust_id = p_trust AND case_id = p_case)
    OR payload ->> 'deadline_id' IN (SELECT id::text FROM case_deadline WHERE trust_id = p_trust AND case_id = p_case));
  DELETE FROM notice WHERE trust_id = p_trust AND path LIKE '%/cases/' || p_case::text || '%';
  UPDATE mail SET body = replace(body::text, p_case::text, 'disposed')::jsonb
   WHERE trust_id = p_trust AND body::text LIKE '%' || p_case::text || '%';
  DELETE_LINES
  UPDATE workflow_case SET sealed = p_nothing, starter_id = NULL, keep_until = NULL, revision = revision + 1
   WHERE trust_id = p_trust AND id = p_case;
  UPDATE register_entry SET case_id = NULL WHERE trust_id = p_trust AND case_id = p_case;
  UPDATE disposal_ask SET disposed_at = now(), ended_at = now()
   WHERE trust_id = p_trust AND case_id = p_case AND ended_at IS NULL;
  PERFORM set_config('app.disposing', 'off', true);
  RETURN true;
END $$
""".replace(
    "DELETE_LINES",
    "\n  ".join(f"DELETE FROM {table} WHERE trust_id = p_trust AND case_id = p_case;" for table in OF_A_CASE),
)


def upgrade() -> None:
    op.create_table(
        "allegation_routing",
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("content", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.String(length=400), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'approved') = (number IS NOT NULL)",
            name=op.f("ck_allegation_routing_approved_table_has_a_number"),
        ),
        sa.CheckConstraint(
            "decided_by <> proposed_by", name=op.f("ck_allegation_routing_nobody_approves_their_own_table")
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "decided_by"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_allegation_routing_trust_id_decided_by"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "proposed_by"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_allegation_routing_trust_id_proposed_by"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_allegation_routing_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allegation_routing")),
        sa.UniqueConstraint("trust_id", "id", name="uq_allegation_routing_trust"),
        sa.UniqueConstraint("trust_id", "number", name="uq_allegation_routing_number"),
    )
    op.create_index(
        "uq_allegation_routing_proposed",
        "allegation_routing",
        ["trust_id"],
        unique=True,
        postgresql_where="state = 'proposed'",
    )
    op.create_table(
        "case_receipt",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_receipt_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_receipt_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_receipt")),
        sa.UniqueConstraint("trust_id", "code_hash", name="uq_case_receipt_code"),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_receipt_trust"),
    )
    op.create_table(
        "case_record",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_record_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "recorded_by"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_record_trust_id_recorded_by"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_record_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_record")),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_record_trust"),
    )
    op.create_index("ix_case_record_case", "case_record", ["trust_id", "case_id"], unique=False)
    op.create_table(
        "disposal_ask",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("seat", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("basis", sa.String(length=20), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_disposal_ask_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_disposal_ask_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_disposal_ask_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposal_ask")),
        sa.UniqueConstraint("trust_id", "id", name="uq_disposal_ask_trust"),
    )
    op.create_index(
        "uq_disposal_ask_open",
        "disposal_ask",
        ["trust_id", "case_id", "seat"],
        unique=True,
        postgresql_where="ended_at IS NULL",
    )

    for rule in PROTECTED:
        for line in statements(rule):
            op.execute(line)
    for table in DISPOSED:
        op.execute(f"GRANT DELETE ON {table} TO {DEFINER}")
    for body in (_REFUSE_CHANGE, _FREEZE_SIGNATURE, _FREEZE_DOCUMENT, _FREEZE_ROUTING, _DISPOSE):
        op.get_bind().exec_driver_sql(body.replace("%", "%%"))
    for table, function in FREEZING:
        op.execute(
            f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    for function, callers in FUNCTIONS.items():
        op.execute(f"ALTER FUNCTION {function} OWNER TO {DEFINER}")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {callers}")


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
