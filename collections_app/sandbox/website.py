"""Discogs' web site and image host: without a limit, credentials or a User-Agent."""

import re
from html import escape

from collections_app.sandbox.access import authorize, login
from collections_app.sandbox.http.answer import Answer, Request, html
from collections_app.sandbox.world.covers import cover_svg
from collections_app.sandbox.world.world import World

_COVER = re.compile(r"/covers/([0-9]{1,8})(-150)?\.svg")
_PAGE = re.compile(r"/release/([0-9]{1,8})(?:-[^/]*)?")


def find(path: str) -> str | None:
    """The name for the counters if the path belongs to the web site."""
    if path in (authorize.PATH, login.PATH):
        return path
    if _COVER.fullmatch(path):
        return "/covers/{id}.svg"
    return "/release/{id}" if _PAGE.fullmatch(path) else None


def answer(world: World, request: Request, *, now: float, login_mode: login.Login) -> Answer:
    """A cover, a release's page, the authorisation page or the login; the path is one that `find` knows."""
    path = request.path
    if path == login.PATH:
        return login.answer(request, login_mode)
    if path == authorize.PATH:
        return login.needed(request, login_mode) or authorize.answer(world, request, now=now)
    if found := _COVER.fullmatch(path):
        side = 150 if found[2] else 600
        return Answer(
            body=cover_svg(world.seed, int(found[1]), side=side).encode(),
            content_type="image/svg+xml",
            headers={
                "Cache-Control": "public, max-age=86400",
                "Cross-Origin-Resource-Policy": "cross-origin",
            },
            rate_headers=False,
        )
    page = _PAGE.fullmatch(path)
    return _release_page(world, int(page[1]) if page else 0)


def _release_page(world: World, release_id: int) -> Answer:
    try:
        facts = world.release(release_id)
    except KeyError:
        return html(404, b"<!DOCTYPE html><title>Not found</title><h1>404</h1>")
    title = escape(f"{facts.artists[0].name} – {facts.title}")
    page = (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'
        f'<p><img src="/covers/{release_id}.svg" width="300" height="300" alt=""></p>'
        "<p>A page of the sandbox, which stands for Discogs. Everything here is made up.</p></html>"
    )
    return html(200, page.encode())
