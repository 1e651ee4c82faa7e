"""The channel: delivery state, dialogue state, call-back numbers, fixed replies, urgent rules

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

import knowledge.database

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UTC = knowledge.database.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "callback_number",
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("consented_at", _UTC, nullable=False),
        sa.ForeignKeyConstraint(["inquiry_id"], ["inquiry.id"], name=op.f("fk_callback_number_inquiry_id_inquiry")),
        sa.PrimaryKeyConstraint("inquiry_id", name=op.f("pk_callback_number")),
    )
    op.create_table(
        "fixed_reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("link", sa.String(length=1000), nullable=True),
        sa.Column("updated_at", _UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fixed_reply")),
    )
    op.create_table(
        "fixed_reply_keyword",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fixed_reply_id", sa.Integer(), nullable=False),
        sa.Column("keyword", sa.String(length=50), nullable=False),
        sa.Column("normalized", sa.String(length=50), nullable=False),
        sa.ForeignKeyConstraint(
            ["fixed_reply_id"], ["fixed_reply.id"], name=op.f("fk_fixed_reply_keyword_fixed_reply_id_fixed_reply")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fixed_reply_keyword")),
        sa.UniqueConstraint("normalized", name=op.f("uq_fixed_reply_keyword_normalized")),
    )
    op.create_index(op.f("ix_fixed_reply_keyword_fixed_reply_id"), "fixed_reply_keyword", ["fixed_reply_id"])
    op.create_table(
        "revision",
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_revision")),
    )
    op.create_table(
        "urgent_rule",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("patterns", sa.JSON(), nullable=False),
        sa.Column("exceptions", sa.JSON(), nullable=False),
        sa.Column("reply", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", _UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urgent_rule")),
    )
    with op.batch_alter_table("conversation", schema=None) as batch:
        batch.add_column(sa.Column("topic_entry_id", sa.String(length=100), nullable=True))
        batch.add_column(sa.Column("topic_at", _UTC, nullable=True))
        batch.add_column(sa.Column("clarified_in_row", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("number_for_inquiry_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("sends_left", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("sends_until", _UTC, nullable=True))
        batch.add_column(sa.Column("tap_sends_left", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("tap_sends_until", _UTC, nullable=True))
        batch.create_foreign_key(
            op.f("fk_conversation_topic_entry_id_faq_entry"), "faq_entry", ["topic_entry_id"], ["id"]
        )
        batch.create_foreign_key(
            op.f("fk_conversation_number_for_inquiry_id_inquiry"), "inquiry", ["number_for_inquiry_id"], ["id"]
        )
    with op.batch_alter_table("inquiry", schema=None) as batch:
        batch.add_column(sa.Column("waiting_since", _UTC, nullable=True))
    with op.batch_alter_table("message", schema=None) as batch:
        batch.add_column(sa.Column("urgent_rule_id", sa.String(length=60), nullable=True))
    with op.batch_alter_table("staff_reply", schema=None) as batch:
        batch.add_column(sa.Column("kind", sa.String(length=20), nullable=False, server_default="answer"))
        batch.add_column(sa.Column("helpful", sa.Boolean(), nullable=True))
        batch.create_check_constraint(op.f("ck_staff_reply_kind"), "kind IN ('answer', 'question')")
    with op.batch_alter_table("outbox_message", schema=None) as batch:
        batch.add_column(sa.Column("text", sa.String(), nullable=True))
        batch.add_column(sa.Column("claimed_by", sa.String(length=40), nullable=True))
        batch.add_column(sa.Column("claimed_at", _UTC, nullable=True))
        batch.add_column(sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("parts_sent", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("next_attempt_at", _UTC, nullable=True))
        batch.add_column(sa.Column("refused_code", sa.Integer(), nullable=True))
        batch.alter_column("inquiry_id", existing_type=sa.Integer(), nullable=True)
        batch.alter_column("staff_reply_id", existing_type=sa.Integer(), nullable=True)
        batch.drop_constraint(op.f("ck_outbox_message_status"), type_="check")
        batch.create_check_constraint(
            op.f("ck_outbox_message_status"), "status IN ('waiting', 'sending', 'unsure', 'delivered')"
        )
        batch.create_check_constraint(
            op.f("ck_outbox_message_has_text"), "staff_reply_id IS NOT NULL OR text IS NOT NULL"
        )
        batch.create_index("ix_outbox_message_status", ["status"])


def downgrade() -> None:
    # What only the newer schema can say becomes the nearest thing the older one has: nothing undelivered is lost
    # but notices without an inquiry, which it cannot hold.
    op.execute("DELETE FROM outbox_message WHERE staff_reply_id IS NULL OR inquiry_id IS NULL")
    op.execute("UPDATE outbox_message SET status = 'waiting' WHERE status IN ('sending', 'unsure')")
    with op.batch_alter_table("outbox_message", schema=None) as batch:
        batch.drop_index("ix_outbox_message_status")
        batch.drop_constraint(op.f("ck_outbox_message_has_text"), type_="check")
        batch.drop_constraint(op.f("ck_outbox_message_status"), type_="check")
        batch.create_check_constraint(op.f("ck_outbox_message_status"), "status IN ('waiting', 'delivered')")
        batch.alter_column("staff_reply_id", existing_type=sa.Integer(), nullable=False)
        batch.alter_column("inquiry_id", existing_type=sa.Integer(), nullable=False)
        for name in ("refused_code", "next_attempt_at", "parts_sent", "attempts", "claimed_at", "claimed_by", "text"):
            batch.drop_column(name)
    with op.batch_alter_table("staff_reply", schema=None) as batch:
        batch.drop_constraint(op.f("ck_staff_reply_kind"), type_="check")
        batch.drop_column("helpful")
        batch.drop_column("kind")
    with op.batch_alter_table("message", schema=None) as batch:
        batch.drop_column("urgent_rule_id")
    with op.batch_alter_table("inquiry", schema=None) as batch:
        batch.drop_column("waiting_since")
    with op.batch_alter_table("conversation", schema=None) as batch:
        batch.drop_constraint(op.f("fk_conversation_number_for_inquiry_id_inquiry"), type_="foreignkey")
        batch.drop_constraint(op.f("fk_conversation_topic_entry_id_faq_entry"), type_="foreignkey")
        for name in (
            "tap_sends_until",
            "tap_sends_left",
            "sends_until",
            "sends_left",
            "number_for_inquiry_id",
            "clarified_in_row",
            "topic_at",
            "topic_entry_id",
        ):
            batch.drop_column(name)
    op.drop_table("urgent_rule")
    op.drop_table("revision")
    op.drop_index(op.f("ix_fixed_reply_keyword_fixed_reply_id"), table_name="fixed_reply_keyword")
    op.drop_table("fixed_reply_keyword")
    op.drop_table("fixed_reply")
    op.drop_table("callback_number")
