"""Grafana's dashboards as code: ``python -m deploy.grafana.generate`` writes the files of ``dashboards/``."""
