"""What an answer of Discogs means: which one counts, and what its headers say."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from django.utils import timezone

from collections_app.discogs import errors
from collections_app.discogs.gate import RateHeaders
from collections_app.discogs.json_values import parse_json

Headers = Mapping[str, str]

REFUSALS: dict[int, tuple[type[errors.DiscogsError], str]] = {
    401: (errors.CredentialsRejected, "Discogs does not accept the credentials."),
    403: (errors.AccessDenied, "Discogs does not show this: it is private."),
    404: (errors.NotFound, "Discogs does not have this (404)."),
}
MAX_PLAIN_REFUSAL = 200  # bytes of a refusal in plain text: "Invalid consumer."


def accepted_body(status: int, headers: Headers, body: bytes) -> bytes:
    """Return the body of a 200; raise the error of any other answer. The status decides, never the text.

    A refusal (4xx) counts only if Discogs itself wrote it. A proxy or an error page in front of Discogs also answers
    404, for every request at once: such an answer raises ServerError, since it is an outage.
    """
    if status == 200:
        return body
    if status == 429:
        raise errors.RateLimited(_retry_after(headers.get("Retry-After")))
    if status == 408 or status >= 500:
        raise errors.ServerError(f"Discogs answered with an error ({status}).")
    if status < 400:
        raise errors.BadPayload(f"Discogs answered with an unexpected status ({status}).")
    if status == 401 and _is_plain_refusal(headers, body):
        raise errors.ConsumerRejected("Discogs does not know this site: its consumer key is wrong.")
    if status in REFUSALS and _is_json_refusal(headers, body):
        error, text = REFUSALS[status]
        raise error(text)
    if status in REFUSALS or "html" in _content_type(headers):
        raise errors.ServerError(f"Discogs shows an error page ({status}).")
    raise errors.RequestRefused(f"Discogs refused the request ({status}).")


def _is_json_refusal(headers: Headers, body: bytes) -> bool:
    """Whether a refusal has the shape of Discogs' own: {"message": text}."""
    if "json" not in _content_type(headers):
        return False
    try:
        refusal = parse_json(body)
    except errors.BadPayload:
        return False
    return isinstance(refusal, dict) and isinstance(refusal.get("message"), str)


def _is_plain_refusal(headers: Headers, body: bytes) -> bool:
    """Whether a 401 is the short plain text by which Discogs refuses a consumer key."""
    is_plain = _content_type(headers).startswith("text/plain")
    return is_plain and len(body) <= MAX_PLAIN_REFUSAL and b"<" not in body


def _content_type(headers: Headers) -> str:
    return headers.get("Content-Type", "").lower()


def parse_rate_headers(headers: Headers) -> RateHeaders:
    """Parse the rate headers; they are absent on error pages."""

    def number(name: str) -> int | None:
        text = headers.get(name, "")
        return int(text) if _is_number(text) and len(text) < 7 else None

    return RateHeaders(limit=number("X-Discogs-Ratelimit"), used=number("X-Discogs-Ratelimit-Used"))


def _retry_after(value: str | None) -> float | None:
    """Seconds from a number or a date; None for anything else."""
    if not value or len(value) > 40:
        return None
    if _is_number(value.strip()):
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - timezone.now()).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def _is_number(text: str) -> bool:
    """Whether these are ASCII digits alone; int() also accepts signs, underscores and digits of other scripts."""
    return text.isascii() and text.isdecimal()
