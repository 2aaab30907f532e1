"""What people are told and what jobs have to do is hidden from the web; escalations, stand-ins, disposal of any case.

Until here the web's role could read everybody's notices, mail and outbox rows: they say that there is a case.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from trustportal.protection import DEFINER, WEB, WORKER, Protected, Reach, Writes, statements

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NEW = (
    Protected("case_escalation", Reach.CASE_ROUTED, Writes.APPEND),
    Protected("stand_in", writes=Writes.KEEP),
    # Written in demonstration mode only.
    Protected("demonstration_mail"),
)
TIGHTER = (
    Protected("notice", Reach.TOLD, Writes.KEEP),
    Protected("mail", Reach.TOLD, Writes.KEEP),
    Protected("outbox", Reach.JOBS, Writes.KEEP),
)
PROTECTED = (*NEW, *TIGHTER)
#: Security-definer functions, and who may call them.
FUNCTIONS = {
    "withdraw_notices(uuid, uuid, text)": f"{WEB}, {WORKER}",
    "dispose_of_case(uuid, uuid, bytea)": WORKER,
}
#: What is removed of a case: rows that point at others first.
OF_A_CASE = (
    "case_escalation",
    "case_hold",
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
DISPOSED = (*OF_A_CASE, "outbox", "notice", "alarm", "demonstration_mail")

# Whoever becomes the subject of a case is told nothing more of it from that moment. The web cannot read what others are
# to be told, so a function takes it back: for jobs, and for whoever takes part in the case that the address is of.
_WITHDRAW = f"""
CREATE FUNCTION withdraw_notices(p_trust uuid, p_person uuid, p_path text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  never uuid := gen_random_uuid();
BEGIN
  IF p_trust IS DISTINCT FROM NULLIF(current_setting('app.trust_id', true), '')::uuid
     OR NOT (session_user = '{WORKER}'
             OR EXISTS (SELECT 1 FROM my_cases() m WHERE p_path LIKE '%/cases/' || m::text)) THEN
    RAISE EXCEPTION 'what others are told' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM 1 FROM notice WHERE trust_id = p_trust AND person_id = p_person AND path = p_path AND mail_id IS NULL
    FOR UPDATE;
  IF FOUND THEN
    -- Notices are kept: they count as gathered into a mail that never goes.
    INSERT INTO mail (id, trust_id, person_id, to_address, to_name, subject, body, message_id, state, created_at)
    VALUES (never, p_trust, p_person, '', '', '', '{{"lines": []}}', '', 'withdrawn', now());
    UPDATE notice SET mail_id = never
     WHERE trust_id = p_trust AND person_id = p_person AND path = p_path AND mail_id IS NULL;
  END IF;
  UPDATE mail m SET body = jsonb_set(m.body, '{{lines}}', l.kept),
         state = CASE WHEN l.kept = '[]'::jsonb THEN 'withdrawn' ELSE m.state END
    FROM (SELECT q.id, coalesce(jsonb_agg(line ORDER BY n) FILTER (WHERE line ->> 'path' IS DISTINCT FROM p_path),
                                '[]'::jsonb) AS kept
            FROM mail q, jsonb_array_elements(q.body -> 'lines') WITH ORDINALITY AS e(line, n)
           WHERE q.trust_id = p_trust AND q.person_id = p_person AND q.state = 'queued' GROUP BY q.id
          HAVING bool_or(line ->> 'path' = p_path)) l
   WHERE m.trust_id = p_trust AND m.id = l.id;
END $$
"""
# As before, for every kind of case, with what had been forgotten: why advice was sought, alarms, what was told of it.
_DISPOSE = f"""
CREATE OR REPLACE FUNCTION dispose_of_case(p_trust uuid, p_case uuid, p_nothing bytea) RETURNS boolean
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
  DELETE FROM demonstration_mail WHERE trust_id = p_trust AND lines::text LIKE '%' || p_case::text || '%';
  UPDATE mail m SET subject = 'Disposed of', body = jsonb_set(m.body, '{{lines}}',
         (SELECT coalesce(jsonb_agg(line ORDER BY n), '[]'::jsonb)
            FROM jsonb_array_elements(m.body -> 'lines') WITH ORDINALITY AS e(line, n)
           WHERE line::text NOT LIKE '%' || p_case::text || '%'))
   WHERE m.trust_id = p_trust AND m.body::text LIKE '%' || p_case::text || '%';
  DELETE FROM alarm WHERE trust_id = p_trust
     AND task_id IN (SELECT id FROM case_task WHERE trust_id = p_trust AND case_id = p_case UNION SELECT p_case);
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
        "case_escalation",
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_escalation_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_case_escalation_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_escalation_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_escalation")),
        sa.UniqueConstraint("trust_id", "id", name="uq_case_escalation_trust"),
    )
    op.create_index(
        "uq_case_escalation_once",
        "case_escalation",
        ["trust_id", "case_id", "visit", "tier", "person_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "stand_in",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("named_by", sa.Uuid(), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("person_id <> named_by", name=op.f("ck_stand_in_nobody_names_themself")),
        sa.ForeignKeyConstraint(
            ["trust_id", "named_by"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_stand_in_trust_id_named_by"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_stand_in_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_stand_in_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stand_in")),
        sa.UniqueConstraint("trust_id", "id", name="uq_stand_in_trust"),
    )
    op.create_index(
        "uq_stand_in_one",
        "stand_in",
        ["trust_id", "person_id"],
        unique=True,
        postgresql_where="ended_at IS NULL",
    )
    op.create_table(
        "demonstration_mail",
        sa.Column("mail_id", sa.Uuid(), nullable=False),
        sa.Column("to_address", sa.String(length=320), nullable=False),
        sa.Column("to_name", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "mail_id"],
            ["mail.trust_id", "mail.id"],
            name=op.f("fk_demonstration_mail_trust_id_mail_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_demonstration_mail_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demonstration_mail")),
        sa.UniqueConstraint("trust_id", "id", name="uq_demonstration_mail_trust"),
        sa.UniqueConstraint("trust_id", "mail_id", name="uq_demonstration_mail_once"),
    )
    for rule in NEW:
        for line in statements(rule):
            op.execute(line)
    op.execute("DROP POLICY notice_place ON notice")
    for rule in TIGHTER:
        for line in statements(rule):
            if line.startswith(f"CREATE POLICY {rule.table}_{rule.reach} "):
                op.execute(line)
    for body in (_WITHDRAW, _DISPOSE):
        op.get_bind().exec_driver_sql(body.replace("%", "%%"))
    op.execute(f"ALTER FUNCTION withdraw_notices(uuid, uuid, text) OWNER TO {DEFINER}")
    op.execute("REVOKE ALL ON FUNCTION withdraw_notices(uuid, uuid, text) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION withdraw_notices(uuid, uuid, text) TO {WEB}, {WORKER}")
    for table in ("case_escalation", "case_hold", "alarm", "demonstration_mail"):
        op.execute(f"GRANT DELETE ON {table} TO {DEFINER}")


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
