"""First schema

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op

import knowledge.database

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "asker",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=128), nullable=True),
        sa.Column("scene", sa.String(length=128), nullable=True),
        sa.Column("created_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asker")),
        sa.UniqueConstraint("channel", "address", name=op.f("uq_asker_channel_address")),
    )
    op.create_table(
        "content_version",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("published_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_content_version")),
    )
    op.create_table(
        "faq_entry",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=12), nullable=False),
        sa.Column("domain", sa.String(length=20), nullable=False),
        sa.Column("topic", sa.String(length=50), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("key_terms", sa.JSON(), nullable=False),
        sa.Column("related", sa.JSON(), nullable=False),
        sa.Column("referral", sa.String(length=5), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("review_by", sa.Date(), nullable=False),
        sa.Column("seed_hash", sa.String(length=64), nullable=True),
        sa.Column("signed_off_by", sa.String(length=50), nullable=True),
        sa.Column("updated_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("domain IN ('labor', 'company', 'business')", name=op.f("ck_faq_entry_domain")),
        sa.CheckConstraint(
            "status IN ('draft', 'submitted', 'reviewed', 'published', 'archived')", name=op.f("ck_faq_entry_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faq_entry")),
        sa.UniqueConstraint("title", name=op.f("uq_faq_entry_title")),
    )
    with op.batch_alter_table("faq_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_faq_entry_domain"), ["domain"], unique=False)
        batch_op.create_index(batch_op.f("ix_faq_entry_review_by"), ["review_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_faq_entry_status"), ["status"], unique=False)

    op.create_table(
        "figure",
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("effective", sa.Date(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("ask", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_figure")),
    )
    op.create_table(
        "inquiry_counter",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_inquiry_counter")),
    )
    op.create_table(
        "staff_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("failed_sign_ins", sa.Integer(), nullable=False),
        sa.Column("locked_until", knowledge.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('viewer', 'curator', 'reviewer', 'administrator')", name=op.f("ck_staff_member_role")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_member")),
        sa.UniqueConstraint("name", name=op.f("uq_staff_member_name")),
    )
    op.create_table(
        "conversation",
        sa.Column("asker_id", sa.Integer(), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("choices_message_id", sa.Integer(), nullable=True),
        sa.Column("wants_person", sa.Boolean(), nullable=False),
        sa.Column("rest", sa.JSON(), nullable=False),
        sa.Column("updated_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["asker_id"], ["asker.id"], name=op.f("fk_conversation_asker_id_asker")),
        sa.PrimaryKeyConstraint("asker_id", name=op.f("pk_conversation")),
    )
    op.create_table(
        "entry_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("created_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["faq_entry.id"], name=op.f("fk_entry_version_entry_id_faq_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_version")),
        sa.UniqueConstraint("entry_id", "number", name=op.f("uq_entry_version_entry_id_number")),
    )
    op.create_table(
        "inquiry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("asker_id", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("opened_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("closed_at", knowledge.database.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('new', 'assigned', 'waiting', 'answered', 'merged', 'declined', 'referred')",
            name=op.f("ck_inquiry_status"),
        ),
        sa.ForeignKeyConstraint(["asker_id"], ["asker.id"], name=op.f("fk_inquiry_asker_id_asker")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry")),
        sa.UniqueConstraint("number", name=op.f("uq_inquiry_number")),
    )
    with op.batch_alter_table("inquiry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inquiry_asker_id"), ["asker_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_inquiry_opened_at"), ["opened_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_inquiry_status"), ["status"], unique=False)

    op.create_table(
        "variant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.String(length=100), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["faq_entry.id"], name=op.f("fk_variant_entry_id_faq_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant")),
        sa.UniqueConstraint("entry_id", "text", name=op.f("uq_variant_entry_id_text")),
    )
    with op.batch_alter_table("variant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_variant_entry_id"), ["entry_id"], unique=False)

    op.create_table(
        "citation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_version_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("statute", sa.String(length=200), nullable=False),
        sa.Column("article", sa.Integer(), nullable=True),
        sa.Column("sub", sa.Integer(), nullable=True),
        sa.Column("paragraph", sa.Integer(), nullable=True),
        sa.Column("item", sa.Integer(), nullable=True),
        sa.Column("unverified", sa.Boolean(), nullable=False),
        sa.Column("check_note", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_version_id"], ["entry_version.id"], name=op.f("fk_citation_entry_version_id_entry_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citation")),
        sa.UniqueConstraint("entry_version_id", "position", name=op.f("uq_citation_entry_version_id_position")),
    )
    with op.batch_alter_table("citation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_citation_statute"), ["statute"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("asker_id", sa.Integer(), nullable=False),
        sa.Column("received_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("decision", sa.String(length=20), nullable=True),
        sa.Column("entry_id", sa.String(length=100), nullable=True),
        sa.Column("entry_version_id", sa.Integer(), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("content_version", sa.Integer(), nullable=True),
        sa.Column("inquiry_id", sa.Integer(), nullable=True),
        sa.Column("reply", sa.String(), nullable=True),
        sa.Column("latency_ms", sa.Float(), nullable=False),
        sa.CheckConstraint(
            "decision IS NULL OR decision IN ('answered', 'clarified', 'unresolved')", name=op.f("ck_message_decision")
        ),
        sa.ForeignKeyConstraint(["asker_id"], ["asker.id"], name=op.f("fk_message_asker_id_asker")),
        sa.ForeignKeyConstraint(["entry_id"], ["faq_entry.id"], name=op.f("fk_message_entry_id_faq_entry")),
        sa.ForeignKeyConstraint(
            ["entry_version_id"], ["entry_version.id"], name=op.f("fk_message_entry_version_id_entry_version")
        ),
        sa.ForeignKeyConstraint(["inquiry_id"], ["inquiry.id"], name=op.f("fk_message_inquiry_id_inquiry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("key", name=op.f("uq_message_key")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index("ix_message_asker_id_received_at", ["asker_id", "received_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_received_at"), ["received_at"], unique=False)

    op.create_table(
        "staff_reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=50), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("written_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["inquiry_id"], ["inquiry.id"], name=op.f("fk_staff_reply_inquiry_id_inquiry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_reply")),
    )
    with op.batch_alter_table("staff_reply", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_reply_inquiry_id"), ["inquiry_id"], unique=False)

    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        sa.Column("given_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_feedback_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sa.UniqueConstraint("message_id", name=op.f("uq_feedback_message_id")),
    )
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("asker_id", sa.Integer(), nullable=False),
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("staff_reply_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("created_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", knowledge.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("delivered_by_message_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("status IN ('waiting', 'delivered')", name=op.f("ck_outbox_message_status")),
        sa.ForeignKeyConstraint(["asker_id"], ["asker.id"], name=op.f("fk_outbox_message_asker_id_asker")),
        sa.ForeignKeyConstraint(
            ["delivered_by_message_id"], ["message.id"], name=op.f("fk_outbox_message_delivered_by_message_id_message")
        ),
        sa.ForeignKeyConstraint(["inquiry_id"], ["inquiry.id"], name=op.f("fk_outbox_message_inquiry_id_inquiry")),
        sa.ForeignKeyConstraint(
            ["staff_reply_id"], ["staff_reply.id"], name=op.f("fk_outbox_message_staff_reply_id_staff_reply")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
    )
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_message_asker_id_status", ["asker_id", "status"], unique=False)


def downgrade() -> None:

    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_message_asker_id_status")

    op.drop_table("outbox_message")
    op.drop_table("feedback")
    with op.batch_alter_table("staff_reply", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_reply_inquiry_id"))

    op.drop_table("staff_reply")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_received_at"))
        batch_op.drop_index("ix_message_asker_id_received_at")

    op.drop_table("message")
    with op.batch_alter_table("citation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_citation_statute"))

    op.drop_table("citation")
    with op.batch_alter_table("variant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_variant_entry_id"))

    op.drop_table("variant")
    with op.batch_alter_table("inquiry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inquiry_status"))
        batch_op.drop_index(batch_op.f("ix_inquiry_opened_at"))
        batch_op.drop_index(batch_op.f("ix_inquiry_asker_id"))

    op.drop_table("inquiry")
    op.drop_table("entry_version")
    op.drop_table("conversation")
    op.drop_table("staff_member")
    op.drop_table("inquiry_counter")
    op.drop_table("figure")
    with op.batch_alter_table("faq_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_faq_entry_status"))
        batch_op.drop_index(batch_op.f("ix_faq_entry_review_by"))
        batch_op.drop_index(batch_op.f("ix_faq_entry_domain"))

    op.drop_table("faq_entry")
    op.drop_table("content_version")
    op.drop_table("asker")
