"""What the figures count: a question's field, whether it is a repeat, and indexes whose ranges are counts

Revision: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_COUNTED = ["kind", "is_repeat", "decision", "domain", "received_at", "asker_id", "entry_id"]
_ANSWERED = ["entry_id", "received_at", "decision", "kind", "is_repeat"]
_GIVEN = sa.text("entry_id IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("message", schema=None) as batch:
        batch.add_column(sa.Column("domain", sa.String(length=20), nullable=True))
        batch.add_column(sa.Column("is_repeat", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.create_check_constraint(
            op.f("ck_message_domain"), "domain IS NULL OR domain IN ('labor', 'company', 'business')"
        )
        batch.create_index("ix_message_counted", _COUNTED)
    # Does for receivers what the shorter one did, and for the figures too.
    op.drop_index("ix_message_entry_id_received_at", table_name="message")
    op.create_index(
        "ix_message_answered", "message", _ANSWERED, sqlite_where=_GIVEN, postgresql_where=_GIVEN
    )
    # Its asker wanted a person: no entry was given, so none answered.
    op.execute("UPDATE message SET decision = 'unresolved' WHERE decision = 'answered' AND entry_id IS NULL")
    # Questions from before: the field of the entry that answered, or of the inquiry that was opened. Which of them
    # were repeats nobody noted; they stay counted.
    op.execute(
        "UPDATE message SET domain = (SELECT faq_entry.domain FROM faq_entry WHERE faq_entry.id = message.entry_id) "
        "WHERE decision IS NOT NULL AND entry_id IS NOT NULL"
    )
    op.execute(
        "UPDATE message SET domain = (SELECT inquiry.domain FROM inquiry WHERE inquiry.id = message.inquiry_id) "
        "WHERE decision IS NOT NULL AND domain IS NULL AND inquiry_id IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_index("ix_message_answered", table_name="message")
    op.create_index(
        "ix_message_entry_id_received_at",
        "message",
        ["entry_id", "received_at"],
        sqlite_where=_GIVEN,
        postgresql_where=_GIVEN,
    )
    with op.batch_alter_table("message", schema=None) as batch:
        batch.drop_index("ix_message_counted")
        batch.drop_constraint(op.f("ck_message_domain"), type_="check")
        batch.drop_column("is_repeat")
        batch.drop_column("domain")
