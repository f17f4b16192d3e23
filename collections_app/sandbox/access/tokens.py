"""The two token endpoints of OAuth 1.0a. They answer in form-encoded text, and report errors in plain text."""

import re
from urllib.parse import urlencode

from collections_app.sandbox.access import auth, oauth
from collections_app.sandbox.http.answer import Answer, Request
from collections_app.sandbox.world.world import World

REQUEST_TOKEN, ACCESS_TOKEN = "/oauth/request_token", "/oauth/access_token"
PATHS = (REQUEST_TOKEN, ACCESS_TOKEN)
# This is written into a Location header unchanged, so it has no character that could end the line.
_CALLBACK = re.compile(r"https?://[\x21-\x7e]{1,2000}|oob")


def answer(world: World, request: Request, *, base: str, now: float) -> Answer:
    """The answer of a token endpoint; the path is one of PATHS."""
    try:
        params = auth.signed_parameters(request)
        if request.path == REQUEST_TOKEN:
            return _request_token(world, request, params, base=base, now=now)
        return _access_token(world, request, params, base=base, now=now)
    except oauth.NotSigned:
        return auth.invalid_consumer()


def _request_token(
    world: World, request: Request, params: dict[str, str], *, base: str, now: float
) -> Answer:
    if request.method not in ("GET", "POST"):
        return _text(405, "Method Not Allowed")
    auth.check(world, request, params, token_secret="", base=base, now=now)
    in_form = dict(oauth.form_parameters(request)).get("oauth_callback", "oob")
    callback = params.get("oauth_callback", in_form)
    if not _CALLBACK.fullmatch(callback):
        return _text(400, "Invalid callback.")
    issued = world.grants.issue(callback, now=now)
    return _form(oauth_token=issued.token, oauth_token_secret=issued.secret, oauth_callback_confirmed="true")


def _access_token(world: World, request: Request, params: dict[str, str], *, base: str, now: float) -> Answer:
    if request.method != "POST":
        return _text(405, "Method Not Allowed")
    token = params.get("oauth_token", "")
    asked = world.grants.request(token, now=now)
    if asked is None:
        return _text(401, "Invalid request token.")
    auth.check(world, request, params, token_secret=asked.secret, base=base, now=now)
    access = world.grants.exchange(token, params.get("oauth_verifier", ""), now=now)
    if access is None:
        return _text(401, "Unable to retrieve access token. Your request token may have expired.")
    return _form(oauth_token=access.token, oauth_token_secret=access.secret)


def _form(**pairs: str) -> Answer:
    return Answer(body=urlencode(pairs).encode(), content_type=oauth.FORM)


def _text(status: int, text: str) -> Answer:
    return Answer(status=status, body=text.encode(), content_type="text/plain")
