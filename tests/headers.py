"""The headers that every response of the site must have."""

from collections.abc import Mapping

EVERY_ANSWER = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def assert_secure(headers: Mapping[str, str], what: str = "") -> None:
    missing = {name: headers.get(name) for name, value in EVERY_ANSWER.items() if headers.get(name) != value}
    assert not missing, f"{what}: {missing}"
    assert "default-src 'none'" in headers.get("Content-Security-Policy", ""), what
    assert "camera=()" in headers.get("Permissions-Policy", ""), what
