"""The configuration of an InfluxDB 1.x of one's own on loopback: for the benches and for the tests."""

from pathlib import Path

_CONFIG = """
reporting-enabled = false
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  cache-snapshot-memory-size = "64m"
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
"""


def write_influx_config(folder: Path, port: int, rpc: int) -> Path:
    """Write it into the folder that will hold the data; `port` answers HTTP, `rpc` its own backups. Its path."""
    path = folder / "influxdb.conf"
    path.write_text(_CONFIG.format(folder=folder, port=port, rpc=rpc), encoding="utf-8")
    return path
