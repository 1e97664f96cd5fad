"""What people look at: our own pages and Grafana dashboards built by code."""
