"""Orders that belong together, check lists and meters, and what leaves the program: outbox, watches, leases."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TABLES = ("kept_answer", "lease", "order_watch", "outbox", "meter_value", "check_answer", "work_order_link")


def upgrade() -> None:
    """Make the tables; every open order is looked at once."""
    op.add_column("work_order", sa.Column("parent_id", sa.String(64)))
    op.add_column("work_order", sa.Column("merged_into", sa.String(64)))
    op.create_index("ix_work_order_parent", "work_order", ["parent_id"])
    op.create_index("ix_work_order_merged", "work_order", ["merged_into"])
    op.add_column("work_order_event", sa.Column("proof", sa.Text))
    _work()
    _outbox()
    op.create_table(
        "order_watch",
        sa.Column("work_order_id", sa.String(64), sa.ForeignKey("work_order.id"), primary_key=True),
        _instant("look_at"),
        sa.Column("told_event_id", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_order_watch_look_at", "order_watch", ["look_at"])
    op.create_table(
        "lease",
        sa.Column("name", sa.String(64), primary_key=True),
        _text("holder"),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        _instant("until", nullable=False),
    )
    op.create_table(
        "kept_answer",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        _instant("at", nullable=False),
    )
    op.execute(
        "INSERT INTO order_watch (work_order_id, look_at, told_event_id) SELECT work_order.id, opened_at, "
        "(SELECT max(id) FROM work_order_event WHERE work_order_id = work_order.id) FROM work_order "
        "WHERE next_due_at IS NOT NULL"
    )


def downgrade() -> None:
    """Take them out again, with what they hold."""
    for table in _TABLES:
        op.drop_table(table)
    op.drop_column("work_order_event", "proof")
    for index in ("ix_work_order_merged", "ix_work_order_parent"):
        op.drop_index(index, "work_order")
    for name in ("merged_into", "parent_id"):
        op.drop_column("work_order", name)


def _work() -> None:
    op.create_table(
        "work_order_link",
        sa.Column("work_order_id", sa.String(64), sa.ForeignKey("work_order.id"), primary_key=True),
        sa.Column("other_id", sa.String(64), sa.ForeignKey("work_order.id"), primary_key=True),
        _text("by"),
        _instant("at", nullable=False),
    )
    op.create_index("ix_work_order_link_other_id", "work_order_link", ["other_id"])
    op.create_table(
        "check_answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("work_order_id", sa.String(64), sa.ForeignKey("work_order.id"), nullable=False),
        sa.Column("item", sa.Integer, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        _text("by"),
        _instant("at", nullable=False),
        sa.Column("finding_id", sa.String(64), sa.ForeignKey("finding.id")),
    )
    op.create_index("ix_check_answer_work_order_id", "check_answer", ["work_order_id"])
    op.create_table(
        "meter_value",
        sa.Column("asset_id", sa.String(200), primary_key=True),
        sa.Column("meter", sa.String(64), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("value", sa.Float, nullable=False),
        _text("source"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("key", sa.String(200), primary_key=True),
        _text("kind"),
        _text("event"),
        sa.Column("work_order_id", sa.String(64), sa.ForeignKey("work_order.id")),
        _text("person"),
        sa.Column("channels", sa.JSON, nullable=False),
        sa.Column("channel", sa.Integer, nullable=False),
        _text("language"),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("urgent", "late", "digest")),
        _text("clock", nullable=True),
        _instant("due_at", nullable=False),
        _instant("created_at", nullable=False),
        _text("state"),
        sa.Column("tries", sa.Integer, nullable=False),
        _instant("next_try_at", nullable=False),
        _text("claimed_by", nullable=True),
        _instant("lease_until"),
        _instant("ended_at"),
        _text("delivered_by", nullable=True),
        sa.Column("error", sa.Text, nullable=False),
    )
    op.create_index("ix_outbox_state", "outbox", ["state", "next_try_at"])
    op.create_index("ix_outbox_order", "outbox", ["work_order_id"])
    op.create_index("ix_outbox_person", "outbox", ["person", "state"])


def _text(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=nullable)


def _instant(name: str, *, nullable: bool = True) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
