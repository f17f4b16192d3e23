"""The login of the web site, which is on another host than the page that asks: 127.0.0.1 and localhost.

At Discogs www.discogs.com sends a visitor to login.discogs.com and back. Browsers treat the two as foreign to each
other, so a policy that names one of them breaks here as it does there.
"""

from html import escape
from typing import Literal
from urllib.parse import urlencode

from collections_app.sandbox.http.answer import Answer, Request, html

PATH = "/login"
LOGGED_IN = "logged_in"
# "redirect": the visitor is logged in at the other host; "form": a button must be pressed there; "none": no other host.
Login = Literal["redirect", "form", "none"]
MODES: tuple[Login, ...] = ("redirect", "form", "none")
_OTHER = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}


def needed(request: Request, mode: Login) -> Answer | None:
    """The way to the login on the other host; None if the visitor has been there, or if there is no such host."""
    base = _other_base(request)
    if mode == "none" or base is None or request.method != "GET" or LOGGED_IN in request.query:
        return None
    return _found(f"{base}{PATH}?{urlencode({'return_to': request.target})}")


def answer(request: Request, mode: Login) -> Answer:
    """The login itself: the way back, or a page with a button that leads there."""
    target, base = request.query.get("return_to", ""), _other_base(request)
    if base is None or not target.startswith("/oauth/authorize?"):
        return html(404, b"<!DOCTYPE html><title>Not found</title><h1>404</h1>")
    back = f"{base}{target}&{urlencode({LOGGED_IN: 1})}"
    if mode == "form" and request.method != "POST":
        action = escape(request.target)
        page = (
            '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">'
            "<title>Log in – sandbox Discogs</title><h1>Log in</h1>"
            f'<form method="post" action="{action}"><button>Log in</button></form></html>'
        )
        return html(200, page.encode())
    return _found(back)


def _other_base(request: Request) -> str | None:
    name, _, port = request.headers.get("host", "").partition(":")
    return f"http://{_OTHER[name]}:{port}" if name in _OTHER and port.isdecimal() else None


def _found(address: str) -> Answer:
    return Answer(
        status=302,
        headers={"Location": address, "Cache-Control": "no-store"},
        content_type="text/plain",
        rate_headers=False,
    )
