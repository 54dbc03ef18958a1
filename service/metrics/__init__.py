"""What Prometheus scrapes: counters of the polling, and gauges made from the last snapshot of the figures.

Each family is a row of a table (schools, districts, alerts, sources); ``shown`` writes a snapshot's text once, when it
comes, and a scrape gets that text as it is.
"""

from service.metrics.everything import Metrics
from service.metrics.tables import MINIMUM_CELL_SIZE

__all__ = ["MINIMUM_CELL_SIZE", "Metrics"]
