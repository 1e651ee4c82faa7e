"""The inbox: clusters, assignment, notes, what inquiries are searched and compared by

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op

import knowledge.database
from knowledge.matching.normalize import normalize, without_courtesy

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "inquiry_cluster",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry_cluster")),
    )
    op.create_table(
        "inquiry_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=50), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_at", knowledge.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["inquiry_id"], ["inquiry.id"], name=op.f("fk_inquiry_note_inquiry_id_inquiry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry_note")),
    )
    with op.batch_alter_table("inquiry_note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inquiry_note_inquiry_id"), ["inquiry_id"], unique=False)

    with op.batch_alter_table("inquiry", schema=None) as batch_op:
        batch_op.add_column(sa.Column("normal", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("likeness", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("domain", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("cluster_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("assignee_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("entry_id", sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_inquiry_cluster_id"), ["cluster_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_inquiry_entry_id"), ["entry_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_inquiry_cluster_id_inquiry_cluster"), "inquiry_cluster", ["cluster_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_inquiry_assignee_id_staff_member"), "staff_member", ["assignee_id"], ["id"]
        )
        batch_op.create_foreign_key(batch_op.f("fk_inquiry_entry_id_faq_entry"), "faq_entry", ["entry_id"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_inquiry_merged_into_id_inquiry"), "inquiry", ["merged_into_id"], ["id"])
    _fill()


def _fill() -> None:
    """Inquiries that are there already: each gets a cluster of its own, and is found by its words."""
    bind = op.get_bind()
    inquiry = sa.table(
        "inquiry",
        sa.column("id", sa.Integer()),
        sa.column("question", sa.String()),
        sa.column("opened_at", knowledge.database.UtcDateTime(timezone=True)),
        sa.column("normal", sa.String()),
        sa.column("likeness", sa.String()),
        sa.column("cluster_id", sa.Integer()),
    )
    cluster = sa.table(
        "inquiry_cluster",
        sa.column("id", sa.Integer()),
        sa.column("created_at", knowledge.database.UtcDateTime(timezone=True)),
    )
    rows = bind.execute(sa.select(inquiry.c.id, inquiry.c.question, inquiry.c.opened_at)).all()
    for row in rows:
        made = bind.execute(cluster.insert().values(created_at=row.opened_at).returning(cluster.c.id)).scalar_one()
        question = row.question or ""
        bind.execute(
            inquiry.update()
            .where(inquiry.c.id == row.id)
            .values(
                normal=normalize(question),
                likeness=without_courtesy(normalize(question.split("\n（补充）")[0])),
                cluster_id=made,
            )
        )


def downgrade() -> None:

    with op.batch_alter_table("inquiry", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_inquiry_merged_into_id_inquiry"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_inquiry_entry_id_faq_entry"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_inquiry_assignee_id_staff_member"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_inquiry_cluster_id_inquiry_cluster"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_inquiry_entry_id"))
        batch_op.drop_index(batch_op.f("ix_inquiry_cluster_id"))
        for name in ("merged_into_id", "entry_id", "assignee_id", "cluster_id", "domain", "likeness", "normal"):
            batch_op.drop_column(name)
    op.drop_table("inquiry_note")
    op.drop_table("inquiry_cluster")
