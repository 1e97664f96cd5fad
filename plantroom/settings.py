"""Every setting of the program, with its documented default. The defaults run everything embedded.

A setting comes from the environment (`PLANTROOM_HTTP_PORT`), from a `.env` file in the working folder, or from a
flag of the command. All that is wrong is reported together at start.
"""

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from facility.errors import InputError, Problem
from ingest.link import ClientKind
from ingest.stores.keeping import KeepPolicy, parse_policy
from plantroom.part import parse_processes
from plantroom.settings_files import SecretFiles, named_in
from plantroom.shard import Shard, parse_shards, shards_in
from ticketing.egress import parse_networks

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_DEFAULT_SECRETS = ("changeme", "change-me", "secret", "password", "admin", "plantroom", "token")


class Mode(StrEnum):
    """EMBEDDED runs its own broker and stores; PRODUCTION uses real servers and refuses default secrets."""

    EMBEDDED = "embedded"
    PRODUCTION = "production"


class ClockKind(StrEnum):
    """Which clock the whole program lives by: the wall clock, simulated time, or the newest event of the journal."""

    REAL = "real"
    SCALED = "scaled"
    JOURNAL = "journal"


class StoreKind(StrEnum):
    """Where readings are kept for plots and queries."""

    PARQUET = "parquet"
    INFLUX = "influx"


Files = Annotated[tuple[Path, ...], NoDecode]


class Settings(BaseSettings):
    """Settings of one instance. Fields are the names of the environment variables, without `PLANTROOM_`."""

    model_config = SettingsConfigDict(
        env_prefix="PLANTROOM_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, environment, the files that it names for secrets, `.env`, and the files that this names."""
        return (
            init_settings, env_settings, SecretFiles(settings_cls, os.environ),
            dotenv_settings, SecretFiles(settings_cls, named_in(dotenv_settings)), file_secret_settings,
        )  # fmt: skip

    mode: Mode = Field(default=Mode.EMBEDDED, description="embedded parts, or real servers with real secrets")
    var: Path = Field(default=Path("var"), description="folder for everything the program writes")
    site: Files = Field(default=(), description="site files, separated by commas")
    contract: Files = Field(default=(), description="contract files, separated by commas")
    roster: Path | None = Field(default=None, description="roster file: who is told and sent, channels, webhooks")
    manuals: Path | None = Field(default=None, description="folder of the manuals whose files site files name")
    rules: Path | None = Field(default=None, description="folder of own rule files, beside the shipped catalogue")
    clock: ClockKind = Field(default=ClockKind.REAL, description="real, scaled or journal")
    clock_factor: float = Field(default=60.0, gt=0, le=3600, description="simulated seconds a second (scaled clock)")

    mqtt_host: str = Field(default="127.0.0.1", description="address of the broker")
    mqtt_port: int = Field(default=1883, ge=1, le=65535, description="port of the broker")
    mqtt_listen: str | None = Field(
        default=None,
        description="address the embedded broker listens on, where that is not mqtt_host; beyond this machine only "
        "with a password",
    )
    mqtt_user: str | None = Field(default=None, description="user at the broker")
    mqtt_password: SecretStr | None = Field(default=None, description="password at the broker")

    mqtt_ca_file: Path | None = Field(
        default=None, description="certificate that the broker's must come from; with it every connection is TLS"
    )
    mqtt_client: ClientKind = Field(
        default=ClientKind.RAW, description="MQTT client of ingest: raw (our own, the cheaper one) or paho"
    )

    store: StoreKind = Field(default=StoreKind.PARQUET, description="parquet (embedded) or influx")
    influx_url: str = Field(default="http://127.0.0.1:8086", description="address of InfluxDB")
    influx_org: str = Field(default="plantroom", description="organisation in InfluxDB")
    influx_bucket: str = Field(default="plantroom", description="bucket, and database name for InfluxQL")
    influx_token: SecretStr | None = Field(default=None, description="token for InfluxDB")

    readings_raw_days: str = Field(
        default="400",
        description="days the store keeps single readings, for all or by kind of point: `90`, or "
        "`sensor=90, status=0`; 0 is for ever",
    )
    readings_5min_days: str = Field(
        default="1200", description="days the store keeps one reading for five minutes after that, written alike"
    )
    readings_hour_days: str = Field(
        default="0", description="days the store keeps one reading for an hour after that, written alike"
    )
    journal_keep_hours: float = Field(
        default=336.0,
        ge=1,
        description="hours the journal is kept at least after every follower is done with it; "
        "longer than the oldest backup you would restore",
    )
    journal_max_gb: float = Field(
        default=20.0, gt=0, description="gigabytes above which older parts of the journal go before their time"
    )
    message_max_kib: int = Field(
        default=256, ge=1, le=1024, description="largest message that is read, in KiB; larger ones are dead letters"
    )
    device_messages_per_second: float = Field(
        default=100.0,
        ge=0,
        description="messages a second that one topic may send for long (ten minutes' worth at once); 0 is no limit",
    )

    database_url: SecretStr | None = Field(
        default=None, description="SQLAlchemy address of the order database; without it SQLite under var"
    )

    http_host: str = Field(default="127.0.0.1", description="address the pages listen on")
    http_port: int = Field(default=8600, ge=0, le=65535, description="port of the pages; 0 takes a free one")
    http_proxies: str = Field(
        default="127.0.0.1",
        description="addresses of proxies in front of the pages whose word counts on who asks and whether by TLS, "
        "separated by commas; * is any",
    )
    tls_addresses: str = Field(
        default="",
        description="where our servers show certificates to others, as host:port separated by spaces, such as "
        "mosquitto:8883 proxy:8443; the doctor says when those end",
    )
    token: SecretStr | None = Field(default=None, description="the admin's bearer token; without it one is made in var")
    outbound_private: str = Field(
        default="",
        description="addresses or networks of our own, separated by commas, that notices and webhooks may reach, "
        "such as 10.0.5.0/24; without it they reach public ones only",
    )
    oidc_issuer: str | None = Field(
        default=None, description="identity provider people sign in through, as it names itself; needs the extra `oidc`"
    )
    oidc_client_id: str | None = Field(default=None, description="what the identity provider knows us by")
    oidc_client_secret_file: Path | None = Field(default=None, description="file with the secret it gave us")
    oidc_address: str | None = Field(
        default=None,
        description="address of the pages, such as https://plant.example; people are sent back there",
    )
    oidc_role_claim: str = Field(default="groups", description="claim that says what somebody is")
    oidc_roles: str = Field(
        default="",
        description="what its values stand for: `plant-admins=admin, lift-crew=technician`; no one else",
    )
    oidc_name_claim: str = Field(default="preferred_username", description="claim with the user name")
    oidc_buildings_claim: str = Field(
        default="", description="claim with the ids of the buildings somebody may see; without it all (customers: none)"
    )
    oidc_label: str = Field(default="Single sign-on", description="what the button on the sign-in page says")
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="port for /metrics, /healthz and /readyz of a process, beside its pages if it has any (ingest: "
        "/metrics alone); 0 is off",
    )
    processes: str = Field(
        default="engine,web,jobs",
        description="how `plantroom run` divides the work: processes separated by spaces, each with one or more of "
        "engine, web, jobs, or with ingest, which is there once without saying so; whoever is there twice stands by: "
        "`ingest ingest engine engine web,jobs web,jobs`",
    )
    shards: str = Field(
        default="",
        description="names, separated by spaces, of further ingest processes beside the first, which is `main`; each "
        "has a journal and an engine of its own and takes whole buildings: see production.md",
    )
    grafana_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s?#]+$",
        description="address of Grafana as browsers reach it, such as https://grafana.plant.example; where it is set, "
        "pages of buildings and assets lead to their dashboards",
    )

    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="least level logged")
    log_json: bool = Field(default=False, description="one JSON object a line instead of text for people")

    @field_validator("site", "contract", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("processes")
    @classmethod
    def _processes(cls, value: str) -> str:
        parse_processes(value)
        return value

    @field_validator("shards")
    @classmethod
    def _shards(cls, value: str) -> str:
        return " ".join(parse_shards(value))

    @model_validator(mode="after")
    def _one_history(self) -> Self:
        if self.shards and self.clock is ClockKind.JOURNAL:
            msg = "shards are set, but with the clock `journal` there is one journal whose newest event is now"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _keeping(self) -> Self:
        parse_policy(self.readings_raw_days, self.readings_5min_days, self.readings_hour_days)
        return self

    @model_validator(mode="after")
    def _outbound(self) -> Self:
        parse_networks(self.outbound_private)
        return self

    @model_validator(mode="after")
    def _oidc(self) -> Self:
        if self.oidc_issuer is not None:
            needed = ("oidc_client_id", "oidc_client_secret_file", "oidc_address", "oidc_roles")
            missing = [name for name in needed if not getattr(self, name)]
            if missing:
                msg = f"oidc_issuer is set, but {', '.join(missing)} is missing"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _production(self) -> Self:
        problems = []
        if self.http_host not in LOOPBACK and self.token is None:
            problems.append(
                f"http_host is {self.http_host!r}, but no token is set; "
                "without one the program listens on 127.0.0.1 only"
            )
        if self.mode is Mode.PRODUCTION:
            for name in ("token", "mqtt_password", "influx_token"):
                secret = getattr(self, name)
                if secret is None and (name != "influx_token" or self.store is StoreKind.INFLUX):
                    problems.append(f"{name} is missing; production needs it (environment PLANTROOM_{name.upper()})")
            if self.database_url is None:
                problems.append("database_url is missing; production needs PostgreSQL")
        for name in ("token", "mqtt_password", "influx_token"):
            secret = getattr(self, name)
            default = secret is not None and secret.get_secret_value().lower() in _DEFAULT_SECRETS
            if default and self.mode is Mode.PRODUCTION:
                problems.append(f"{name} is a default everyone knows; make a real one (openssl rand -hex 32)")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def all_shards(self) -> tuple[Shard, ...]:
        """Every shard, `main` first."""
        return shards_in(self.var, parse_shards(self.shards))

    @property
    def main(self) -> Shard:
        """The first shard, which is always there."""
        return self.all_shards[0]

    @property
    def attachments_folder(self) -> Path:
        """Photos and signatures, each under the hash of its content."""
        return self.var / "attachments"

    @property
    def manuals_folder(self) -> Path:
        """Manuals that the office uploaded, each under the hash of its content."""
        return self.var / "manuals"

    @property
    def token_file(self) -> Path:
        return self.var / "token"

    def secret_files(self) -> frozenset[Path]:
        """Files with nothing but a secret, as the environment and `.env` name them now, resolved."""
        named: list[Path | None] = [*SecretFiles(type(self), os.environ).paths()]
        named += SecretFiles(type(self), named_in(DotEnvSettingsSource(type(self)))).paths()
        named += [self.token_file, self.device_password_file, self.oidc_client_secret_file]
        return frozenset(path.resolve() for path in named if path is not None)

    @property
    def broker_folder(self) -> Path:
        """What the embedded broker keeps."""
        return self.var / "broker"

    @property
    def device_password_file(self) -> Path:
        """The broker's password that `plantroom demo --listen` made."""
        return self.var / "mqtt_password"

    @property
    def devices_folder(self) -> Path:
        """Site files of devices that were approved in the inbox."""
        return self.var / "devices"

    @property
    def site_files(self) -> tuple[Path, ...]:
        """The site files people wrote, and the folder of approved devices once there is one."""
        approved = (self.devices_folder,) if any(self.devices_folder.glob("*.yaml")) else ()
        return (*self.site, *approved)

    @property
    def clock_file(self) -> Path:
        return self.var / "clock.json"

    @property
    def once_file(self) -> Path:
        return self.var / "once"

    def keep_policy(self) -> KeepPolicy:
        """How long the store keeps readings, and how finely."""
        return parse_policy(self.readings_raw_days, self.readings_5min_days, self.readings_hour_days)

    def database_address(self) -> str:
        """The SQLAlchemy address of the order database."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.var / 'plantroom.db').resolve()}"

    def environment(self) -> dict[str, str]:
        """This very instance's settings as environment variables, for its child processes."""
        values: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            elif isinstance(value, tuple):
                value = ",".join(str(Path(part).resolve()) for part in value)
            elif isinstance(value, Path):
                value = value.resolve()
            values[f"PLANTROOM_{name.upper()}"] = str(value)
        return values


def load_settings(**flags: Any) -> Settings:  # noqa: ANN401 - pydantic checks each flag against its field
    """Settings from flags (None means not given), environment and `.env`. Raises InputError with all problems."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        problems = []
        for item in error.errors(include_url=False):
            name = ".".join(str(part) for part in item["loc"])
            what = item["msg"].removeprefix("Value error, ")
            shown = "" if not name or re.search("token|password|url", name) else f", got {item.get('input')!r}"
            field = Settings.model_fields.get(name)
            hint = f"{name} is: {field.description}." if field is not None else ""
            problems.append(Problem(f"setting {name}" if name else "settings", what + shown, hint))
        raise InputError(problems) from error
