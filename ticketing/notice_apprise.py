"""Tells people through Apprise: mail, WeCom, DingTalk, Feishu, ntfy, SMS gateways, and whatever else it knows."""

import apprise

from ticketing.webhook import NotDeliveredError, RefusedError


def tell(address: str, subject: str, body: str) -> None:
    """Send to one Apprise address. Raises RefusedError for an address Apprise does not know, NotDeliveredError else.

    Apprise says in its own log why; addresses are secrets and stand in no message of ours.
    """
    courier = apprise.Apprise()
    if not courier.add(address):
        msg = "Apprise does not know this kind of address; see the channel in the roster"
        raise RefusedError(msg)
    if not courier.notify(body=body, title=subject):
        msg = "the channel did not take it; the log of apprise says why"
        raise NotDeliveredError(msg)
