"""What can go wrong when Discogs is asked, by kind. Each kind says of itself how it is to be treated.

Messages are sentences of our own: never an address, a header or a body, in which a credential could hide.
"""


class DiscogsError(Exception):
    """Any failure of a request.

    `kind` is stored with jobs; `is_fault` counts for the circuit breaker, and `opened_breaker` tells that it did:
    an outage of Discogs, for which the job that met it is not to blame.
    """

    kind = "unknown"
    is_fault = False
    opened_breaker = False


class NetworkError(DiscogsError):
    """No answer: refused, reset, timed out, name or TLS failure, or slower than the deadline."""

    kind = "network"
    is_fault = True


class ServerError(DiscogsError):
    """A 5xx answer, or any other status on a page that Discogs' API did not write: an outage."""

    kind = "server"
    is_fault = True


class BadPayload(DiscogsError):
    """An answer that is not what was asked for: not JSON, cut off, too large, of the wrong shape."""

    kind = "data"
    is_fault = True


class RateLimited(DiscogsError):
    """429. `retry_after` is in seconds when Discogs gave a usable one."""

    kind = "rate_limit"

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__("Discogs asks us to slow down.")
        self.retry_after = retry_after


class CredentialsRejected(DiscogsError):
    """401 with JSON: the token was revoked or mistyped."""

    kind = "credentials"


class ConsumerRejected(DiscogsError):
    """401 in plain text: the site's consumer key is wrong. No user's token is at fault."""

    kind = "consumer"


class AccessDenied(DiscogsError):
    """403 with JSON: a private resource of someone else."""

    kind = "private"


class NotFound(DiscogsError):
    """404 with JSON: gone, or no such thing."""

    kind = "gone"


class RequestRefused(DiscogsError):
    """405, 422 and other 4xx: our mistake."""

    kind = "request"


class GateClosed(DiscogsError):
    """No request was sent: the limit, a pause or the breaker asks to come back in `wait_seconds`."""

    kind = "waiting"

    def __init__(self, wait_seconds: float, reason: str) -> None:
        super().__init__(f"No request slot for {wait_seconds:.0f} s ({reason}).")
        self.wait_seconds = wait_seconds
        self.reason = reason
