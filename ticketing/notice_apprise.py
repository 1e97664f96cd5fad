"""Tells people through Apprise: mail, WeCom, DingTalk, Feishu, ntfy, SMS gateways, and whatever else it knows."""

from ticketing.webhook import KEY_HEADER, NotDeliveredError, RefusedError


def tell(address: str, subject: str, body: str, key: str = "") -> None:
    """Send to one Apprise address. Raises RefusedError for an address Apprise does not know, NotDeliveredError else.

    A receiver that takes headers (`json://` and its like, mail) gets `key` in `Idempotency-Key`: the same key again is
    the same message. Apprise says in its own log why; addresses are secrets and stand in no message of ours.
    """
    import apprise  # noqa: PLC0415 - a tenth of a second at each start, for the first notice

    service = apprise.Apprise.instantiate(address)
    if service is None:
        msg = "Apprise does not know this kind of address; see the channel in the roster"
        raise RefusedError(msg)
    if key and "headers" in service.template_kwargs:
        vars(service)["headers"] = {**(vars(service)["headers"] or {}), KEY_HEADER: key}
    courier = apprise.Apprise(service)
    if not courier.notify(body=body, title=subject):
        msg = "the channel did not take it; the log of apprise says why"
        raise NotDeliveredError(msg)
