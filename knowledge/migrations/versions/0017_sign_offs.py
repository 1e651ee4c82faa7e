"""Sign-offs with the texts of law they were given on, and from when one lapses

Revision: 0017
"""

import sqlalchemy as sa
from alembic import op

import knowledge.database

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_off",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.String(length=100), nullable=False),
        sa.Column("lawyer", sa.String(length=50), nullable=False),
        sa.Column("signed_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["faq_entry.id"], name=op.f("fk_sign_off_entry_id_faq_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_off")),
    )
    op.create_index(op.f("ix_sign_off_entry_id"), "sign_off", ["entry_id"], unique=False)
    op.create_table(
        "signed_article",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sign_off_id", sa.Integer(), nullable=False),
        sa.Column("statute", sa.String(length=200), nullable=False),
        sa.Column("article", sa.Integer(), nullable=False),
        sa.Column("sub", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=16), nullable=True),
        sa.Column("version", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["sign_off_id"], ["sign_off.id"], name=op.f("fk_signed_article_sign_off_id_sign_off")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed_article")),
    )
    op.create_index(op.f("ix_signed_article_sign_off_id"), "signed_article", ["sign_off_id"], unique=False)
    op.add_column("faq_entry", sa.Column("sign_off_lapses_on", sa.Date(), nullable=True))
    op.add_column("entry_draft", sa.Column("signed_on", sa.JSON(), nullable=True))
    # Sign-offs from before: on the texts their citations were checked against.
    op.execute(
        "INSERT INTO sign_off (entry_id, lawyer, signed_at) "
        "SELECT id, signed_off_by, updated_at FROM faq_entry WHERE signed_off_by IS NOT NULL"
    )
    op.execute(
        "INSERT INTO signed_article (sign_off_id, statute, article, sub, hash) "
        "SELECT DISTINCT sign_off.id, citation.statute, citation.article, COALESCE(citation.sub, 0), "
        "citation.checked_hash FROM sign_off JOIN entry_version ON entry_version.entry_id = sign_off.entry_id "
        "JOIN citation ON citation.entry_version_id = entry_version.id "
        "WHERE citation.article IS NOT NULL AND citation.checked_hash IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_column("entry_draft", "signed_on")
    op.drop_column("faq_entry", "sign_off_lapses_on")
    op.drop_table("signed_article")
    op.drop_table("sign_off")
