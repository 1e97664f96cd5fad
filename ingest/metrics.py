"""What ingest counts, for /metrics. Counted per commit, not per message: a label look-up costs more than a decode."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class IngestMetrics:
    """The instruments of one ingest service on the registry of the program."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.received = Counter("plantroom_ingest_received", "Messages received, of any kind.", registry=registry)
        self.readings = Counter("plantroom_ingest_readings", "Readings committed to the journal.", registry=registry)
        self.rejected = Counter(
            "plantroom_ingest_rejected",
            "Messages that could not be read, or not wholly.",
            ["reason"],
            registry=registry,
        )
        self.letters_dropped = Counter(
            "plantroom_ingest_dead_letters_dropped",
            "Rejected messages that were counted but not kept, because there were too many.",
            registry=registry,
        )
        self.clock_steps = Counter(
            "plantroom_ingest_clock_steps", "Times this machine's clock was set by seconds.", registry=registry
        )
        self.refused_commits = Counter(
            "plantroom_ingest_refused_commits", "Attempts to commit that the disk refused.", registry=registry
        )
        self.duplicates = Counter("plantroom_ingest_duplicates", "Scans that were committed before.", registry=registry)
        self.ignored = Counter("plantroom_ingest_ignored", "Messages on topics that are not data.", registry=registry)
        self.commits = Counter("plantroom_ingest_commits", "Group commits.", registry=registry)
        self.commit_seconds = Histogram(
            "plantroom_ingest_commit_seconds",
            "Time to make one group commit durable.",
            buckets=_FAST,
            registry=registry,
        )
        self.publish_to_commit_seconds = Histogram(
            "plantroom_ingest_publish_to_commit_seconds",
            "From publishing a heartbeat through the broker until its commit is durable.",
            buckets=_FAST,
            registry=registry,
        )
        self.broker_dropped = Counter(
            "plantroom_broker_dropped",
            "Messages that the broker had acknowledged and threw away, as it says itself (Mosquitto).",
            registry=registry,
        )
        self.listening = Gauge("plantroom_ingest_listening", "1 while subscribed.", registry=registry)
