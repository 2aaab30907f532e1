"""Archives that a trust takes away; schools that are being set up before they are live.

An archive with cases is written only while two people's agreements to that very request hold: PostgreSQL looks at their
rows, whatever the application believes. Schools that are there already are live.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from trustportal.protection import WEB, WORKER, Protected, Reach, Writes, statements

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

PROTECTED = (
    Protected("archive", writes=Writes.KEEP),
    Protected("archive_consent", Reach.OWN, Writes.KEEP),
    # Names and sizes tell as much as bytes: whoever collects the archive sees them, and nobody else.
    Protected("archive_file", Reach.OWN),
    Protected("archive_piece", Reach.OWN),
)
#: Table, function: what the rows of an archive may become.
FREEZING = (
    ("archive", "guard_archive"),
    ("archive_consent", "guard_archive_consent"),
)

# Read as its caller: the web sees the agreement of one person at most, and can therefore never begin an archive with
# cases. "Today" is England's, as everywhere.
_AGREED = """
CREATE FUNCTION archive_is_agreed(p_archive archive) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT p_archive.decide_until > now() AND count(*) = 2 AND count(DISTINCT c.person_id) = 2
     AND count(*) FILTER (WHERE c.seat = 'dpo' AND c.person_id = p_archive.collector_id) = 1
     AND count(*) FILTER (WHERE c.seat = 'chair') = 1
    FROM archive_consent c
   WHERE c.trust_id = p_archive.trust_id AND c.archive_id = p_archive.id AND c.answer = 'agreed'
     AND c.person_id <> p_archive.asked_by
     AND EXISTS (SELECT 1 FROM membership m
                  WHERE m.trust_id = c.trust_id AND m.person_id = c.person_id AND m.school_id IS NULL
                    AND m.role = CASE c.seat WHEN 'dpo' THEN 'dpo' ELSE 'chair_of_trust_board' END
                    AND m.from_on <= (now() AT TIME ZONE 'Europe/London')::date
                    AND (m.to_on IS NULL OR m.to_on >= (now() AT TIME ZONE 'Europe/London')::date))
$$
"""
_GUARD_ARCHIVE = """
CREATE FUNCTION guard_archive() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a request for an archive is never removed' USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.with_cases AND NEW.state <> 'waiting' THEN
      RAISE EXCEPTION 'an archive with cases waits for two people' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (OLD.school_id, OLD.with_cases, OLD.reason, OLD.asked_by, OLD.asked_at, OLD.decide_until, OLD.total)
     IS DISTINCT FROM
     (NEW.school_id, NEW.with_cases, NEW.reason, NEW.asked_by, NEW.asked_at, NEW.decide_until, NEW.total)
     OR (OLD.collector_id IS NOT NULL AND OLD.collector_id IS DISTINCT FROM NEW.collector_id) THEN
    RAISE EXCEPTION 'what was asked for never changes' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state NOT IN ('waiting', 'making', 'ready') AND NEW.state <> OLD.state THEN
    RAISE EXCEPTION 'an archive that ended begins no more' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.with_cases AND NEW.state IN ('making', 'ready') AND OLD.state <> 'ready' AND NOT archive_is_agreed(NEW) THEN
    RAISE EXCEPTION 'two people have to agree to an archive with cases' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
_GUARD_CONSENT = """
CREATE FUNCTION guard_archive_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'an answer is never removed' USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.answer <> '' OR EXISTS (SELECT 1 FROM archive a
         WHERE a.trust_id = NEW.trust_id AND a.id = NEW.archive_id AND a.asked_by = NEW.person_id) THEN
      RAISE EXCEPTION 'nobody agrees to what they asked for, nor before they are asked'
        USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.answer <> '' OR (OLD.archive_id, OLD.person_id, OLD.seat, OLD.asked_at)
     IS DISTINCT FROM (NEW.archive_id, NEW.person_id, NEW.seat, NEW.asked_at) THEN
    RAISE EXCEPTION 'an answer is given once' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.person_id IS DISTINCT FROM NULLIF(current_setting('app.person_id', true), '')::uuid THEN
    RAISE EXCEPTION 'everybody answers for themselves' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""
_GUARD_CONTENT = """
CREATE FUNCTION guard_archive_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM archive a WHERE a.trust_id = NEW.trust_id AND a.id = NEW.archive_id AND a.state = 'making'
     AND a.collector_id = NEW.person_id AND (NOT a.with_cases OR archive_is_agreed(a));
  IF NOT FOUND THEN
    RAISE EXCEPTION 'nothing is written into this archive' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    # What is added with a default stands in every row there is, and in none that comes.
    op.add_column(
        "school",
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True, server_default=sa.func.now()),
    )
    op.alter_column("school", "started_at", server_default=None)
    op.create_table(
        "archive",
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("with_cases", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decide_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("collector_id", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_archive_archive_has_a_reason")),
        sa.CheckConstraint(
            "state NOT IN ('making', 'ready') OR collector_id IS NOT NULL",
            name=op.f("ck_archive_archive_has_a_collector"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "asked_by"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_archive_trust_id_asked_by"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "collector_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_archive_trust_id_collector_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "school_id"],
            ["school.trust_id", "school.id"],
            name=op.f("fk_archive_trust_id_school_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_archive_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive")),
        sa.UniqueConstraint("trust_id", "id", name="uq_archive_trust"),
    )
    op.create_index("ix_archive_state", "archive", ["trust_id", "state"], unique=False)
    op.create_table(
        "archive_consent",
        sa.Column("archive_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("seat", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(answer = '') = (answered_at IS NULL)",
            name=op.f("ck_archive_consent_answered_consent_has_its_time"),
        ),
        sa.CheckConstraint(
            "answer IN ('', 'agreed', 'refused')", name=op.f("ck_archive_consent_consent_answers")
        ),
        sa.CheckConstraint("seat IN ('dpo', 'chair')", name=op.f("ck_archive_consent_consent_has_a_seat")),
        sa.ForeignKeyConstraint(
            ["trust_id", "archive_id"],
            ["archive.trust_id", "archive.id"],
            name=op.f("fk_archive_consent_trust_id_archive_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_archive_consent_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_archive_consent_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_consent")),
        sa.UniqueConstraint("trust_id", "archive_id", "person_id", name="uq_archive_consent_person"),
        sa.UniqueConstraint("trust_id", "archive_id", "seat", name="uq_archive_consent_seat"),
        sa.UniqueConstraint("trust_id", "id", name="uq_archive_consent_trust"),
    )
    op.create_table(
        "archive_file",
        sa.Column("archive_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("packed", sa.BigInteger(), nullable=False),
        sa.Column("crc", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "archive_id"],
            ["archive.trust_id", "archive.id"],
            name=op.f("fk_archive_file_trust_id_archive_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_archive_file_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_archive_file_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_file")),
        sa.UniqueConstraint("trust_id", "archive_id", "name", name="uq_archive_file_name"),
        sa.UniqueConstraint("trust_id", "id", name="uq_archive_file_trust"),
    )
    op.create_table(
        "archive_piece",
        sa.Column("archive_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trust_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trust_id", "archive_id"],
            ["archive.trust_id", "archive.id"],
            name=op.f("fk_archive_piece_trust_id_archive_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trust_id", "person_id"],
            ["person.trust_id", "person.id"],
            name=op.f("fk_archive_piece_trust_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_archive_piece_trust_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_piece")),
        sa.UniqueConstraint("trust_id", "archive_id", "number", name="uq_archive_piece_number"),
        sa.UniqueConstraint("trust_id", "id", name="uq_archive_piece_trust"),
    )
    for rule in PROTECTED:
        for line in statements(rule):
            op.execute(line)
    for body in (_AGREED, _GUARD_ARCHIVE, _GUARD_CONSENT, _GUARD_CONTENT):
        op.get_bind().exec_driver_sql(body.replace("%", "%%"))
    op.execute(f"GRANT EXECUTE ON FUNCTION archive_is_agreed(archive) TO {WEB}, {WORKER}")
    for table, function in FREEZING:
        op.execute(
            f"CREATE TRIGGER {table}_guarded BEFORE UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
        # After row-level security has spoken: another trust's row is refused as such.
        op.execute(
            f"CREATE TRIGGER {table}_begun AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    for table in ("archive_file", "archive_piece"):
        op.execute(
            f"CREATE TRIGGER {table}_guarded AFTER INSERT OR UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION guard_archive_content()"
        )


def downgrade() -> None:
    raise RuntimeError("this migration is not taken back: restore a backup instead")
