"""Counters of the polling since the service started, and what the vendors' budgets allow."""

import importlib.metadata
from collections.abc import Iterator, Sequence

import prometheus_client
from prometheus_client import core
from prometheus_client import registry as registries

from service.metrics import families

REQUEST_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SWEEP_SECONDS = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600)


class Polling:
    """Told by whoever polls; kept in this process."""

    def __init__(self) -> None:
        self.counted = _Registry()
        self.descriptions: list[families.Described] = []
        self._requests = self._counter("requests", "Requests to vendors, by how they ended.", "state")
        self._sweeps = self._counter("sweeps", "Sweeps of an endpoint group, by how they ended.", "state")
        self._written = self._counter("rows_written", "Rows that sweeps stored.")
        self._rejected = self._counter("rows_rejected", "Rows that sweeps skipped as invalid.")
        self._skipped = self._counter("polls_skipped", "Polls not started because the last still ran.")
        self._gaps = self._counter("gap_seconds", "Time that an account was not read when it should be.")
        self._request_seconds = self._histogram(
            "request", "Duration of a request to a vendor.", REQUEST_SECONDS
        )
        self._sweep_seconds = self._histogram("sweep", "Duration of a sweep.", SWEEP_SECONDS)
        self._planned = self._gauge(
            "account_budget_planned_ratio",
            "The share of its credential's budget that the sweeps take, of all accounts that share it.",
            "district",
            "account",
        )
        self._allowed = self._gauge(
            "account_budget_requests_per_second",
            "How many requests the account's credential may make.",
            "district",
            "account",
        )
        self._exports = self._counted(
            "exports",
            "Attempts of the schedule to make a package of a month, by how they ended.",
            "district",
            "profile",
            "state",
        )
        self._exported_at = self._gauge(
            "export_last_success_timestamp_seconds",
            "When the schedule last made a package of a month, or found it as it should be.",
            "district",
            "profile",
        )
        version = importlib.metadata.version("afterbell")
        self._gauge("build_info", "The running version; always 1.", "version").labels(version=version).set(1)

    def request_observed(self, *, district: int, account: str, outcome: str, seconds: float) -> None:
        self._requests.labels(district, account, outcome).inc()
        self._request_seconds.labels(district, account).observe(seconds)

    def sweep_finished(
        self, *, district: int, account: str, outcome: str, seconds: float, rows: int, rejected: int
    ) -> None:
        self._sweeps.labels(district, account, outcome).inc()
        self._sweep_seconds.labels(district, account).observe(seconds)
        self._written.labels(district, account).inc(rows)
        self._rejected.labels(district, account).inc(rejected)

    def poll_skipped(self, *, district: int, account: str) -> None:
        """A timed job found itself still running."""
        self._skipped.labels(district, account).inc()

    def gap_recorded(self, *, district: int, account: str, seconds: float) -> None:
        self._gaps.labels(district, account).inc(seconds)

    def budget_planned(
        self, *, district: int, account: str, share: float, requests_per_second: float
    ) -> None:
        """``share``: of the credential's budget, with all that share it; above 1 the plan cannot be kept."""
        self._planned.labels(district, account).set(share)
        self._allowed.labels(district, account).set(requests_per_second)

    def export_tried(self, *, district: int, profile: str, outcome: str, at: float | None) -> None:
        """``at``: now, in seconds; None: it failed."""
        self._exports.labels(district, profile, outcome).inc()
        if at is not None:
            self._exported_at.labels(district, profile).set(at)

    def _counter(self, name: str, text: str, *more: str) -> prometheus_client.Counter:
        return self._counted(name, text, "district", "account", *more)

    def _counted(self, name: str, text: str, *labels: str) -> prometheus_client.Counter:
        self._describe(f"{name}_total", "counter", labels, text)
        return prometheus_client.Counter(f"afterbell_{name}", text, labels, registry=self.counted)

    def _histogram(self, what: str, text: str, buckets: Sequence[float]) -> prometheus_client.Histogram:
        name, labels = f"{what}_duration_seconds", ("district", "account")
        self._describe(name, "histogram", labels, text)
        return prometheus_client.Histogram(
            f"afterbell_{name}", text, labels, buckets=buckets, registry=self.counted
        )

    def _gauge(self, name: str, text: str, *labels: str) -> prometheus_client.Gauge:
        self._describe(name, "gauge", labels, text)
        return prometheus_client.Gauge(f"afterbell_{name}", text, labels, registry=self.counted)

    def _describe(self, name: str, kind: str, labels: Sequence[str], text: str) -> None:
        described = families.Described(f"afterbell_{name}", kind, frozenset(labels), families.STABLE, text)
        self.descriptions.append(described)


class _Registry(registries.CollectorRegistry):
    """Without the ``_created`` series, which the text format would turn into families of their own."""

    def collect(self) -> Iterator[core.Metric]:
        for family in super().collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family
