"""What the processes of the program show at /metrics, beside what each stage counts by itself."""

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.metrics import MetricWrapperBase

from ingest.follower import FollowerMetrics
from ingest.metrics import IngestMetrics
from ingest.retention import RetentionMetrics
from ingest.stores.upkeep import UpkeepMetrics
from plantroom.engine_metrics import EngineMetrics

INGEST = "ingest"
ENGINE = "engine"


class HttpMetrics:
    """How long pages and API take, by the route's pattern: what people ask for must not make a series of its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "plantroom_http_request_seconds",
            "Time to answer, by route and status.",
            ["route", "status"],
            registry=registry,
        )


class NamedRegistry(CollectorRegistry):
    """A registry that knows what was registered, with the labels."""

    def __init__(self) -> None:
        super().__init__()
        self.instruments: list[MetricWrapperBase] = []

    def register(self, collector: object) -> None:
        """Note it, and take it."""
        if isinstance(collector, MetricWrapperBase):
            self.instruments.append(collector)
        super().register(collector)  # type: ignore[arg-type]  # the base class takes any collector


def instruments() -> dict[str, list[MetricWrapperBase]]:
    """Process -> every instrument it has."""
    ingest, engine = NamedRegistry(), NamedRegistry()
    for make in (IngestMetrics, RetentionMetrics):
        make(ingest)
    for of_engine in (EngineMetrics, FollowerMetrics, UpkeepMetrics, HttpMetrics):
        of_engine(engine)
    return {INGEST: ingest.instruments, ENGINE: engine.instruments}
