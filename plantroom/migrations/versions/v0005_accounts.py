"""Users, sessions, tokens, links to set a password, and the audit, which is only appended to."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

APPENDED = "the audit is only appended to"


def upgrade() -> None:
    """Make the tables and the triggers that keep the audit as it is."""
    op.create_table(
        "account_user",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("buildings", sa.JSON, nullable=False),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("oidc_subject", sa.String(255), unique=True),
        sa.Column("language", sa.String(8)),
        sa.Column("failed", sa.Integer, nullable=False),
        _instant("locked_until"),
        _instant("disabled_at"),
        _instant("created_at", nullable=False),
    )
    op.create_table(
        "account_session",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("was", sa.String(64)),
        _user(),
        *(_instant(name, nullable=False) for name in ("created_at", "rotated_at", "seen_at", "ends_at")),
        sa.Column("agent", sa.String(200), nullable=False),
    )
    op.create_table(
        "account_token",
        sa.Column("id", sa.String(32), primary_key=True),
        _user(),
        sa.Column("label", sa.String(100), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("hint", sa.String(12), nullable=False),
        sa.Column("scope", sa.String(8), nullable=False),
        _instant("created_at", nullable=False),
        *(_instant(name) for name in ("ends_at", "used_at", "revoked_at")),
    )
    op.create_table(
        "account_link",
        sa.Column("hash", sa.String(64), primary_key=True),
        _user(),
        _instant("ends_at", nullable=False),
        _instant("used_at"),
    )
    op.create_table(
        "account_audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        _instant("at", nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("what", sa.String(40), nullable=False),
        sa.Column("about", sa.String(200), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
    )
    for table in ("account_session", "account_token", "account_link"):
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])
    op.create_index("ix_account_session_was", "account_session", ["was"])
    op.create_index("ix_account_audit_at", "account_audit", ["at"])
    for statement in _triggers():
        op.execute(statement)


def downgrade() -> None:
    """Remove them, with all accounts."""
    for name in ("audit", "link", "token", "session", "user"):
        op.drop_table(f"account_{name}")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION account_audit_is_appended()")


def _triggers() -> list[str]:
    if op.get_bind().dialect.name == "sqlite":
        return [
            f"CREATE TRIGGER account_audit_no_{change.lower()} BEFORE {change} ON account_audit "
            f"BEGIN SELECT RAISE(ABORT, '{APPENDED}'); END"
            for change in ("UPDATE", "DELETE")
        ]
    function = (
        "CREATE FUNCTION account_audit_is_appended() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{APPENDED}'; END $$"
    )
    trigger = (
        "CREATE TRIGGER account_audit_no_change BEFORE UPDATE OR DELETE ON account_audit "
        "FOR EACH ROW EXECUTE FUNCTION account_audit_is_appended()"
    )
    return [function, trigger]


def _user() -> sa.Column[str]:
    return sa.Column("user_id", sa.String(32), sa.ForeignKey("account_user.id"), nullable=False)


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
