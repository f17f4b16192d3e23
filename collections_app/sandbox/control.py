"""The control routes under /_sandbox/, for another process. They do not count and have no latency."""

import json
from collections.abc import Callable
from typing import Any

from collections_app.sandbox.http.answer import Answer, Request, json_answer, message
from collections_app.sandbox.state import Sandbox

PREFIX = "/_sandbox/"
# Of an existing user.
_CHANGES = {"add_releases", "remove_instances", "edit_copies", "set_wants", "rename"}


def answer(sandbox: Sandbox, request: Request) -> Answer:
    """Handle a control request: 400 for a malformed body, 404 for no such route."""
    route = _ROUTES.get((request.method, request.path.removeprefix(PREFIX)))
    if route is None:
        return message(404, "No such control route.")
    try:
        body = json.loads(request.body) if request.body else None
        return json_answer(route(sandbox, request, body))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return message(400, f"{type(error).__name__}: {error}")


def _stats(sandbox: Sandbox, request: Request, _body: Any) -> Any:
    return sandbox.stats(times=request.query.get("times") == "1")


def _list_faults(sandbox: Sandbox, _request: Request, _body: Any) -> Any:
    return sandbox.faults()


def _add_faults(sandbox: Sandbox, _request: Request, body: Any) -> Any:
    for rule in body if isinstance(body, list) else [body]:
        sandbox.add_fault(**rule)
    return sandbox.faults()


def _clear_faults(sandbox: Sandbox, _request: Request, _body: Any) -> Any:
    sandbox.clear_faults()
    return []


def _list_users(sandbox: Sandbox, _request: Request, _body: Any) -> Any:
    return [_user(sandbox, username) for username in list(sandbox.world.users)]


def _set_user(sandbox: Sandbox, _request: Request, body: Any) -> Any:
    username = body.pop("username")
    if not _CHANGES & set(body):
        sandbox.add_user(username, body.pop("token", None), **body)
        return _user(sandbox, username)
    if set(body) - _CHANGES:
        raise ValueError(f"nothing else goes with {sorted(_CHANGES)}: {sorted(set(body) - _CHANGES)}")
    world = sandbox.world
    world.remove_copies(username, body.get("remove_instances", ()))
    world.add_copies(username, body.get("add_releases", ()), added_at=sandbox.added_at())
    if "set_wants" in body:
        world.set_wants(username, body["set_wants"], added_at=sandbox.added_at())
    for change in body.get("edit_copies", ()):
        world.edit_copy(username, **change)
    if "rename" in body:
        username = world.rename_user(username, body["rename"]).username
    return _user(sandbox, username)


def _user(sandbox: Sandbox, username: str) -> dict[str, Any]:
    user = sandbox.world.users[username]
    copies = [{"instance_id": copy.instance_id, "release_id": copy.release_id} for copy in user.copies]
    return {"id": user.id, "username": username, "token": user.token, "copies": copies}


def _oauth(sandbox: Sandbox, _request: Request, body: Any) -> Any:
    return {"revoked": sandbox.revoke(body["revoke"])}


def _set_market(sandbox: Sandbox, _request: Request, body: Any) -> Any:
    release_id = int(body.pop("release_id"))
    sandbox.set_market(release_id, **body)
    market = sandbox.world.market(release_id, sandbox.today())
    return {
        "release_id": release_id,
        "day": market.day.isoformat(),
        "lowest_price": None if market.lowest_price is None else str(market.lowest_price),
        "num_for_sale": market.num_for_sale,
        "want": market.want,
        "have": market.have,
        "blocked": market.blocked,
        "gone": market.gone,
    }


def _set_day(sandbox: Sandbox, _request: Request, body: Any) -> Any:
    return {"day": sandbox.set_day(**(body or {})).isoformat()}


def _set_clock(sandbox: Sandbox, _request: Request, body: Any) -> Any:
    return {"now": sandbox.set_clock(**(body or {})).isoformat()}


def _set_login(sandbox: Sandbox, _request: Request, body: Any) -> Any:
    sandbox.set_login(body["mode"])
    return {"mode": sandbox.login}


def _set_limit(sandbox: Sandbox, _request: Request, body: Any) -> Any:
    return sandbox.set_limit(**(body or {}))


def _reset(sandbox: Sandbox, _request: Request, body: Any) -> Any:
    sandbox.reset(*((body or {}).get("only") or ()))
    return {"reset": True}


_ROUTES: dict[tuple[str, str], Callable[[Sandbox, Request, Any], Any]] = {
    ("GET", "stats"): _stats,
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "users"): _list_users,
    ("POST", "users"): _set_user,
    ("POST", "oauth"): _oauth,
    ("POST", "market"): _set_market,
    ("POST", "day"): _set_day,
    ("POST", "clock"): _set_clock,
    ("POST", "login"): _set_login,
    ("POST", "limit"): _set_limit,
    ("POST", "reset"): _reset,
}
