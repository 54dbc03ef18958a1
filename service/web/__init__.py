"""The HTTP server: pages for people, metrics for Prometheus, probes for whatever restarts the service."""

from collections.abc import Callable
from datetime import UTC, datetime

import aiohttp.web

from service import metrics as service_metrics
from service.store import coverage
from service.web import exposition, headers, pages, probes

Health = probes.Health


def build(
    *,
    metrics: service_metrics.Metrics,
    snapshot: Callable[[], coverage.Snapshot | None],
    health: Callable[[], Health],
    ready: Callable[[], bool],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> aiohttp.web.Application:
    """Everything is served from memory: no request waits for the database."""
    application = aiohttp.web.Application(middlewares=[pages.explain_errors])
    application.on_response_prepare.append(headers.secure)
    pages.add_routes(application, pages.Pages(snapshot=snapshot, clock=clock))
    exposition.add_routes(application, metrics)
    probes.add_routes(application, health=health, ready=ready)
    return application
