"""Every question to and change of the tables of work orders, gathered from one file for each noun.

The caller owns the transaction; nothing commits here.
"""

from ticketing.engine_state import (
    Progress,
    begin_anew,
    count_rewind,
    load_engine_state,
    load_progress,
    save_cursor,
    save_snapshot,
)
from ticketing.finding_rows import (
    add_members,
    clear_reported,
    count_active,
    list_findings,
    lock_active,
    member_orders,
    members,
    save_findings,
)
from ticketing.history_rows import append_lines, as_change, as_order, histories
from ticketing.order_query import OrderQuery, count_orders, list_orders
from ticketing.order_rows import (
    advance_order,
    find_order,
    insert_orders,
    lock_done_orders,
    lock_open_orders,
    next_number,
    reopen_orders,
    reopened_values,
    standings,
)

__all__ = [
    "OrderQuery",
    "Progress",
    "add_members",
    "advance_order",
    "append_lines",
    "as_change",
    "as_order",
    "begin_anew",
    "clear_reported",
    "count_active",
    "count_orders",
    "count_rewind",
    "find_order",
    "histories",
    "insert_orders",
    "list_findings",
    "list_orders",
    "load_engine_state",
    "load_progress",
    "lock_active",
    "lock_done_orders",
    "lock_open_orders",
    "member_orders",
    "members",
    "next_number",
    "reopen_orders",
    "reopened_values",
    "save_cursor",
    "save_findings",
    "save_snapshot",
    "standings",
]
