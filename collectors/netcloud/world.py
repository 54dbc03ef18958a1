"""What a pretend NetCloud account holds, under the vendor's own names."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Free = dict[str, str]  # what people type: names, notes, places; by the vendor's field name


@dataclass(frozen=True, kw_only=True)
class Router:
    id: str
    serial_number: str
    state: str = "online"
    state_updated_at: datetime
    group_id: str | None = None
    free: Free = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Modem:
    """A net_device. One of a modem's two SIM slots is another one of the same IMEI."""

    id: str
    router: Router | None
    iccid: str | None = None
    imei: str | None = None
    mdn: str | None = None
    is_asset: bool = True
    updated_at: datetime
    free: Free = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """The latest figures of a net_device. ``bytes_*`` count over its lifetime."""

    net_device: str
    update_ts: datetime | None
    rsrp: float | str | None = None
    rsrq: float | str | None = None
    sinr: float | str | None = None
    bytes_in: int = 957_880_950_164
    bytes_out: int = 88_120_402_111
    free: Free = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class UsageSample:
    net_device: str
    created_at: datetime
    key: str  # created_at_timeuuid
    bytes_in: int | None = 0
    bytes_out: int | None = 0
    period: float | None = 3600.0
    uptime: float | None = 3600.0


@dataclass(frozen=True, kw_only=True)
class StateSample:
    router: str
    created_at: datetime
    key: str
    state: str


@dataclass
class World:
    """May be changed between two requests."""

    modems: list[Modem] = field(default_factory=list)
    metrics: list[Metrics] = field(default_factory=list)
    usage: list[UsageSample] = field(default_factory=list)
    states: list[StateSample] = field(default_factory=list)


def router_row(router: Router, host: str) -> dict[str, Any]:
    at = router.state_updated_at.isoformat()
    return {
        "account": f"{host}/api/v2/accounts/307/",
        "actual_firmware": f"{host}/api/v2/firmwares/535/",
        "asset_id": None,
        "config_status": "synched",
        "configuration_manager": f"{host}/api/v2/routers/{router.id}/configuration_manager/",
        "created_at": at,
        "custom1": None,
        "custom2": None,
        "description": None,
        "device_type": "router",
        "full_product_name": "IBR900LP6",
        "group": router.group_id and f"{host}/api/v2/groups/{router.group_id}/",
        "id": router.id,
        "ipv4_address": None,
        "lans": f"{host}/api/v2/routers/{router.id}/lans/",
        "last_known_location": f"{host}/api/v2/locations/{router.id}/",
        "locality": "US/Mountain",
        "mac": "00:30:44:1C:38:D0",
        "name": "router",
        "product": f"{host}/api/v2/products/27/",
        "reboot_required": False,
        "resource_url": f"{host}/api/v2/routers/{router.id}/",
        "serial_number": router.serial_number,
        "state": router.state,
        "state_updated_at": at,
        "target_firmware": f"{host}/api/v2/firmwares/535/",
        "updated_at": at,
        "upgrade_pending": False,
        **router.free,
    }


def modem_row(modem: Modem, host: str, *, is_expanded: bool) -> dict[str, Any]:
    router: object = None
    if modem.router is not None:
        router = (
            router_row(modem.router, host) if is_expanded else f"{host}/api/v2/routers/{modem.router.id}/"
        )
    return {
        "account": f"{host}/api/v2/accounts/307/",
        "apn": None,
        "carrier": "Unknown Service",
        "connection_state": "connected",
        "gateway": None,
        "gsn": modem.imei,
        "hostname": None,
        "iccid": modem.iccid,
        "id": modem.id,
        "imei": modem.imei,
        "imsi": None,
        "ipv4_address": None,
        "ipv6_address": None,
        "is_asset": modem.is_asset,
        "is_gps_supported": True,
        "mdn": modem.mdn,
        "meid": modem.imei and modem.imei[:14],
        "mfg_product": "MC400LPE (SIM2)",
        "mode": "wan",
        "name": f"mdm-{int(modem.id):08x}",
        "pin_status": "READY" if modem.iccid else "NOSIM",
        "port": "modem1",
        "resource_url": f"{host}/api/v2/net_devices/{modem.id}/",
        "router": router,
        "serial": modem.imei,
        "service_type": "LTE",
        "ssid": None,
        "summary": "connected",
        "type": "mdm" if modem.is_asset else "ethernet",
        "uid": f"{int(modem.id):08x}",
        "updated_at": modem.updated_at.isoformat(),
        "uptime": None,
        **modem.free,
    }


def metrics_row(metrics: Metrics, host: str) -> dict[str, Any]:
    key = metrics.net_device
    return {
        "bmask_applied": None,
        "bytes_in": metrics.bytes_in,
        "bytes_out": metrics.bytes_out,
        "cell_id": None,
        "cinr": None,
        "dbm": -71,
        "ecio": None,
        "id": key,
        "lac": None,
        "mcc": "315",
        "mnc": "010",
        "net_device": f"{host}/api/v2/net_devices/{key}/",
        "resource_url": f"{host}/api/v2/net_device_metrics/{key}/",
        "rsrp": metrics.rsrp,
        "rsrq": metrics.rsrq,
        "rssi": None,
        "rssnr": None,
        "service_type": "LTE",
        "signal_strength": 68,
        "sinr": metrics.sinr,
        "tac": None,
        "update_ts": metrics.update_ts and metrics.update_ts.isoformat(),
        **metrics.free,
    }


def usage_row(sample: UsageSample, host: str) -> dict[str, Any]:
    return {
        "bytes_in": sample.bytes_in,
        "bytes_out": sample.bytes_out,
        "created_at": sample.created_at.isoformat(),
        "created_at_timeuuid": sample.key,
        "net_device": f"{host}/api/v2/net_devices/{sample.net_device}/",
        "period": sample.period,
        "uptime": sample.uptime,
    }


def state_row(sample: StateSample, host: str) -> dict[str, Any]:
    return {
        "created_at": sample.created_at.isoformat(),
        "created_at_timeuuid": sample.key,
        "router": f"{host}/api/v2/routers/{sample.router}/",
        "state": sample.state,
    }
