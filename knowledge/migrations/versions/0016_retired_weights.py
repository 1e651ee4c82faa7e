"""Fitted numbers that were given up or replaced

Revision: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:

    with op.batch_alter_table("fitted_weights", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_retired", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:

    with op.batch_alter_table("fitted_weights", schema=None) as batch_op:
        batch_op.drop_column("is_retired")
