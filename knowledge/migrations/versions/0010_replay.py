"""What a past decision rested on, further answers of one reply, the entry version a colleague's reply gave

Revision: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_GIVEN = sa.text("entry_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "weights_used",
        sa.Column("digest", sa.String(length=16), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_weights_used")),
    )
    op.create_table(
        "further_answer",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.String(length=100), nullable=False),
        sa.Column("entry_version_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_further_answer_message_id_message")),
        sa.ForeignKeyConstraint(["entry_id"], ["faq_entry.id"], name=op.f("fk_further_answer_entry_id_faq_entry")),
        sa.ForeignKeyConstraint(
            ["entry_version_id"], ["entry_version.id"], name=op.f("fk_further_answer_entry_version_id_entry_version")
        ),
        sa.PrimaryKeyConstraint("message_id", "position", name=op.f("pk_further_answer")),
    )
    op.create_index(op.f("ix_further_answer_entry_id"), "further_answer", ["entry_id"], unique=False)
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("weights_digest", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("classifier_version", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.String(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_message_weights_digest_weights_used"), "weights_used", ["weights_digest"], ["digest"]
        )
    op.create_index(
        "ix_message_entry_id_received_at",
        "message",
        ["entry_id", "received_at"],
        unique=False,
        sqlite_where=_GIVEN,
        postgresql_where=_GIVEN,
    )
    with op.batch_alter_table("staff_reply", schema=None) as batch_op:
        batch_op.add_column(sa.Column("entry_version_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_staff_reply_entry_version_id"), ["entry_version_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_staff_reply_entry_version_id_entry_version"),
            "entry_version",
            ["entry_version_id"],
            ["id"],
        )


def downgrade() -> None:
    with op.batch_alter_table("staff_reply", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_staff_reply_entry_version_id_entry_version"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_staff_reply_entry_version_id"))
        batch_op.drop_column("entry_version_id")
    op.drop_index("ix_message_entry_id_received_at", table_name="message")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_message_weights_digest_weights_used"), type_="foreignkey")
        batch_op.drop_column("reason")
        batch_op.drop_column("classifier_version")
        batch_op.drop_column("weights_digest")
    op.drop_table("further_answer")
    op.drop_table("weights_used")
