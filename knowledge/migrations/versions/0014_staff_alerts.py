"""Alerts to staff

Revision: 0014
"""

import sqlalchemy as sa
from alembic import op

import knowledge.database

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "staff_alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("inquiry_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", knowledge.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("sent_at", knowledge.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.CheckConstraint(
            "status IN ('waiting', 'sending', 'sent', 'failed', 'dropped')", name=op.f("ck_staff_alert_status")
        ),
        sa.ForeignKeyConstraint(["inquiry_id"], ["inquiry.id"], name=op.f("fk_staff_alert_inquiry_id_inquiry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_alert")),
        sa.UniqueConstraint("key", name=op.f("uq_staff_alert_key")),
    )
    with op.batch_alter_table("staff_alert", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_alert_status"), ["status"], unique=False)


def downgrade() -> None:

    op.drop_table("staff_alert")
