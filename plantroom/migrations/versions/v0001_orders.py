"""The first tables: findings, work orders with members and history, engine state, dead letters."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

OPEN = "status IN ('accepted', 'acknowledged', 'arrived', 'completed', 'held', 'open')"
APPENDED = "the history of a work order is only appended to"


def upgrade() -> None:
    """Make every table, the unique index over open causes, and the triggers that keep history as it is."""
    _finding()
    _work_order()
    _belonging()
    op.create_table(
        "engine_state",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("cursor_seq", sa.BigInteger, nullable=False),
        sa.Column("snapshot", sa.LargeBinary),
        sa.Column("snapshot_seq", sa.BigInteger),
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", _big(), primary_key=True, autoincrement=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("entry", sa.Integer, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.UniqueConstraint("seq", "entry", name="dead_letter_seq_entry"),
    )
    for statement in _triggers():
        op.execute(statement)


def downgrade() -> None:
    """Remove everything, with all data."""
    for table in ("dead_letter", "engine_state", "work_order_event", "work_order_finding", "work_order", "finding"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION work_order_event_is_appended()")


def _finding() -> None:
    op.create_table(
        "finding",
        sa.Column("id", sa.String(64), primary_key=True),
        *(_text(name) for name in ("rule_id", "asset_id", "building_id", "kind", "severity", "state")),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("advice", sa.Text, nullable=False),
        _text("cause_key"),
        _instant("onset_at", nullable=False),
        _instant("raised_at", nullable=False),
        _instant("cleared_at"),
        _text("suppressed_by", nullable=True),
        _text("shelved_by", nullable=True),
        sa.Column("diagnoses", sa.JSON, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
    )
    op.create_index("ix_finding_state", "finding", ["state", "raised_at"])
    op.create_index("ix_finding_asset", "finding", ["asset_id"])


def _work_order() -> None:
    stamps = ("acknowledged_at", "arrived_at", "completed_at", "accepted_at", "closed_at", "cancelled_at")
    op.create_table(
        "work_order",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        _text("kind"),
        _text("status"),
        sa.Column("priority", sa.Integer, nullable=False),
        *(_text(name) for name in ("severity", "building_id", "asset_id", "rule_id")),
        sa.Column("finding_id", sa.String(64), sa.ForeignKey("finding.id"), nullable=False),
        _text("cause_key"),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("advice", sa.Text, nullable=False),
        sa.Column("diagnoses", sa.JSON, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        _text("contract_id", nullable=True),
        sa.Column("contract_revision", sa.Integer),
        _text("service_level"),
        sa.Column("level_reason", sa.Text, nullable=False),
        sa.Column("default_level", sa.Boolean, nullable=False),
        _instant("opened_at", nullable=False),
        _instant("response_due_at"),
        _instant("resolution_due_at"),
        _instant("next_due_at"),
        *(_instant(name) for name in stamps),
    )
    where = sa.text(OPEN)
    op.create_index(
        "ux_work_order_open_cause", "work_order", ["cause_key"], unique=True, sqlite_where=where, postgresql_where=where
    )
    op.create_index("ix_work_order_due", "work_order", ["next_due_at", "number"])
    op.create_index("ix_work_order_status", "work_order", ["status", "number"])
    op.create_index("ix_work_order_asset", "work_order", ["asset_id"])
    op.create_index("ix_work_order_rule", "work_order", ["rule_id"])


def _belonging() -> None:
    op.create_table(
        "work_order_finding",
        sa.Column("finding_id", sa.String(64), sa.ForeignKey("finding.id"), primary_key=True),
        sa.Column("work_order_id", sa.String(64), sa.ForeignKey("work_order.id"), nullable=False),
    )
    op.create_index("ix_work_order_finding_work_order_id", "work_order_finding", ["work_order_id"])
    op.create_table(
        "work_order_event",
        sa.Column("id", _big(), primary_key=True, autoincrement=True),
        sa.Column("work_order_id", sa.String(64), sa.ForeignKey("work_order.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        _instant("at", nullable=False),
        _text("verb"),
        _text("by"),
        sa.Column("note", sa.Text, nullable=False),
        _text("reason", nullable=True),
        _text("from_status", nullable=True),
        _text("to_status"),
        sa.Column("finding_id", sa.String(64), sa.ForeignKey("finding.id")),
    )
    op.create_index("ix_work_order_event_work_order_id", "work_order_event", ["work_order_id"])


def _triggers() -> list[str]:
    if op.get_bind().dialect.name == "sqlite":
        return [
            f"CREATE TRIGGER work_order_event_no_{change.lower()} BEFORE {change} ON work_order_event "
            f"BEGIN SELECT RAISE(ABORT, '{APPENDED}'); END"
            for change in ("UPDATE", "DELETE")
        ]
    function = (
        "CREATE FUNCTION work_order_event_is_appended() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{APPENDED}'; END $$"
    )
    runs = "EXECUTE FUNCTION work_order_event_is_appended()"
    return [
        function,
        f"CREATE TRIGGER work_order_event_no_change BEFORE UPDATE OR DELETE ON work_order_event FOR EACH ROW {runs}",
        f"CREATE TRIGGER work_order_event_no_truncate BEFORE TRUNCATE ON work_order_event FOR EACH STATEMENT {runs}",
    ]


def _big() -> "sa.types.TypeEngine[int]":
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=nullable)


def _instant(name: str, *, nullable: bool = True) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
