"""Whose window is open is found without a look at everybody

Revision: 0019
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_conversation_sends_until", "conversation", ["sends_until"])
    op.create_index("ix_conversation_tap_sends_until", "conversation", ["tap_sends_until"])


def downgrade() -> None:
    op.drop_index("ix_conversation_tap_sends_until", table_name="conversation")
    op.drop_index("ix_conversation_sends_until", table_name="conversation")
