"""What can go wrong between a collector and its vendor. No message holds a secret, a query string or a body."""


class CollectorError(Exception):
    """Something went wrong at a vendor. The message says what, where and what to do."""


class OptionsInvalid(CollectorError):
    """The account's options do not fit the collector."""


class Unavailable(CollectorError):
    """The vendor did not answer, or answered with a fault of its own. It may pass."""


class RateLimited(Unavailable):
    """The vendor asked us to slow down."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds, already capped; None where the vendor did not say


class AuthenticationFailed(CollectorError):
    """The credentials were refused."""


class PermissionDenied(CollectorError):
    """The credentials are good, but may not do this."""


class NotFound(CollectorError):
    """The vendor does not know this address: a wrong base URL, path or group."""


class ResponseInvalid(CollectorError):
    """The answer is not what the contract says: HTML for JSON, cut short, too large, the wrong shape."""
