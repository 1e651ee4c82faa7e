"""Corrections, and outbox rows that bring one to each asker once

Revision: 0013
"""

import sqlalchemy as sa
from alembic import op

import knowledge.database

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.String(length=100), nullable=False),
        sa.Column("version_ids", sa.JSON(), nullable=False),
        sa.Column("since", knowledge.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("title", sa.String(length=12), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("created_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_by", sa.String(length=50), nullable=True),
        sa.Column("sent_at", knowledge.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("unreachable", sa.Integer(), nullable=False),
        sa.CheckConstraint("status IN ('proposed', 'sent', 'withdrawn')", name=op.f("ck_correction_status")),
        sa.ForeignKeyConstraint(["entry_id"], ["faq_entry.id"], name=op.f("fk_correction_entry_id_faq_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_entry_id"), "correction", ["entry_id"], unique=False)
    op.create_index(op.f("ix_correction_status"), "correction", ["status"], unique=False)
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("correction_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_outbox_message_correction_id_correction"), "correction", ["correction_id"], ["id"]
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_outbox_message_correction_id_asker_id"), ["correction_id", "asker_id"]
        )
        batch_op.drop_constraint(batch_op.f("ck_outbox_message_has_text"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_outbox_message_has_text"),
            "staff_reply_id IS NOT NULL OR text IS NOT NULL OR correction_id IS NOT NULL",
        )


def downgrade() -> None:
    # The older schema gives a notice a text of its own: none that waits is lost.
    op.execute(
        "UPDATE outbox_message SET text = (SELECT correction.text FROM correction "
        "WHERE correction.id = outbox_message.correction_id) WHERE correction_id IS NOT NULL"
    )
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_outbox_message_has_text"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_outbox_message_has_text"), "staff_reply_id IS NOT NULL OR text IS NOT NULL"
        )
        batch_op.drop_constraint(batch_op.f("uq_outbox_message_correction_id_asker_id"), type_="unique")
        batch_op.drop_constraint(batch_op.f("fk_outbox_message_correction_id_correction"), type_="foreignkey")
        batch_op.drop_column("correction_id")
    op.drop_table("correction")
