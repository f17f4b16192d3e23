"""OAuth 1.0a signatures (RFC 5849): the signer, the signed text and the timestamp. Pure.

Only the Authorization header carries protocol parameters, but for `oauth_callback`, which some clients put in the form.
"""

import base64
import hmac
import re
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from collections_app.sandbox.http.answer import Request
from collections_app.sandbox.world.grants import WINDOW

FORM = "application/x-www-form-urlencoded"
_PARAMETER = re.compile(r'\s*([^\s=,"]+)="([^"]*)"\s*')
_SECONDS = re.compile(r"[0-9]{1,16}")
_MILLISECONDS = 10**11  # more seconds than that are milliseconds
_MAX_NONCE_LENGTH = 64


class NotSigned(Exception):
    """The signature or a required parameter is invalid; the text says which."""


def header_parameters(request: Request) -> dict[str, str]:
    """The decoded parameters of an `Authorization: OAuth …` header, without the realm. Raises NotSigned."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    found: dict[str, str] = {}
    for part in rest.split(",") if scheme.lower() == "oauth" else ():
        pair = _PARAMETER.fullmatch(part)
        if pair is None or pair[1] in found:
            raise NotSigned("Malformed Authorization header.")
        found[pair[1]] = unquote(pair[2])
    found.pop("realm", None)
    if found.get("oauth_version", "1.0") != "1.0":
        raise NotSigned("Unknown version of OAuth.")
    return found


def form_parameters(request: Request) -> list[tuple[str, str]]:
    """The pairs of a form in the body; none if the body is of any other type."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        return []
    return parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)


def check_signature(
    request: Request, params: dict[str, str], *, base: str, consumer_secret: str, token_secret: str
) -> None:
    """Raise NotSigned unless the request is signed with both secrets, by HMAC-SHA1 or in PLAINTEXT."""
    key = f"{encoded(consumer_secret)}&{encoded(token_secret)}"
    method = params.get("oauth_signature_method")
    if method == "PLAINTEXT":
        expected = key
    elif method == "HMAC-SHA1":
        text = base_string(request, params, base=base)
        expected = base64.b64encode(hmac.digest(key.encode(), text.encode(), "sha1")).decode()
    else:
        raise NotSigned("Unknown signature method.")
    if not hmac.compare_digest(expected.encode(), params.get("oauth_signature", "").encode()):
        raise NotSigned("Invalid signature.")


def base_string(request: Request, params: dict[str, str], *, base: str) -> str:
    """What HMAC-SHA1 signs: method, address without query, and every parameter in order (RFC 5849, 3.4.1)."""
    pairs = [(name, value) for name, value in params.items() if name != "oauth_signature"]
    pairs += parse_qsl(urlsplit(request.target).query, keep_blank_values=True)
    pairs += form_parameters(request)
    in_order = sorted((encoded(name), encoded(value)) for name, value in pairs)
    parameters = "&".join(f"{name}={value}" for name, value in in_order)
    address = base.lower().removesuffix(":80") + request.path
    return "&".join((request.method.upper(), encoded(address), encoded(parameters)))


def encoded(text: str) -> str:
    """Percent-encoded: everything but letters, digits and -._~"""
    return quote(text, safe="-._~")


def check_timestamp(params: dict[str, str], *, now: float) -> None:
    """Raise NotSigned if the timestamp is missing or far from now; one in milliseconds passes, see `is_odd`."""
    timestamp, nonce = params.get("oauth_timestamp", ""), params.get("oauth_nonce", "")
    if params.get("oauth_signature_method") == "PLAINTEXT" and not timestamp and not nonce:
        return
    if not nonce or not _SECONDS.fullmatch(timestamp):
        raise NotSigned("Invalid nonce or timestamp.")
    if int(timestamp) < _MILLISECONDS and abs(int(timestamp) - now) > WINDOW:
        raise NotSigned("Expired timestamp.")


def is_odd(params: dict[str, str]) -> bool:
    """Whether Discogs would accept the request but show nothing private: a long nonce, or milliseconds."""
    timestamp = params.get("oauth_timestamp", "")
    in_milliseconds = bool(_SECONDS.fullmatch(timestamp)) and int(timestamp) >= _MILLISECONDS
    return in_milliseconds or len(params.get("oauth_nonce", "")) > _MAX_NONCE_LENGTH
