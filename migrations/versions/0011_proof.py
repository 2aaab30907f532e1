"""Records of outside documents, which people confirm they have read; daily anchors of the audit trails, with stamps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from trustportal.protection import Protected, Reach, Writes, statements

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PROTECTED = (
    Protected("audit_anchor", writes=Writes.APPEND),
    Protected("audit_stamp", writes=Writes.APPEND),
    Protected("campaign_document"),
    # Kept by jobs only: a row more would tell the web that there is a case.
    Protected("case_anchor", Reach.CASE_ROUTED, Writes.APPEND),
    Protected("outside_document", writes=Writes.KEEP),
    Protected("outside_edition", writes=Writes.APPEND),
)

#: What is asked for, or signed: a policy in its edition, or an outside document in one of its editions.
ONE_TEXT = (
    "(policy_id IS NULL) = (edition_id IS NULL) AND (outside_id IS NULL) = (outside_edition_id IS NULL)"
    " AND (policy_id IS NULL) <> (outside_id IS NULL)"
)


def upgrade() -> None:
    op.create_table(
        "outside_document",
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_outside_document_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_document")),
        sa.UniqueConstraint("trust_id", "id", name="uq_outside_document_trust"),
    )
    op.create_table(
        "campaign_document",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "campaign_id"],
            ["campaign.trust_id", "campaign.id"],
            name=op.f("fk_campaign_document_trust_id_campaign_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "document_id"],
            ["outside_document.trust_id", "outside_document.id"],
            name=op.f("fk_campaign_document_trust_id_document_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_campaign_document_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_document")),
        sa.UniqueConstraint("trust_id", "campaign_id", "document_id", name="uq_campaign_document"),
        sa.UniqueConstraint("trust_id", "id", name="uq_campaign_document_trust"),
    )
    op.create_table(
        "outside_edition",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("publisher", sa.String(length=200), nullable=False),
        sa.Column("edition", sa.String(length=40), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("current_from", sa.Date(), nullable=False),
        sa.Column("link", sa.String(length=500), nullable=False),
        sa.Column("parts", sa.String(length=200), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("asks_again", sa.Boolean(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "current_from >= published_on",
            name=op.f("ck_outside_edition_document_holds_after_it_was_published"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "document_id"],
            ["outside_document.trust_id", "outside_document.id"],
            name=op.f("fk_outside_edition_trust_id_document_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_outside_edition_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_edition")),
        sa.UniqueConstraint("trust_id", "document_id", "number", name="uq_outside_edition_number"),
        sa.UniqueConstraint("trust_id", "id", name="uq_outside_edition_trust"),
    )
    op.add_column("assignment", sa.Column("outside_id", sa.Uuid(), nullable=True))
    op.add_column("assignment", sa.Column("outside_edition_id", sa.Uuid(), nullable=True))
    op.alter_column("assignment", "policy_id", nullable=True)
    op.alter_column("assignment", "edition_id", nullable=True)
    op.create_index(
        "uq_assignment_outside_open",
        "assignment",
        ["trust_id", "outside_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open' AND outside_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_assignment_trust_id_outside_id"),
        "assignment",
        "outside_document",
        ["trust_id", "outside_id"],
        ["trust_id", "id"],
    )
    op.create_foreign_key(
        op.f("fk_assignment_trust_id_outside_edition_id"),
        "assignment",
        "outside_edition",
        ["trust_id", "outside_edition_id"],
        ["trust_id", "id"],
    )
    op.add_column("signature", sa.Column("outside_id", sa.Uuid(), nullable=True))
    op.add_column("signature", sa.Column("outside_edition_id", sa.Uuid(), nullable=True))
    op.alter_column("signature", "policy_id", nullable=True)
    op.alter_column("signature", "edition_id", nullable=True)
    op.alter_column("signature", "pdf_hash", nullable=True)
    op.create_index(
        "ix_signature_outside",
        "signature",
        ["trust_id", "outside_id", "person_id"],
        unique=False,
        postgresql_where=sa.text("outside_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_signature_trust_id_outside_id"),
        "signature",
        "outside_document",
        ["trust_id", "outside_id"],
        ["trust_id", "id"],
    )
    op.create_foreign_key(
        op.f("fk_signature_trust_id_outside_edition_id"),
        "signature",
        "outside_edition",
        ["trust_id", "outside_edition_id"],
        ["trust_id", "id"],
    )
    for table, name in (
        ("assignment", "ck_assignment_assignment_asks_for_one_text"),
        ("signature", "ck_signature_signature_is_of_one_text"),
    ):
        op.create_check_constraint(op.f(name), table, ONE_TEXT)
    op.create_check_constraint(
        op.f("ck_signature_signed_policy_has_its_pdf"),
        "signature",
        "(policy_id IS NULL) = (pdf_hash IS NULL)",
    )
    op.create_table(
        "audit_anchor",
        sa.Column("anchored_on", sa.Date(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wants_stamp", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_audit_anchor_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_anchor")),
        sa.UniqueConstraint("trust_id", "anchored_on", name="uq_audit_anchor_day"),
        sa.UniqueConstraint("trust_id", "id", name="uq_audit_anchor_trust"),
    )
    op.create_table(
        "audit_stamp",
        sa.Column("anchor_id", sa.Uuid(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("stamped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("authority", sa.String(length=300), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "anchor_id"],
            ["audit_anchor.trust_id", "audit_anchor.id"],
            name=op.f("fk_audit_stamp_trust_id_anchor_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_audit_stamp_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_stamp")),
        sa.UniqueConstraint("trust_id", "anchor_id", name="uq_audit_stamp_anchor"),
        sa.UniqueConstraint("trust_id", "id", name="uq_audit_stamp_trust"),
    )
    op.create_table(
        "case_anchor",
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("anchored_on", sa.Date(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "case_id"],
            ["workflow_case.trust_id", "workflow_case.id"],
            name=op.f("fk_case_anchor_trust_id_case_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_case_anchor_trust_id")),
        sa.PrimaryKeyConstraint("trust_id", "case_id", "anchored_on", name=op.f("pk_case_anchor")),
    )
    for rule in PROTECTED:
        for line in statements(rule):
            op.execute(line)


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
