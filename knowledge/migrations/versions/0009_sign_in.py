"""Attempts to sign in are counted by place; room for encrypted second factors

The secrets that are there are encrypted by the server when it starts: a migration has no key.

Revision: 0009
"""

import sqlalchemy as sa
from alembic import op

import knowledge.database

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "attempt_count",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("since", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempt_count")),
    )
    with op.batch_alter_table("attempt_count", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempt_count_since"), ["since"], unique=False)

    with op.batch_alter_table("staff_member", schema=None) as batch_op:
        batch_op.drop_column("failed_sign_ins")
        batch_op.drop_column("locked_until")
        for name in ("totp_secret", "totp_pending"):
            batch_op.alter_column(
                name, existing_type=sa.String(length=64), type_=sa.String(length=250), existing_nullable=True
            )


def downgrade() -> None:

    # An encrypted secret is of no use to the version before: its members set the second factor up again.
    op.execute("UPDATE staff_member SET totp_secret = NULL WHERE totp_secret LIKE 'fernet:%'")
    op.execute("UPDATE staff_member SET totp_pending = NULL WHERE totp_pending LIKE 'fernet:%'")
    with op.batch_alter_table("staff_member", schema=None) as batch_op:
        for name in ("totp_secret", "totp_pending"):
            batch_op.alter_column(
                name, existing_type=sa.String(length=250), type_=sa.String(length=64), existing_nullable=True
            )
        batch_op.add_column(sa.Column("locked_until", knowledge.database.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("failed_sign_ins", sa.Integer(), nullable=False, server_default="0"))

    op.drop_table("attempt_count")
