"""Every route of the running program under whatever an admin may send it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import schemathesis
from fuzzing import fuzz
from running import System

SITE = """
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets:
      - {id: tank, class: tank, points: {tank_level: {cadence: 60 s}}}
"""


@pytest.mark.soak
def test_calls_of_every_kind_to_every_route(new_system: Callable[..., System], tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE, encoding="utf-8")
    system = new_system(site=str(site))
    system.start()
    described = system.get("/openapi.json")
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=f"http://127.0.0.1:{system.http_port}")
    token = (system.var / "token").read_text(encoding="utf-8").strip()
    routes = sum(len(methods) for methods in described["paths"].values())
    assert fuzz(schema, 5, {"Authorization": f"Bearer {token}"}) == routes > 75
    assert system.stop() == 0
