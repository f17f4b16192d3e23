"""The errors of a request to Discogs. Each class says how it is retried.

Messages are our own sentences: they never contain an address, a header or a body, any of which may hold a credential.
"""

from enum import StrEnum


class Kind(StrEnum):
    """The kind of an error, as stored with jobs and shown."""

    UNKNOWN = "unknown"
    NETWORK = "network"
    SERVER = "server"
    DATA = "data"
    RATE_LIMIT = "rate_limit"
    CREDENTIALS = "credentials"
    CONSUMER = "consumer"
    PRIVATE = "private"
    GONE = "gone"
    SELLER_SETTINGS = "seller_settings"
    REQUEST = "request"
    WAITING = "waiting"
    WORKER = "worker"  # not from Discogs: the worker died at every attempt
    STOPPED = "stopped"
    RENAMED = "renamed"
    OWNER = "owner"


class Retry(StrEnum):
    """How a failed attempt is repeated; `pricing.sync.retry` computes the times."""

    EXPONENTIAL = "exponential"  # with full jitter
    LINEAR = "linear"
    UNCOUNTED = "uncounted"  # the limit or a pause: no attempt was used
    NEVER = "never"


class DiscogsError(Exception):
    """Any failure of a request.

    `is_fault`: the circuit breaker counts it. `opened_breaker`: it opened the breaker, so this is an outage of Discogs
    and not the fault of the job that met it.
    """

    kind = Kind.UNKNOWN
    retry = Retry.EXPONENTIAL
    is_fault = False
    opened_breaker = False


class NetworkError(DiscogsError):
    """No answer: refused, reset, timed out, name or TLS failure, or slower than the deadline."""

    kind = Kind.NETWORK
    retry = Retry.LINEAR
    is_fault = True


class ServerError(DiscogsError):
    """A 5xx answer, or any other status on a page that Discogs' API did not write: an outage."""

    kind = Kind.SERVER
    is_fault = True


class BadPayload(DiscogsError):
    """An answer that is not what was asked for: not JSON, truncated, too large or of the wrong shape."""

    kind = Kind.DATA
    is_fault = True


class RateLimited(DiscogsError):
    """429. `retry_after` is in seconds; None if Discogs gave no usable one."""

    kind = Kind.RATE_LIMIT
    retry = Retry.UNCOUNTED

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__("Discogs asks us to slow down.")
        self.retry_after = retry_after


class CredentialsRejected(DiscogsError):
    """401 with JSON: the token was revoked or mistyped."""

    kind = Kind.CREDENTIALS
    retry = Retry.NEVER


class ConsumerRejected(DiscogsError):
    """401 in plain text: the site's consumer key is wrong. No user's token is at fault."""

    kind = Kind.CONSUMER


class AccessDenied(DiscogsError):
    """403 with JSON: a private resource of another user."""

    kind = Kind.PRIVATE
    retry = Retry.NEVER


class NotFound(DiscogsError):
    """404 with JSON: deleted, or it never existed."""

    kind = Kind.GONE
    retry = Retry.NEVER


class RequestRefused(DiscogsError):
    """405, 422 and other 4xx: a bug of ours."""

    kind = Kind.REQUEST
    retry = Retry.NEVER


class GateClosed(DiscogsError):
    """No request was sent: because of the limit, a pause or the breaker. Try again in `wait_seconds`."""

    kind = Kind.WAITING
    retry = Retry.UNCOUNTED

    def __init__(self, wait_seconds: float, reason: str) -> None:
        super().__init__(f"No request slot for {wait_seconds:.0f} s ({reason}).")
        self.wait_seconds = wait_seconds
        self.reason = reason
