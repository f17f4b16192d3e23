"""The page where a user authorises the application or denies it: plain HTML, no JavaScript, no password."""

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from collections_app.sandbox.access import oauth
from collections_app.sandbox.access.auth import CONSUMER_NAME
from collections_app.sandbox.http.answer import Answer, Request, html
from collections_app.sandbox.world.grants import Decided, RequestToken
from collections_app.sandbox.world.world import World

PATH = "/oauth/authorize"
OUT_OF_BAND = "oob"

_STYLE = """
:root { color-scheme: light dark; font: 1.0625rem/1.55 system-ui, sans-serif; }
body { margin: 0; background: #f2f1ee; color: #22201d; }
main { max-width: 27rem; margin: 10vh auto 2rem; padding: 2rem; background: #fff; border: 1px solid #d8d5cf;
  border-radius: .5rem; }
h1 { margin: 0 0 1rem; font-size: 1.4rem; line-height: 1.3; }
label { display: block; margin: 1.25rem 0 .35rem; font-weight: 600; }
select, button { box-sizing: border-box; width: 100%; min-height: 2.75rem; padding: .4rem .7rem; font: inherit;
  border: 1px solid #77726a; border-radius: .3rem; background: #fff; color: inherit; }
button { margin-top: .75rem; cursor: pointer; font-weight: 600; }
button.main { margin-top: 1.5rem; background: #22201d; border-color: #22201d; color: #fff; }
:focus-visible { outline: 3px solid #2a6fd6; outline-offset: 2px; }
code { display: block; padding: .6rem; font-size: 1.4rem; letter-spacing: .08em; background: #f2f1ee; }
.note { margin: 1.5rem 0 0; font-size: .875rem; color: #625d55; }
@media (prefers-color-scheme: dark) {
  body { background: #191815; color: #ece9e3; }
  main, select, button { background: #24221e; border-color: #57524a; }
  button.main { background: #ece9e3; border-color: #ece9e3; color: #191815; }
  code { background: #191815; } .note { color: #aca69b; }
}
"""


def answer(world: World, request: Request, *, now: float) -> Answer:
    """The page, or the result of one of its two buttons."""
    fields = request.query | dict(oauth.form_parameters(request))
    asked = world.grants.request(fields.get("oauth_token", ""), now=now)
    if request.method not in ("GET", "POST"):
        return _page(405, "This is not possible", "<p>Open this page in a browser.</p>")
    if asked is None:
        return _page(404, "Unknown request", "<p>This request for access is unknown, or it has expired.</p>")
    if asked.state != "waiting":
        return _decided()
    if request.method == "GET":
        return _page(200, f"Let {CONSUMER_NAME} in?", _form(world, asked))
    try:
        return _obeyed(world, asked, fields, now=now)
    except Decided:
        return _decided()


def _obeyed(world: World, asked: RequestToken, fields: dict[str, str], *, now: float) -> Answer:
    if fields.get("decision") == "deny":
        world.grants.deny(asked.token, now=now)
        return _back(asked, "Access denied", "<p>Nothing was granted.</p>", denied=asked.token)
    user = world.users.get(fields.get("user", ""))
    if fields.get("decision") != "authorize" or user is None:
        return _page(400, "Choose a user", f"<p>Nothing was granted yet.</p>{_form(world, asked)}")
    granted = world.grants.authorise(asked.token, user.id, now=now)
    code = f"<p>Type this code into the application:</p><p><code>{granted.verifier}</code></p>"
    return _back(asked, "Access granted", code, oauth_token=asked.token, oauth_verifier=granted.verifier)


def _back(asked: RequestToken, title: str, content: str, **result: str) -> Answer:
    """Redirect to the application with the result; without a callback, a page for the user to read."""
    if asked.callback == OUT_OF_BAND:
        return _page(200, title, content)
    parts = urlsplit(asked.callback)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *result.items()])
    return Answer(
        status=302,
        headers={"Location": parts._replace(query=query).geturl(), "Cache-Control": "no-store"},
        content_type="text/plain",
        rate_headers=False,
    )


def _decided() -> Answer:
    return _page(410, "Already used", "<p>This request for access has been answered before. Start again.</p>")


def _form(world: World, asked: RequestToken) -> str:
    # The first user of the world is selected: crate_demo, unless it was removed.
    options = "".join(f"<option>{escape(name)}</option>" for name in world.users)
    return (
        f"<p><strong>{escape(CONSUMER_NAME)}</strong> asks to read a collection and a wantlist.</p>"
        f'<form method="post" action="{PATH}?{escape(urlencode({"oauth_token": asked.token}))}">'
        '<label for="user">Whose account is it?</label>'
        f'<select id="user" name="user">{options}</select>'
        '<button class="main" name="decision" value="authorize">Authorize</button>'
        '<button name="decision" value="deny">Deny</button></form>'
    )


def _page(status: int, title: str, content: str) -> Answer:
    page = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'  # no request for one
        f"<title>{escape(title)} – sandbox Discogs</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{content}"
        '<p class="note">A page of the sandbox, which stands for Discogs. Everything here is made up, '
        "and no password is needed.</p></main></body></html>"
    )
    return html(status, page.encode())
