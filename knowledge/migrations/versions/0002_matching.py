"""Matching data, trained classifiers, fitted weights and confirmed questions.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

import knowledge.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "matching_data",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("seed_hash", sa.String(length=64), nullable=False),
        sa.Column("updated_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('lexicon', 'outside', 'axes', 'facts')", name=op.f("ck_matching_data_kind")),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_matching_data")),
    )
    op.create_table(
        "trained_model",
        sa.Column("content_version", sa.Integer(), nullable=False),
        sa.Column("claimed_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("made_at", knowledge.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("content_version", name=op.f("pk_trained_model")),
    )
    op.create_table(
        "fitted_weights",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(length=50), nullable=False),
        sa.Column("made_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fitted_weights")),
    )
    op.create_table(
        "confirmed_question",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.String(length=100), nullable=True),
        sa.Column("confirmed_by", sa.String(length=50), nullable=False),
        sa.Column("confirmed_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_confirmed_question_message_id_message")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["faq_entry.id"], name=op.f("fk_confirmed_question_entry_id_faq_entry")
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_confirmed_question")),
    )


def downgrade() -> None:
    op.drop_table("confirmed_question")
    op.drop_table("fitted_weights")
    op.drop_table("trained_model")
    op.drop_table("matching_data")
