"""Texts as data with their versions, fixed replies that can be switched off, the day a figure was checked

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op

import knowledge.database

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "text_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("made_by", sa.String(length=50), nullable=False),
        sa.Column("made_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_version")),
        sa.UniqueConstraint("key", "number", name=op.f("uq_text_version_key_number")),
    )
    with op.batch_alter_table("fixed_reply", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("fixed_reply", schema=None) as batch_op:
        batch_op.alter_column("is_active", server_default=None)
    with op.batch_alter_table("figure", schema=None) as batch_op:
        batch_op.add_column(sa.Column("checked_on", sa.Date(), nullable=True))


def downgrade() -> None:

    with op.batch_alter_table("figure", schema=None) as batch_op:
        batch_op.drop_column("checked_on")
    with op.batch_alter_table("fixed_reply", schema=None) as batch_op:
        batch_op.drop_column("is_active")
    op.drop_table("text_version")
