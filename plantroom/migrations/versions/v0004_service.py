"""What people send and answer, and what work costs; the indexes that figures of a period are read by."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

APPENDED = "the history of a request, complaint, survey, quote or part is only appended to"
_TABLES = ("quote", "cost_line", "part", "service_event", "survey", "complaint", "attachment", "request")


def upgrade() -> None:
    """Make the tables, the triggers that keep histories as they are, and three indexes of orders."""
    _request()
    _complaint()
    _survey()
    _costs()
    op.create_table(
        "service_event",
        sa.Column("id", _big(), primary_key=True, autoincrement=True),
        _text("owner_kind"),
        sa.Column("owner_id", sa.String(64), nullable=False),
        _instant("at", nullable=False),
        _text("verb"),
        _text("by"),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("ix_service_event_owner", "service_event", ["owner_kind", "owner_id", "id"])
    for statement in _triggers():
        op.execute(statement)
    op.create_index("ix_work_order_opened", "work_order", ["opened_at"])
    op.create_index("ix_work_order_completed", "work_order", ["completed_at", "opened_at"])
    op.create_index("ix_work_order_event_verb", "work_order_event", ["work_order_id", "verb"])


def downgrade() -> None:
    """Remove them with what they hold."""
    op.drop_index("ix_work_order_event_verb", "work_order_event")
    op.drop_index("ix_work_order_completed", "work_order")
    op.drop_index("ix_work_order_opened", "work_order")
    for table in _TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION service_event_is_appended()")


def _request() -> None:
    op.create_table(
        "request",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        _text("status"),
        _text("category"),
        sa.Column("text", sa.Text, nullable=False),
        *(_text(name) for name in ("building_id", "space_id", "asset_id", "contact", "language")),
        sa.Column("urgent", sa.Boolean, nullable=False),
        _instant("received_at", nullable=False),
        *(_instant(name) for name in ("review_due_at", "reviewed_at", "visit_due_at")),
        _order_id(nullable=True),
        sa.Column("joined_to", sa.String(64), sa.ForeignKey("request.id")),
        *_contract(),
        sa.Column("key", sa.String(200), unique=True),
    )
    op.create_index("ix_request_status", "request", ["status", "received_at"])
    op.create_index("ix_request_asset", "request", ["asset_id"])
    op.create_index("ix_request_order", "request", ["order_id"])
    op.create_table(
        "attachment",
        sa.Column("id", sa.String(64), primary_key=True),
        _text("owner_kind"),
        sa.Column("owner_id", sa.String(64), nullable=False),
        _text("media_type"),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        _instant("at", nullable=False),
        _text("by"),
        sa.UniqueConstraint("owner_kind", "owner_id", "sha256", name="attachment_owner_sha256"),
    )
    op.create_index("ix_attachment_owner", "attachment", ["owner_kind", "owner_id"])


def _complaint() -> None:
    due = ("accept_due_at", "answer_due_at", "resolve_due_at", "tell_due_at")
    stamps = (*due, "accepted_at", "answered_at", "resolved_at", "told_at", "escalated_at")
    places = ("building_id", "space_id", "asset_id", "equipment_class", "supplier", "contact")
    op.create_table(
        "complaint",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        _text("status"),
        sa.Column("text", sa.Text, nullable=False),
        *(_text(name) for name in places),
        sa.Column("urgent", sa.Boolean, nullable=False),
        _text("matter_key"),
        _instant("received_at", nullable=False),
        *(_instant(name) for name in stamps),
        _order_id(nullable=True),
        sa.Column("survey_id", sa.String(64)),
        sa.Column("repeat_of", sa.String(64), sa.ForeignKey("complaint.id")),
        *_contract(),
        sa.Column("key", sa.String(200), unique=True),
    )
    op.create_index("ix_complaint_status", "complaint", ["status", "received_at"])
    op.create_index("ix_complaint_received", "complaint", ["received_at"])
    op.create_index("ix_complaint_order", "complaint", ["order_id"])
    op.create_index("ix_complaint_matter", "complaint", ["matter_key", "number"])


def _survey() -> None:
    op.create_table(
        "survey",
        sa.Column("id", sa.String(64), primary_key=True),
        _text("form_id"),
        _text("form_kind"),
        sa.Column("subject", sa.String(200), nullable=False),
        _text("status"),
        _order_id(nullable=True),
        *(_text(name) for name in ("building_id", "asset_id", "equipment_class", "supplier", "contact")),
        *_contract(),
        _instant("sent_at", nullable=False),
        _instant("closes_at", nullable=False),
        _instant("next_reminder_at"),
        sa.Column("reminders", sa.Integer, nullable=False),
        _instant("answered_at"),
        sa.Column("score_hundredths", sa.Integer),
        sa.Column("nps", sa.Integer),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.UniqueConstraint("form_id", "subject", name="survey_form_subject"),
    )
    op.create_index("ix_survey_status", "survey", ["status", "next_reminder_at"])
    op.create_index("ix_survey_answered", "survey", ["answered_at"])
    op.create_index("ix_survey_sent", "survey", ["sent_at"])


def _costs() -> None:
    op.create_table(
        "part",
        sa.Column("id", sa.String(64), primary_key=True),
        _text("name"),
        _text("unit"),
        _cents("price_cents"),
        _currency(),
        sa.Column("stock", sa.Integer, nullable=False),
        sa.Column("reorder_at", sa.Integer, nullable=False),
    )
    op.create_table(
        "cost_line",
        sa.Column("id", _big(), primary_key=True, autoincrement=True),
        _order_id(),
        _text("kind"),
        _text("what"),
        sa.Column("quantity_hundredths", sa.Integer, nullable=False),
        _cents("unit_cents"),
        _cents("amount_cents"),
        _currency(),
        sa.Column("part_id", sa.String(64), sa.ForeignKey("part.id")),
        _text("payer"),
        _text("clause"),
        _instant("at", nullable=False),
        _text("by"),
        sa.Column("key", sa.String(200), unique=True),
    )
    op.create_index("ix_cost_line_order", "cost_line", ["order_id"])
    op.create_index("ix_cost_line_at", "cost_line", ["at"])
    op.create_table(
        "quote",
        sa.Column("id", sa.String(64), primary_key=True),
        _order_id(),
        sa.Column("version", sa.Integer, nullable=False),
        _text("status"),
        _cents("amount_cents"),
        _currency(),
        sa.Column("lines", sa.JSON, nullable=False),
        sa.Column("standard", sa.Text, nullable=False),
        _instant("sent_at", nullable=False),
        _text("sent_by"),
        _instant("decided_at"),
        _text("decided_by"),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("ix_quote_order", "quote", ["order_id"])


def _triggers() -> list[str]:
    if op.get_bind().dialect.name == "sqlite":
        return [
            f"CREATE TRIGGER service_event_no_{change.lower()} BEFORE {change} ON service_event "
            f"BEGIN SELECT RAISE(ABORT, '{APPENDED}'); END"
            for change in ("UPDATE", "DELETE")
        ]
    function = (
        "CREATE FUNCTION service_event_is_appended() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{APPENDED}'; END $$"
    )
    runs = "EXECUTE FUNCTION service_event_is_appended()"
    return [
        function,
        f"CREATE TRIGGER service_event_no_change BEFORE UPDATE OR DELETE ON service_event FOR EACH ROW {runs}",
        f"CREATE TRIGGER service_event_no_truncate BEFORE TRUNCATE ON service_event FOR EACH STATEMENT {runs}",
    ]


def _big() -> "sa.types.TypeEngine[int]":
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=nullable)


def _instant(name: str, *, nullable: bool = True) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _cents(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)


def _currency() -> "sa.Column[str]":
    return sa.Column("currency", sa.String(3), nullable=False)


def _order_id(*, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column("order_id", sa.String(64), sa.ForeignKey("work_order.id"), nullable=nullable)


def _contract() -> "tuple[sa.Column[str], sa.Column[int]]":
    return _text("contract_id", nullable=True), sa.Column("contract_revision", sa.Integer)
