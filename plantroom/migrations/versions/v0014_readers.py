"""Buildings and assets as the site files have them, and on PostgreSQL the views of Grafana in a schema of their own.

The columns of a view keep their names and meaning: dashboards, ours and those of others, stand on them. What says who
somebody is (names, addresses, words that people wrote) is in none. A later step that changes a column which a view
reads drops the view first and makes it again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

READER = "grafana"
VIEWS = {
    "building": """
SELECT id AS building_id, name AS building, site_id, site_name AS site, zone, latitude, longitude
FROM public.building""",
    "asset": """
SELECT id AS asset_id, name AS asset, equipment_class, system, building_id, space, criticality
FROM public.asset""",
    "finding": """
SELECT f.id AS finding_id, f.rule_id, f.building_id, f.asset_id, coalesce(a.name, f.asset_id) AS asset,
  coalesce(a.system, 'other') AS system, f.kind, f.severity,
  array_position(ARRAY['low', 'medium', 'high', 'critical'], f.severity::text) AS severity_rank,
  f.state, f.suppressed_by IS NOT NULL AS is_suppressed, f.shelved_by IS NOT NULL AS is_shelved, f.title,
  f.onset_at, f.raised_at, f.cleared_at, f.days_left, f.confidence, m.work_order_id
FROM public.finding f
LEFT JOIN public.asset a ON a.id = f.asset_id
LEFT JOIN public.work_order_finding m ON m.finding_id = f.id""",
    "work_order": """
SELECT o.id AS work_order_id, o.number, o.kind, o.status, o.status NOT IN ('closed', 'cancelled') AS is_open,
  o.priority, o.severity, o.building_id, o.asset_id, coalesce(a.name, o.asset_id) AS asset,
  coalesce(a.system, 'other') AS system, o.rule_id, o.title, o.contract_id, o.contract_revision, o.service_level,
  o.key_equipment AS is_key_equipment, o.repeats, o.opened_at, o.acknowledged_at, o.arrived_at, o.completed_at,
  o.accepted_at, o.closed_at, o.cancelled_at, o.planned_due_at, o.response_due_at, o.resolution_due_at, o.next_due_at,
  CASE WHEN o.response_due_at IS NULL OR o.cancelled_at IS NOT NULL THEN NULL
    WHEN o.arrived_at IS NOT NULL THEN o.arrived_at <= o.response_due_at
    WHEN o.status <> 'held' AND now() > o.response_due_at THEN false END AS response_met,
  CASE WHEN o.resolution_due_at IS NULL OR o.cancelled_at IS NOT NULL THEN NULL
    WHEN o.completed_at IS NOT NULL THEN o.completed_at <= o.resolution_due_at
    WHEN o.status <> 'held' AND now() > o.resolution_due_at THEN false END AS resolution_met
FROM public.work_order o
LEFT JOIN public.asset a ON a.id = o.asset_id""",
    "work_order_step": """
SELECT e.id AS step_id, e.work_order_id, o.number, o.building_id, o.asset_id, e.at, e.verb, e.from_status, e.to_status
FROM public.work_order_event e
JOIN public.work_order o ON o.id = e.work_order_id
WHERE e.verb <> 'join'""",
    "message": """
SELECT o.kind, o.event, o.state, o.urgent AS is_urgent, o.late AS is_late, o.work_order_id, w.building_id, w.asset_id,
  o.due_at, o.created_at, o.ended_at, o.tries
FROM public.outbox o
LEFT JOIN public.work_order w ON w.id = o.work_order_id""",
    "survey": """
SELECT id AS survey_id, form_id, form_kind, status, order_id AS work_order_id, building_id, asset_id, equipment_class,
  supplier, contract_id, contract_revision, sent_at, closes_at, answered_at, score_hundredths / 100.0 AS score, nps
FROM public.survey""",
    "complaint": """
SELECT id AS complaint_id, number, status, building_id, asset_id, equipment_class, supplier, urgent AS is_urgent,
  received_at, accepted_at, answered_at, resolved_at, told_at, accept_due_at, answer_due_at, resolve_due_at,
  repeat_of IS NOT NULL AS is_repeat, order_id AS work_order_id, contract_id, contract_revision
FROM public.complaint""",
    "request": """
SELECT id AS request_id, number, status, category, building_id, asset_id, urgent AS is_urgent, received_at,
  review_due_at, reviewed_at, visit_due_at, joined_to IS NOT NULL AS is_repeat, order_id AS work_order_id
FROM public.request""",
    "cost": """
SELECT c.order_id AS work_order_id, o.building_id, o.asset_id, o.contract_id, c.kind, c.payer,
  c.amount_cents / 100.0 AS amount, c.currency, c.at
FROM public.cost_line c
JOIN public.work_order o ON o.id = c.order_id""",
}


def upgrade() -> None:
    """The program fills the tables when its jobs run. Grafana's user, where there is one, then reads nothing else."""
    op.create_table(
        "building",
        sa.Column("id", sa.String(64), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("name", "site_id", "site_name", "zone")),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
    )
    op.create_table(
        "asset",
        sa.Column("id", sa.String(64), primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("name", "equipment_class", "system")),
        sa.Column("building_id", sa.String(64), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("space", "criticality")),
    )
    op.create_index("ix_asset_building_id", "asset", ["building_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SCHEMA IF NOT EXISTS grafana")
        for name, query in VIEWS.items():
            op.execute(f"CREATE VIEW grafana.{name} AS{query}")
        _narrow()


def downgrade() -> None:
    """Remove both. Grafana's user then reads nothing."""
    if op.get_bind().dialect.name == "postgresql":
        for name in VIEWS:
            op.execute(f"DROP VIEW grafana.{name}")
    op.drop_table("asset")
    op.drop_table("building")


def _narrow() -> None:
    """Until now the reader saw every table, also those that come."""
    known = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name")
    if op.get_bind().execute(known, {"name": READER}).first() is None:
        return
    for statement in (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM grafana",
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM grafana",
        "REVOKE USAGE ON SCHEMA public FROM grafana",
        "GRANT USAGE ON SCHEMA grafana TO grafana",
        "GRANT SELECT ON ALL TABLES IN SCHEMA grafana TO grafana",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA grafana GRANT SELECT ON TABLES TO grafana",
    ):
        op.execute(statement)
