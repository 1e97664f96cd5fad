"""What may be attached to an order, a request or a complaint, and how many. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ticketing.plan import AnswerKind


class AttachmentKind(StrEnum):
    """A photo shows what was found or done; a signature is what somebody drew to confirm it."""

    PHOTO = "photo"
    SIGNATURE = "signature"


class OwnerKind(StrEnum):
    """What an attachment belongs to."""

    ORDER = "work_order"
    REQUEST = "request"
    COMPLAINT = "complaint"


MOST: Mapping[OwnerKind, int] = MappingProxyType({OwnerKind.ORDER: 60, OwnerKind.REQUEST: 10, OwnerKind.COMPLAINT: 10})
ANSWERED_BY: Mapping[AnswerKind, AttachmentKind] = MappingProxyType(
    {AnswerKind.PHOTO: AttachmentKind.PHOTO, AnswerKind.SIGNATURE: AttachmentKind.SIGNATURE}
)
"""Items of check lists that are answered with an attachment of the visit."""


@dataclass(frozen=True, slots=True)
class Owner:
    """An order, a request or a complaint by its id, and where it is."""

    kind: OwnerKind
    id: str
    building_id: str

    @property
    def where(self) -> str:
        """As messages name it."""
        return f"{self.kind.replace('_', ' ')} {self.id}"
