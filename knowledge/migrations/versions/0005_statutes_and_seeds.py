"""Statutes in the database, entries to look at again, and the seed each entry came from

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

import knowledge.database

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "statute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("issuer", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statute")),
        sa.UniqueConstraint("title", name=op.f("uq_statute_title")),
    )
    op.create_table(
        "statute_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("statute_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("promulgated", sa.Date(), nullable=True),
        sa.Column("effective", sa.Date(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.Column("superseded_by", sa.String(), nullable=True),
        sa.Column("partly_changed", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("article_count", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("imported_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["statute_id"], ["statute.id"], name=op.f("fk_statute_version_statute_id_statute")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statute_version")),
    )
    op.create_index(op.f("ix_statute_version_statute_id"), "statute_version", ["statute_id"])
    op.create_index(op.f("ix_statute_version_name"), "statute_version", ["name"])
    op.create_table(
        "article",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("statute_version_id", sa.Integer(), nullable=False),
        sa.Column("article", sa.Integer(), nullable=False),
        sa.Column("sub", sa.Integer(), nullable=False),
        sa.Column("chapter", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("hash", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["statute_version_id"], ["statute_version.id"], name=op.f("fk_article_statute_version_id_statute_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.UniqueConstraint(
            "statute_version_id", "article", "sub", name=op.f("uq_article_statute_version_id_article_sub")
        ),
    )
    op.create_table(
        "re_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.String(length=100), nullable=False),
        sa.Column("statute_version_id", sa.Integer(), nullable=False),
        sa.Column("statute", sa.String(length=200), nullable=False),
        sa.Column("article", sa.Integer(), nullable=False),
        sa.Column("sub", sa.Integer(), nullable=False),
        sa.Column("old_text", sa.String(), nullable=True),
        sa.Column("new_text", sa.String(), nullable=True),
        sa.Column("new_hash", sa.String(length=16), nullable=True),
        sa.Column("effective", sa.Date(), nullable=True),
        sa.Column("opened_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("closed_at", knowledge.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=50), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["faq_entry.id"], name=op.f("fk_re_review_entry_id_faq_entry")),
        sa.ForeignKeyConstraint(
            ["statute_version_id"],
            ["statute_version.id"],
            name=op.f("fk_re_review_statute_version_id_statute_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_re_review")),
        sa.UniqueConstraint(
            "entry_id",
            "statute_version_id",
            "article",
            "sub",
            name=op.f("uq_re_review_entry_id_statute_version_id_article_sub"),
        ),
    )
    for column in ("entry_id", "statute_version_id", "closed_at"):
        op.create_index(op.f(f"ix_re_review_{column}"), "re_review", [column])
    op.create_table(
        "entry_seed",
        sa.Column("entry_id", sa.String(length=100), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["faq_entry.id"], name=op.f("fk_entry_seed_entry_id_faq_entry")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_entry_seed")),
    )
    with op.batch_alter_table("citation") as batch:
        batch.add_column(sa.Column("checked_hash", sa.String(length=16), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("citation") as batch:
        batch.drop_column("checked_hash")
    op.drop_table("entry_seed")
    op.drop_table("re_review")
    op.drop_table("article")
    op.drop_table("statute_version")
    op.drop_table("statute")
