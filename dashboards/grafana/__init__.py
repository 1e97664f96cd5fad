"""Grafana's dashboards as code: built with the foundation SDK (extra `dashboards`), kept as JSON in `built`.

A noun per file: `queries`, `variables`, `panels`, `layout`; what a kind of equipment shows is data (`equipment.yaml`),
what orders and people are asked is a file for each dashboard. `python -m plantroom.grafana` builds them.
"""
