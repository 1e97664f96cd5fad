"""Grafana's dashboards as code: built with the foundation SDK (extra `dashboards`), kept as JSON beside the code."""
