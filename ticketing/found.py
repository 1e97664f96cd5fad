"""What a caller asks for by its name, or 404: what is in a building she may not see does not exist for her."""

from sqlmodel import Session

from ticketing import repository, service_rows, survey_rows
from ticketing.asker import Asker, may_see
from ticketing.problem import refuse
from ticketing.tables import WorkOrderRow
from ticketing.tables_service import ComplaintRow, RequestRow, SurveyRow


def found_order(session: Session, name: str, who: Asker, *, lock: bool = False) -> WorkOrderRow:
    """An order by id or number; with `lock`, held until the transaction ends."""
    row = repository.find_order(session, name, lock=lock)
    if row is None or not may_see(who, row.building_id):
        refuse(404, f"there is no work order {name!r}", f"work order {name}", "GET /api/work-orders lists them.")
    return row


def found_request(session: Session, name: str, who: Asker, *, lock: bool = False) -> RequestRow:
    """A request by id or number."""
    row = service_rows.find(session, RequestRow, "RQ-", name, lock=lock)
    if row is None or not may_see(who, row.building_id):
        refuse(404, f"there is no request {name!r}", f"request {name}", "GET /api/requests lists them.")
    return row


def found_complaint(session: Session, name: str, who: Asker, *, lock: bool = False) -> ComplaintRow:
    """A complaint by id or number."""
    row = service_rows.find(session, ComplaintRow, "CP-", name, lock=lock)
    if row is None or not may_see(who, row.building_id):
        refuse(404, f"there is no complaint {name!r}", f"complaint {name}", "GET /api/complaints lists them.")
    return row


def found_survey(session: Session, name: str, who: Asker, *, lock: bool = False) -> SurveyRow:
    """A survey by id."""
    row = survey_rows.find_survey(session, name, lock=lock)
    if row is None or not may_see(who, row.building_id):
        refuse(404, f"there is no survey {name!r}", f"survey {name}", "GET /api/surveys lists them.")
    return row


def own_building(who: Asker, building_id: str) -> None:
    """404 for a building that the caller may not see."""
    if not may_see(who, building_id):
        refuse(404, f"there is no building {building_id!r}", "building_id", "GET /api/sites lists them.")


def within_reach(session: Session, name: str, who: Asker) -> None:
    """404 when somebody limited to buildings names another order that is not there; others hear it from the desk."""
    if who.buildings() is not None:
        found_order(session, name, who)
