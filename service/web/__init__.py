"""The HTTP server: pages for people, metrics for Prometheus, probes for whatever restarts the service."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp.web
import asyncpg

from service import metrics as service_metrics
from service.store import alert_lists, coverage
from service.web import alerts, exports, exposition, guard, headers, origins, pages, probes, sign_in, tokens

Health = probes.Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who gets in. Without a file of tokens: whoever reaches the loopback address that is listened on."""

    host: str = "127.0.0.1"
    tokens_file: Path | None = None
    page_address: str | None = None  # where people reach the pages, as https://afterbell.district.example


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """The ledger of packages, and of each district that makes some the folder that they are in."""

    pool: asyncpg.Pool
    folders: Mapping[int, Path]


def build(
    *,
    metrics: service_metrics.Metrics,
    snapshot: Callable[[], coverage.Snapshot | None],
    health: Callable[[], Health],
    ready: Callable[[], bool],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    access: Access | None = None,
    alert_desk: alert_lists.Desk | None = None,
    packages: Packages | None = None,
) -> aiohttp.web.Application:
    """Everything but the pages of alerts and packages is served from memory: nothing else waits for the database."""
    guarding = _guard(access or Access(), clock)
    application = aiohttp.web.Application(middlewares=[pages.explain_errors, guard.middleware(guarding)])
    application.on_response_prepare.append(headers.secure)
    sign_in.add_routes(application, guarding)
    if alert_desk is not None:  # before the pages, whose addresses begin alike
        shown = alerts.AlertPages(desk=alert_desk, guard=guarding, snapshot=snapshot, clock=clock)
        alerts.add_routes(application, shown)
    is_guarded = guarding.known is not None
    if packages is not None:
        told = exports.ExportPages(
            pool=packages.pool,
            folders=packages.folders,
            snapshot=snapshot,
            clock=clock,
            is_guarded=is_guarded,
        )
        exports.add_routes(application, told)
    of_figures = pages.Pages(
        snapshot=snapshot, clock=clock, is_guarded=is_guarded, has_packages=packages is not None
    )
    pages.add_routes(application, of_figures)
    exposition.add_routes(application, metrics)
    probes.add_routes(application, health=health, ready=ready, is_guarded=is_guarded)
    return application


def _guard(access: Access, clock: Callable[[], datetime]) -> guard.Guard:
    return guard.Guard(
        place=origins.Place(host=access.host, page_address=access.page_address),
        clock=clock,
        known=None if access.tokens_file is None else tokens.Tokens(access.tokens_file),
    )
