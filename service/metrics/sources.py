"""The families of accounts, channels, and of the snapshot itself."""

from collections.abc import Iterator, Sequence

from service.metrics import families
from service.metrics.families import EXPERIMENTAL
from service.store import coverage, disagreements, queues

ACCOUNT_LABELS = ("district", "account")
CHANNEL_LABELS = ("district", "channel")

ACCOUNTS: tuple[families.Family, ...] = (
    families.Gauge(
        "afterbell_account_last_attempt_timestamp_seconds",
        "When the account was last polled, whatever came of it.",
        lambda a: families.instant(a.last_attempt_at),
    ),
    families.Gauge(
        "afterbell_account_last_success_timestamp_seconds",
        "When the account was last read: of its endpoint groups, the one that is due first.",
        lambda a: families.instant(a.last_success_at),
    ),
    families.Gauge(
        "afterbell_account_failing",
        "Whether any of the account's endpoint groups failed at its last attempt (0 or 1).",
        lambda a: a.failing_since_at is not None if a.last_attempt_at else None,
    ),
    families.Gauge(
        "afterbell_account_cadence_seconds",
        "How often the endpoint group that is due first is meant to be read.",
        lambda a: None if a.is_file else a.every.total_seconds(),
    ),
    families.Gauge(
        "afterbell_account_unmapped_lines",
        "Lines and students' devices whose status is a word that is not known.",
        lambda a: None if a.is_file else a.unmapped,
    ),
)

COMPARED: tuple[families.Family, ...] = (
    families.Gauge[Sequence[disagreements.Disagreement]](
        "afterbell_source_compared_lines",
        "Lines whose bytes of the seven days up to the reported one another account has told too.",
        lambda pairs: sum(pair.lines_compared for pair in pairs),
        EXPERIMENTAL,
    ),
    families.Gauge[Sequence[disagreements.Disagreement]](
        "afterbell_source_disagreement_lines",
        "Of the compared lines, those whose totals differ by more than the tolerated part.",
        lambda pairs: sum(pair.lines_disagreeing for pair in pairs),
        EXPERIMENTAL,
    ),
)

CHANNELS: tuple[families.Family, ...] = (
    families.Gauge[queues.Channel](
        "afterbell_channel_failing",
        "Whether the channel's last message was not accepted (0 or 1).",
        lambda c: c.failing_since_at is not None,
    ),
    families.Gauge[queues.Channel](
        "afterbell_channel_last_success_timestamp_seconds",
        "When the channel last accepted a message.",
        lambda c: families.instant(c.last_success_at),
    ),
    families.field(
        "afterbell_notifications_waiting",
        "waiting",
        "Messages that wait: for a digest, the end of quiet hours, another try.",
    ),
    families.Gauge[queues.Channel](
        "afterbell_notifications_oldest_due_timestamp_seconds",
        "When the first of the waiting messages is, or was, due.",
        lambda c: families.instant(c.oldest_due_at),
    ),
    families.By[queues.Channel](
        "afterbell_notifications_last_day",
        "Messages made within the last 24 hours that were sent, or given up.",
        "state",
        lambda c: {"sent": c.sent, "given_up": c.given_up},
    ),
)

SNAPSHOT: tuple[families.Family, ...] = (
    families.Gauge[coverage.Snapshot](
        "afterbell_snapshot_timestamp_seconds",
        "When the figures of schools, districts and accounts were read from the database.",
        lambda s: s.taken_at.timestamp(),
    ),
)


def compared(district: coverage.District) -> Iterator[tuple[str, Sequence[disagreements.Disagreement]]]:
    """Every account that is compared with another, with its pairs."""
    for account in sorted({key for pair in district.disagreements for key in pair.account_keys}):
        yield account, [pair for pair in district.disagreements if account in pair.account_keys]
