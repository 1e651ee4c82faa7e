"""Drafts with comments, test cases, inquiries that wait for a draft

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op

import knowledge.database

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "entry_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("reviewer", sa.String(length=50), nullable=True),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("created_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("published_at", knowledge.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.String(length=50), nullable=True),
        sa.CheckConstraint(
            "status IN ('draft', 'submitted', 'reviewed', 'published', 'discarded')",
            name=op.f("ck_entry_draft_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_draft")),
        sa.UniqueConstraint("entry_id", "number", name=op.f("uq_entry_draft_entry_id_number")),
    )
    with op.batch_alter_table("entry_draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_entry_draft_status"), ["status"], unique=False)

    op.create_table(
        "draft_comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=50), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["entry_draft.id"], name=op.f("fk_draft_comment_draft_id_entry_draft")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_comment")),
    )
    with op.batch_alter_table("draft_comment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_comment_draft_id"), ["draft_id"], unique=False)

    op.create_table(
        "test_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(length=100), nullable=True),
        sa.Column("author", sa.String(length=50), nullable=False),
        sa.Column("created_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["faq_entry.id"], name=op.f("fk_test_case_entry_id_faq_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_case")),
        sa.UniqueConstraint("text", name=op.f("uq_test_case_text")),
    )
    with op.batch_alter_table("inquiry", schema=None) as batch_op:
        batch_op.add_column(sa.Column("draft_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_inquiry_draft_id"), ["draft_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_inquiry_draft_id_entry_draft"), "entry_draft", ["draft_id"], ["id"])


def downgrade() -> None:

    with op.batch_alter_table("inquiry", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_inquiry_draft_id_entry_draft"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_inquiry_draft_id"))
        batch_op.drop_column("draft_id")
    op.drop_table("test_case")
    op.drop_table("draft_comment")
    op.drop_table("entry_draft")
