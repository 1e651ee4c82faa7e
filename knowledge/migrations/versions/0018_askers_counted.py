"""The index of what one asker sent tells, too, whether it counts as a question

Revision: 0018
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_message_asked", "message", ["asker_id", "received_at", "kind", "is_repeat", "decision"])
    op.drop_index("ix_message_asker_id_received_at", table_name="message")


def downgrade() -> None:
    op.create_index("ix_message_asker_id_received_at", "message", ["asker_id", "received_at"])
    op.drop_index("ix_message_asked", table_name="message")
