"""Questions, absences, one-time codes, certificates, evidence packs, line managers, the schedule of reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from trustportal.protection import DEFINER, WEB, Protected, Reach, Writes, statements

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PROTECTED = (
    Protected("absence", Reach.PLACE, Writes.KEEP),
    Protected("evidence_pack", Reach.PLACE, Writes.KEEP),
    Protected("line_management", Reach.PLACE),
    Protected("signing_certificate", Reach.MINE_TOO, Writes.APPEND),
    Protected("signing_code", Reach.PLACE, Writes.KEEP),
    Protected("signing_question", Reach.MINE_TOO, Writes.KEEP),
    Protected("signing_schedule", writes=Writes.KEEP),
)
#: Security-definer functions, and who may call them.
FUNCTIONS = {"find_signing_code(bytea, date)": WEB}

#: Who has a printed code, before any trust is known: ids, and whether and where they serve today.
FIND_SIGNING_CODE = """
CREATE FUNCTION find_signing_code(p_hash bytea, p_today date)
RETURNS TABLE (code_id uuid, trust_id uuid, person_id uuid, expires_at timestamptz, used_at timestamptz,
               ended_at timestamptz, school_ids uuid[], serves boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT c.id, c.trust_id, c.person_id, c.expires_at, c.used_at, c.ended_at,
         array_agg(DISTINCT m.school_id) FILTER (WHERE m.school_id IS NOT NULL), count(m.id) > 0
    FROM signing_code c
    LEFT JOIN membership m ON m.trust_id = c.trust_id AND m.person_id = c.person_id
         AND m.from_on <= p_today AND (m.to_on IS NULL OR m.to_on >= p_today)
   WHERE c.code_hash = p_hash
   GROUP BY c.id
$$
"""


def upgrade() -> None:
    op.create_table(
        "signing_schedule",
        sa.Column("choices", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_signing_schedule_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_schedule")),
        sa.UniqueConstraint("trust_id", "id", name="uq_signing_schedule_trust"),
        sa.UniqueConstraint("trust_id", name="uq_signing_schedule_trust_id"),
    )
    op.create_table(
        "absence",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "to_on IS NULL OR to_on >= from_on", name=op.f("ck_absence_absence_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_absence_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_absence_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_absence_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
        sa.UniqueConstraint("trust_id", "id", name="uq_absence_trust"),
    )
    op.create_index("ix_absence_place", "absence", ["trust_id", "school_id", "person_id"], unique=False)
    op.create_table(
        "evidence_pack",
        sa.Column("academic_year", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("faults", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("blob_hash", sa.String(length=64), nullable=True),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_evidence_pack_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_evidence_pack_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_pack")),
        sa.UniqueConstraint("trust_id", "id", name="uq_evidence_pack_trust"),
    )
    op.create_table(
        "line_management",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("manager_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "person_id <> manager_id", name=op.f("ck_line_management_nobody_manages_themself")
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "manager_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_line_management_trust_id_manager_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_line_management_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_line_management_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_line_management_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_management")),
        sa.UniqueConstraint("trust_id", "id", name="uq_line_management_trust"),
    )
    op.create_index(
        "uq_line_management_person",
        "line_management",
        ["trust_id", sa.literal_column("COALESCE(school_id, trust_id)"), "person_id"],
        unique=True,
    )
    op.create_table(
        "signing_code",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_signing_code_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_signing_code_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_signing_code_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_code")),
        sa.UniqueConstraint("code_hash", name="uq_signing_code_hash"),
        sa.UniqueConstraint("trust_id", "id", name="uq_signing_code_trust"),
    )
    op.create_index(
        "ix_signing_code_place", "signing_code", ["trust_id", "school_id", "person_id"], unique=False
    )
    op.create_table(
        "signing_question",
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("routed_to", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'answered') = (answered_at IS NOT NULL)",
            name=op.f("ck_signing_question_answered_question_has_its_time"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "assignment_id"],
            ["assignment.trust_id", "assignment.id"],
            name=op.f("fk_signing_question_trust_id_assignment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_signing_question_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_signing_question_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_signing_question_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_question")),
        sa.UniqueConstraint("trust_id", "id", name="uq_signing_question_trust"),
    )
    op.create_index(
        "ix_signing_question_assignment", "signing_question", ["trust_id", "assignment_id"], unique=False
    )
    op.create_index(
        "ix_signing_question_place", "signing_question", ["trust_id", "school_id", "state"], unique=False
    )
    op.create_table(
        "signing_certificate",
        sa.Column("signature_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("paper", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("pdf_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_signing_certificate_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_signing_certificate_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "signature_id"],
            ["signature.trust_id", "signature.id"],
            name=op.f("fk_signing_certificate_trust_id_signature_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_signing_certificate_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_certificate")),
        sa.UniqueConstraint("trust_id", "id", name="uq_signing_certificate_trust"),
        sa.UniqueConstraint("trust_id", "signature_id", name="uq_signing_certificate_signature"),
    )
    op.add_column("assignment", sa.Column("paused_on", sa.Date(), nullable=True))
    op.add_column("assignment", sa.Column("escalated", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("assignment", "escalated", server_default=None)
    op.add_column("signature", sa.Column("witness", postgresql.JSONB(astext_type=Text()), nullable=True))
    # What was signed before has the first form of the record.
    op.add_column("signature", sa.Column("record_version", sa.Integer(), nullable=False, server_default="1"))
    op.alter_column("signature", "record_version", server_default=None)

    for rule in PROTECTED:
        for line in statements(rule):
            op.execute(line)
    op.execute(FIND_SIGNING_CODE)
    for function, callers in FUNCTIONS.items():
        op.execute(f"ALTER FUNCTION {function} OWNER TO {DEFINER}")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {callers}")


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
