"""Approval routes as data, ratifications, drafts open for comment, reviews; policies of one school, and withdrawn ones.

An approval that has ended is never opened again, and one that runs keeps the stages with which it began: a trigger
sees to both.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from trustportal.protection import WEB, WORKER, Protected, Reach, Writes, statements

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NEW = (
    Protected("approval_route", Reach.PLACE),
    Protected("review_reminder", Reach.PLACE, Writes.APPEND),
    Protected("consultation", writes=Writes.KEEP),
    Protected("draft_comment", writes=Writes.KEEP),
    Protected("ratification", writes=Writes.APPEND),
)
#: A school's own policy is seen like any row of that school; an approval is never removed.
TIGHTER = (
    Protected("policy", Reach.PLACE),
    Protected("approval_run", Reach.PLACE, Writes.KEEP),
)
PROTECTED = (*NEW, *TIGHTER)

FREEZE_RUN = """
CREATE FUNCTION freeze_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'an approval is never removed' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state <> 'pending' AND NEW IS DISTINCT FROM OLD THEN
    RAISE EXCEPTION 'an approval that has ended is never opened again' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.trust_id, OLD.school_id, OLD.policy_id, OLD.version_id, OLD.edition_id, OLD.content_hash, OLD.stages,
      OLD.author_ids, OLD.reason, OLD.submitted_by, OLD.submitted_at)
     IS DISTINCT FROM
     (NEW.trust_id, NEW.school_id, NEW.policy_id, NEW.version_id, NEW.edition_id, NEW.content_hash, NEW.stages,
      NEW.author_ids, NEW.reason, NEW.submitted_by, NEW.submitted_at) THEN
    RAISE EXCEPTION 'an approval keeps what it was asked with' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "approval_route",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=True),
        sa.Column("steps", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind = 'edition' OR school_id IS NULL",
            name=op.f("ck_approval_route_versions_belong_to_the_trust"),
        ),
        sa.CheckConstraint(
            "kind IN ('version', 'edition')", name=op.f("ck_approval_route_route_is_of_a_kind")
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_approval_route_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_approval_route_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_approval_route_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_route")),
        sa.UniqueConstraint("trust_id", "id", name="uq_approval_route_trust"),
    )
    op.create_index(
        "uq_approval_route",
        "approval_route",
        [
            "trust_id",
            "kind",
            sa.literal_column("COALESCE(school_id, trust_id)"),
            sa.literal_column("COALESCE(policy_id, trust_id)"),
        ],
        unique=True,
    )
    op.create_table(
        "review_reminder",
        sa.Column("policy_id", sa.Uuid(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("slot_on", sa.Date(), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "policy_id"],
            ["policy.trust_id", "policy.id"],
            name=op.f("fk_review_reminder_trust_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_review_reminder_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_review_reminder_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_reminder")),
        sa.UniqueConstraint("trust_id", "id", name="uq_review_reminder_trust"),
    )
    op.create_index(
        "uq_review_reminder",
        "review_reminder",
        ["trust_id", "policy_id", sa.literal_column("COALESCE(school_id, trust_id)"), "review_on", "slot_on"],
        unique=True,
    )
    op.create_table(
        "consultation",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("roles", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "version_id"],
            ["template_version.trust_id", "template_version.id"],
            name=op.f("fk_consultation_trust_id_version_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_consultation_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation")),
        sa.UniqueConstraint("trust_id", "id", name="uq_consultation_trust"),
    )
    op.create_index(
        "uq_consultation_open",
        "consultation",
        ["trust_id", "version_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "draft_comment",
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("clause_key", sa.String(length=80), nullable=False),
        sa.Column("clause_mark", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("role_label", sa.String(length=200), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("resolved", sa.Boolean(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("words <> ''", name=op.f("ck_draft_comment_comment_says_something")),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (answered_by IS NULL)",
            name=op.f("ck_draft_comment_answer_has_its_author"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "consultation_id"],
            ["consultation.trust_id", "consultation.id"],
            name=op.f("fk_draft_comment_trust_id_consultation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_draft_comment_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_draft_comment_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_comment")),
        sa.UniqueConstraint("trust_id", "id", name="uq_draft_comment_trust"),
    )
    op.create_index(
        "ix_draft_comment_consultation",
        "draft_comment",
        ["trust_id", "consultation_id", "clause_key"],
        unique=False,
    )
    op.create_table(
        "ratification",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("body", sa.String(length=200), nullable=False),
        sa.Column("met_on", sa.Date(), nullable=False),
        sa.Column("minute_reference", sa.String(length=120), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "minute_reference <> ''", name=op.f("ck_ratification_ratification_has_its_minute")
        ),
        sa.CheckConstraint(
            "outcome IN ('ratified', 'not_ratified')", name=op.f("ck_ratification_ratification_outcomes")
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_ratification_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "run_id"],
            ["approval_run.trust_id", "approval_run.id"],
            name=op.f("fk_ratification_trust_id_run_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_ratification_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ratification")),
        sa.UniqueConstraint("trust_id", "id", name="uq_ratification_trust"),
        sa.UniqueConstraint("trust_id", "run_id", name="uq_ratification_run"),
    )
    op.add_column(
        "approval_run",
        sa.Column("author_ids", postgresql.JSONB(astext_type=Text()), nullable=False, server_default="[]"),
    )
    op.add_column("policy", sa.Column("withdrawn_on", sa.Date(), nullable=True))
    op.add_column("policy", sa.Column("withdrawn_because", sa.String(), nullable=True))
    op.add_column("policy", sa.Column("withdrawn_by", sa.Uuid(), nullable=True))
    op.add_column("policy", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("policy", sa.Column("school_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_policy_trust_id_school_id"),
        "policy",
        "school",
        ["trust_id", "school_id"],
        ["trust_id", "id"],
    )
    op.add_column("school", sa.Column("went_to", sa.String(length=200), nullable=False, server_default=""))
    op.add_column(
        "school", sa.Column("went_to_url", sa.String(length=300), nullable=False, server_default="")
    )
    op.add_column(
        "standing",
        sa.Column("author_ids", postgresql.JSONB(astext_type=Text()), nullable=False, server_default="[]"),
    )

    op.create_check_constraint(
        op.f("ck_policy_withdrawn_policy_says_why"),
        "policy",
        "(withdrawn_on IS NULL) = (withdrawn_because IS NULL)",
    )
    for rule in NEW:
        for line in statements(rule):
            op.execute(line)
    for line in statements(TIGHTER[0]):
        if line.startswith("CREATE POLICY policy_place "):
            op.execute(line)
    op.execute(f"REVOKE DELETE ON approval_run FROM {WEB}, {WORKER}")
    op.execute(FREEZE_RUN)
    op.execute(
        "CREATE TRIGGER approval_run_frozen BEFORE UPDATE OR DELETE ON approval_run"
        " FOR EACH ROW EXECUTE FUNCTION freeze_run()"
    )


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
