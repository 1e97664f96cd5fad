"""The program's own pages: FastAPI routes, Jinja2 templates, own style sheet and ES modules, plots as SVG."""
