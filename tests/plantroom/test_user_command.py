"""`plantroom user`: people made, listed, changed and switched off by commands."""

import re
from pathlib import Path

from commanding import Commands

SITE = "site: {id: s, zone: UTC}\nbuildings:\n  - {id: tower}\n"


def test_a_user_from_making_to_switching_off(plantroom: Commands, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    made = plantroom("user", "add", "li.wei", "--role", "technician", "--display-name", "Li Wei")
    assert made.code == 0, made.err
    assert re.search(r"http://127\.0\.0\.1:8600/password/\S{40,}", made.out)
    assert "no password yet" in plantroom("user").out
    refused = plantroom("user", "add", "acme", "--role", "customer")
    assert refused.code == 2
    assert "at least one" in refused.err
    assert "--site" in plantroom("user", "add", "acme", "--role", "customer", "--building", "tower").err
    good = plantroom("user", "--site", "site.yaml", "add", "acme", "--role", "customer", "--building", "tower")
    assert good.code == 0, good.err
    assert "tower" in plantroom("user", "list").out
    assert plantroom("user", "token", "li.wei", "--label", "phone").out.startswith("prt_")
    assert "password/" in plantroom("user", "link", "li.wei").out
    assert plantroom("user", "role", "li.wei", "engineer").code == 0
    assert plantroom("user", "disable", "li.wei").code == 0
    assert "off" in plantroom("user").out
    assert plantroom("user", "enable", "li.wei").code == 0
    missing = plantroom("user", "link", "nobody")
    assert missing.code == 2
    assert "there is no user 'nobody'" in missing.err
