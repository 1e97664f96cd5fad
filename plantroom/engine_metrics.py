"""What the engine of a shard shows on /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ingest.shard import MAIN_SHARD


class EngineMetrics:
    """What all engines of a process show, by shard."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["shard"]
        self.commits = Counter("plantroom_engine_commits", "Commits judged.", labels, registry=registry)
        self.findings = Counter("plantroom_engine_findings", "Findings that changed.", labels, registry=registry)
        self.lag = Gauge("plantroom_engine_lag_commits", "Commits not yet judged.", labels, registry=registry)
        self.leads = Gauge(
            "plantroom_engine_leads", "1 while this process writes what is found.", labels, registry=registry
        )
        self.batch_seconds = Histogram(
            "plantroom_engine_batch_seconds", "Time to judge a batch.", labels, registry=registry
        )
        self.write_seconds = Histogram(
            "plantroom_engine_write_seconds", "Time to keep findings, orders and the cursor.", labels, registry=registry
        )


class HostMetrics:
    """What one engine's host shows."""

    def __init__(self, every: EngineMetrics, shard: str = MAIN_SHARD) -> None:
        self.commits, self.findings = every.commits.labels(shard), every.findings.labels(shard)
        self.lag, self.leads = every.lag.labels(shard), every.leads.labels(shard)
        self.batch_seconds, self.write_seconds = every.batch_seconds.labels(shard), every.write_seconds.labels(shard)
