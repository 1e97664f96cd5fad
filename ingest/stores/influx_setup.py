"""Buckets, how long they keep, and their names for InfluxQL (DBRP mappings), in InfluxDB 2. Safe to do again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.bucket import Bucket
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.domain.dbrp_create import DBRPCreate
from influxdb_client.rest import ApiException
from influxdb_client.service.dbr_ps_service import DBRPsService
from urllib3.exceptions import HTTPError

from facility.errors import PermanentError, RetryableError
from facility.instant import DAY_US, HOUR_US, SECOND_US
from ingest.stores.influx_rollup import MEANS
from ingest.stores.influx_tiers import SUFFIXES
from ingest.stores.influx_wire import InfluxAddress
from ingest.stores.keeping import FIVE_MINUTES_US, KeepPolicy

RETENTION_POLICY = "autogen"
GRACE_DAYS = 30
"""A bucket keeps so much longer than readings should stay in it: time to thin them after we were away."""
BUCKETS = (*SUFFIXES.values(), *MEANS.values())
"""What the names of our buckets end in: single readings, old ones, means for plots."""
_SECONDS_A_DAY = DAY_US // SECOND_US


def set_up(address: InfluxAddress, policy: KeepPolicy) -> list[str]:
    """Make what is missing, correct what differs; a line for each bucket. Raises RetryableError or PermanentError.

    A bucket's own retention never takes what the policy keeps: it is the longest of all kinds of points, and the grace.
    """
    keep = policy.longest()
    days_of = dict(zip(SUFFIXES.values(), (keep.raw_days, keep.five_minute_days, keep.hour_days), strict=True))
    days_of |= {MEANS[FIVE_MINUTES_US]: keep.five_minute_days, MEANS[HOUR_US]: keep.hour_days}
    said = []
    with _client(address) as client:
        for suffix, days in days_of.items():
            name, seconds = address.bucket + suffix, (days + GRACE_DAYS) * _SECONDS_A_DAY if days else 0
            bucket, done = _bucket(client, address, name, seconds)
            mapped = _map(client, address, bucket)
            kept = f"{seconds // _SECONDS_A_DAY:,} days" if seconds else "for ever"
            said.append(f"bucket {name}: {done}, keeps {kept}; for InfluxQL {mapped}")
    return said


def missing_buckets(address: InfluxAddress) -> list[str]:
    """The names of the buckets that are not there. Raises RetryableError or PermanentError."""
    with _client(address) as client:
        return [name for suffix in BUCKETS if _find(client, address, name := address.bucket + suffix) is None]


@contextmanager
def _client(address: InfluxAddress) -> Iterator[InfluxDBClient]:
    token, timeout_ms = address.token.get_secret_value(), round(address.timeout_s * 1000)
    client = InfluxDBClient(url=address.url, org=address.org, token=token, timeout=timeout_ms)
    where = f"InfluxDB at {address.url}"
    try:
        yield client
    except ApiException as error:
        body = " ".join(str(error.body or error.reason).split())[:300]
        if error.status in (401, 403):
            hint = "give it a token that may write buckets and DBRP mappings of the organisation"
            msg = f"{where} does not let us set it up ({error.status} {body}); {hint}"
        elif error.status == 404:
            msg = f"{where} has no interface for buckets, or no organisation {address.org!r}; is it InfluxDB 2?"
        elif error.status is None or error.status >= 500 or error.status == 429:
            msg = f"{where} cannot be set up now: {error.status} {body}; try again"
            raise RetryableError(msg) from error
        else:
            msg = f"{where} refuses to be set up: {error.status} {body}"
        raise PermanentError(msg) from error
    except InfluxDBError as error:
        msg = f"{where} cannot be set up: {error.message}"
        raise PermanentError(msg) from error
    except (HTTPError, OSError) as error:
        msg = f"{where} cannot be reached: {error}; start it, or correct PLANTROOM_INFLUX_URL"
        raise RetryableError(msg) from error
    finally:
        client.close()  # type: ignore[no-untyped-call]  # the client has no types here


def _bucket(client: InfluxDBClient, address: InfluxAddress, name: str, seconds: int) -> tuple[Bucket, str]:
    api: Any = client.buckets_api()  # the client is untyped below this
    bucket = _find(client, address, name)
    rules = [BucketRetentionRules(type="expire", every_seconds=seconds)]  # type: ignore[no-untyped-call]  # as above
    if bucket is None:
        made: Bucket = api.create_bucket(bucket_name=name, org=address.org, retention_rules=rules)
        return made, "made"
    now = [int(rule.every_seconds or 0) for rule in bucket.retention_rules or []] or [0]
    if now == [seconds]:
        return bucket, "is there"
    bucket.retention_rules = rules
    api.update_bucket(bucket)
    return bucket, f"kept {now[0] // _SECONDS_A_DAY:,} days, corrected" if now[0] else "kept for ever, corrected"


def _find(client: InfluxDBClient, address: InfluxAddress, name: str) -> Bucket | None:
    api: Any = client.buckets_api()  # as above
    try:
        found: list[Bucket] = api.find_buckets(name=name, org=address.org).buckets
    except ApiException as error:  # some versions give an empty list, some say that there is none
        if error.status != 404:
            raise
        return None
    return next((one for one in found if one.name == name), None)


def _map(client: InfluxDBClient, address: InfluxAddress, bucket: Bucket) -> str:
    """InfluxDB 2 can serve a bucket under its own name without it; a mapping of our own does not depend on that."""
    service: Any = DBRPsService(client.api_client)  # type: ignore[no-untyped-call]  # the client has no types here
    found = service.get_dbr_ps(org=address.org, db=bucket.name).content or []
    if any(one.bucket_id == bucket.id and one.default and not one.virtual for one in found):
        return f"database {bucket.name} is mapped"
    names = {"org": address.org, "bucket_id": bucket.id, "database": bucket.name}
    wanted = DBRPCreate(**names, retention_policy=RETENTION_POLICY, default=True)  # type: ignore[no-untyped-call]  # as above
    service.post_dbrp(wanted)
    return f"database {bucket.name} was mapped"
