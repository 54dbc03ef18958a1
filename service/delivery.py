"""What the configuration says of messages, with its secrets read: districts that can be told."""

import importlib
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from service import alert_config, app, errors, sections
from service import config as configs
from service.alerting import channels, deliver, mail, messages, rules, webhook
from service.model import due_times
from service.store import notifications


def districts(config: configs.Config) -> list[deliver.District]:
    """Those of the configuration. Raises ConfigError where a channel, or a rule's file, cannot be used."""
    return [_district(config, district) for district in config.districts]


def _district(config: configs.Config, district: configs.District) -> deliver.District:
    alerts = district.alerts
    return deliver.District(
        sender=messages.Sender(
            district_id=district.id,
            name=district.name,
            zone=ZoneInfo(district.time_zone),
            page_address=config.page_address,
            minimum_cell_size=config.web.minimum_cell_size,
        ),
        rules=rules.adjusted(app.rule_choice(district)),
        channels={channel.key: _channel(config, district, channel) for channel in alerts.channels},
        timing=due_times.Timing(
            digest_at=alerts.digest_at,
            digest_on=alerts.digest_on,
            quiet_starts=alerts.quiet_starts,
            quiet_ends=alerts.quiet_ends,
        ),
    )


def _channel(
    config: configs.Config, district: configs.District, channel: alert_config.Channel
) -> channels.Channel:
    where = f"district {district.id}, alerts.channels.{channel.key}"
    return channels.Channel(
        kind=channel.kind,
        route=notifications.Route(
            key=channel.key,
            roles=channel.roles,
            schools=channel.schools,
            least_severity=channel.least_severity,
            digest=channel.digest,
        ),
        audience=messages.Audience(channel_key=channel.key, roles=channel.roles, language=channel.language),
        transport=_transport(config.mail, channel, where),
    )


def _transport(
    server: alert_config.Mail | None, channel: alert_config.Channel, where: str
) -> channels.Transport:
    if channel.kind == "mail":
        if server is None:
            raise errors.ConfigError(f"{where}: mail needs a [mail] section that tells the district's server")
        return mail.Mail(server=_server(server), to=channel.to)
    if channel.url_file is None:
        raise errors.ConfigError(f"{where}: {channel.kind} needs url_file")
    lines = _lines(channel.url_file, where)
    if channel.kind == "webhook":
        return _webhook(lines, channel.url_file, where)
    chat = importlib.import_module("service.alerting.chat")  # half a second, for those alone who have one
    try:
        opened: channels.Transport = chat.opened(lines)
    except chat.AddressInvalid as error:
        raise errors.ConfigError(f"{where}: {channel.url_file}: {error}: see docs/notifications.md") from None
    return opened


def _server(told: alert_config.Mail) -> mail.Server:
    password = None
    if told.password_file is not None:
        password = sections.secret(told.password_file, what="mail.password_file")
    return mail.Server(
        host=told.host,
        port=told.port,
        encryption=told.encryption,
        sender=told.sender,
        user=told.user,
        password=password,
        timeout_seconds=told.timeout_seconds,
    )


def _webhook(lines: list[str], path: Path, where: str) -> webhook.Webhook:
    if len(lines) > 2 or urlsplit(lines[0]).scheme not in ("http", "https"):
        raise errors.ConfigError(
            f"{where}: {path} should hold the webhook's address, as https://..., and below it, if requests are to be "
            "signed, the secret"
        )
    return webhook.Webhook(url=lines[0], secret=lines[1] if len(lines) == 2 else None)


def _lines(path: Path, where: str) -> list[str]:
    """Without empty ones and comments."""
    text = sections.secret(path, what=f"{where}, url_file")
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise errors.ConfigError(f"{where}: {path} holds no address")
    return found
