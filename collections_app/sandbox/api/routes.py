"""The routes of the API: from a request to its answer. No trailing slashes, as on Discogs."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from collections_app.sandbox.access import tokens
from collections_app.sandbox.access.auth import CONSUMER_NAME, Caller
from collections_app.sandbox.api import documents
from collections_app.sandbox.api.sorting import sorted_copies
from collections_app.sandbox.http.answer import Answer, Refused, Request, detail, json_answer, message
from collections_app.sandbox.world.catalogue import ReleaseFacts
from collections_app.sandbox.world.holdings import SandboxUser
from collections_app.sandbox.world.market import USD_RATES, MarketDay
from collections_app.sandbox.world.world import World

NOT_FOUND = "The requested resource was not found."
NOT_OWNER = (
    "You are not allowed to view this resource. Please authenticate as the owner to view this content."
)
NO_CREDENTIALS = "You must authenticate to access this resource."
NO_SELLER = "You must fill out your seller settings first."


@dataclass(frozen=True, slots=True)
class Call:
    """Everything a route may read. `base` is the address of the API as the caller sees it, no trailing slash."""

    world: World
    base: str
    day: date
    request: Request
    caller: Caller


def _root(call: Call) -> Answer:
    welcome = {
        "hello": "Welcome to the Discogs API.",
        "api_version": "v2",
        "statistics": {"releases": 17_000_000},
    }
    return json_answer(welcome | {"documentation_url": f"{call.base}/developers/"})


def _identity(call: Call) -> Answer:
    user = call.caller.user
    if user is None:
        return message(401, NO_CREDENTIALS)
    address = f"{call.base}/users/{user.username}"
    identity = {"id": user.id, "username": user.username, "resource_url": address}
    return json_answer(identity | {"consumer_name": CONSUMER_NAME})


def _profile(call: Call, username: str) -> Answer:
    user = _user(call, username)
    return json_answer(documents.profile(call.base, user, owner=call.caller.owns(user)))


def _folders(call: Call, username: str) -> Answer:
    user = _visible_user(call, username)
    shown = [0, *user.folders] if call.caller.owns(user) else [0]
    return json_answer({"folders": [documents.folder(call.base, user, n) for n in shown]})


def _folder(call: Call, username: str, folder_id: str) -> Answer:
    user = _visible_user(call, username)
    return json_answer(documents.folder(call.base, user, _folder_id(call, user, folder_id)))


def _fields(call: Call, username: str) -> Answer:
    user = _visible_user(call, username)
    return json_answer(documents.collection_fields(user, owner=call.caller.owns(user)))


def _collection(call: Call, username: str, folder_id: str) -> Answer:
    user = _visible_user(call, username)
    number = _folder_id(call, user, folder_id)
    in_folder = user.copies if number == 0 else tuple(c for c in user.copies if c.folder_id == number)
    copies = sorted_copies(call.world, in_folder, call.request.query)
    page, per_page, head = _page(call, len(copies))
    owner = call.caller.owns(user)
    fields = {field.id for field in user.fields if owner or field.public}
    shown = copies[(page - 1) * per_page : page * per_page]
    rows = [
        documents.collection_row(call.base, call.world.release(copy.release_id), copy, fields)
        for copy in shown
    ]
    return json_answer({"pagination": head, "releases": rows})


def _page(call: Call, items: int) -> tuple[int, int, dict[str, object]]:
    page, per_page = _number(call, "page", 1), min(100, _number(call, "per_page", 50))
    if page > max(1, -(-items // per_page)):
        raise Refused(message(404, f"Page {page} is past the end of this list."))
    request = call.request
    head = documents.pagination(
        call.base, request.path, request.query, page=page, per_page=per_page, items=items
    )
    return page, per_page, head


def _number(call: Call, name: str, default: int) -> int:
    text = call.request.query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise Refused(detail(422, ["query", name], "value is not a positive integer", "type_error.integer"))
    return int(text)


def _wants(call: Call, username: str) -> Answer:
    user = _visible_user(call, username)
    wants = sorted(user.wants, key=lambda want: want.date_added, reverse=True)
    page, per_page, head = _page(call, len(wants))
    shown = wants[(page - 1) * per_page : page * per_page]
    rows = [
        documents.want_row(call.base, username, call.world.release(want.release_id), want) for want in shown
    ]
    return json_answer({"pagination": head, "wants": rows})


def _value(call: Call, username: str) -> Answer:
    user = _user(call, username)
    if not call.caller.owns(user):
        return message(403, NOT_OWNER)
    return json_answer(documents.collection_value(call.world, user, call.day))


def _release(call: Call, release_id: str) -> Answer:
    facts, market = _known_release(call, release_id)
    return json_answer(documents.release(call.world, call.base, facts, market))


def _release_stats(call: Call, release_id: str) -> Answer:
    _known_release(call, release_id)
    return json_answer({"is_offensive": False})


def _release_rating(call: Call, release_id: str) -> Answer:
    _, market = _known_release(call, release_id)
    rating = {"count": market.rating_count, "average": float(market.rating_average)}
    return json_answer({"release_id": market.release_id, "rating": rating})


def _marketplace_stats(call: Call, release_id: str) -> Answer:
    _, market = _known_release(call, release_id)
    own = call.caller.user.curr_abbr if call.caller.user else ""
    asked = call.request.query.get("curr_abbr", own)
    # What Discogs does with an unknown currency is not established: here it falls back to USD.
    return json_answer(documents.marketplace_stats(market, asked if asked in USD_RATES else "USD"))


def _price_suggestions(call: Call, release_id: str) -> Answer:
    user = call.caller.user
    if user is None:
        return message(401, NO_CREDENTIALS)
    if user.seller_currency is None:
        return message(404, NO_SELLER)
    _, market = _known_release(call, release_id)
    document = documents.price_suggestions(call.world, market.release_id, user.seller_currency, call.day)
    return json_answer(document)


def _marketplace_search(call: Call) -> Answer:
    return message(404, NOT_FOUND) if call.caller.credentials else message(401, NO_CREDENTIALS)


def _marketplace_listings(_call: Call) -> Answer:
    return method_not_allowed()


def method_not_allowed() -> Answer:
    """405 in the second error shape."""
    return detail(405, ["method"], "Method Not Allowed", "method_not_allowed")


def _user(call: Call, username: str) -> SandboxUser:
    user = call.world.users.get(username)
    if user is None:
        raise Refused(message(404, "User does not exist or may have been deleted."))
    return user


def _visible_user(call: Call, username: str) -> SandboxUser:
    user = _user(call, username)
    if user.private and not call.caller.owns(user):
        raise Refused(message(403, NOT_OWNER))
    return user


def _folder_id(call: Call, user: SandboxUser, text: str) -> int:
    number = int(text)
    if number and not call.caller.owns(user):
        raise Refused(message(403, NOT_OWNER))
    if number and number not in user.folders:
        raise Refused(message(404, "Folder not found."))
    return number


def _known_release(call: Call, text: str) -> tuple[ReleaseFacts, MarketDay]:
    try:
        facts = call.world.release(int(text))
    except KeyError:
        raise Refused(message(404, "Release not found.")) from None
    market = call.world.market(facts.id, call.day)
    if market.gone:
        raise Refused(message(404, "That release does not exist or may have been deleted."))
    return facts, market


# (name for the counters, pattern, route).
_ROUTES: tuple[tuple[str, re.Pattern[str], Callable[..., Answer]], ...] = tuple(
    (name, re.compile(name.replace("{u}", r"([^/]+)").replace("{id}", r"([0-9]{1,18})")), route)
    for name, route in (
        ("/releases/{id}", _release),
        ("/marketplace/stats/{id}", _marketplace_stats),
        ("/marketplace/price_suggestions/{id}", _price_suggestions),
        ("/users/{u}/collection/folders/{id}/releases", _collection),
        ("/users/{u}/collection/folders/{id}", _folder),
        ("/users/{u}/collection/folders", _folders),
        ("/users/{u}/collection/fields", _fields),
        ("/users/{u}/collection/value", _value),
        ("/users/{u}/wants", _wants),
        ("/users/{u}", _profile),
        ("/oauth/identity", _identity),
        ("/releases/{id}/stats", _release_stats),
        ("/releases/{id}/rating", _release_rating),
        ("/marketplace/search", _marketplace_search),
        ("/marketplace/listings", _marketplace_listings),
        ("/", _root),
    )
)


@dataclass(frozen=True, slots=True)
class Match:
    """A route that fits a path; `name` is "unknown" when none does."""

    name: str
    route: Callable[..., Answer] | None = None
    arguments: tuple[str, ...] = ()

    @property
    def release_id(self) -> str | None:
        """The release that a price request is about."""
        return self.arguments[0] if self.name == "/releases/{id}" else None


def find(path: str) -> Match:
    """The route of a path. The token endpoints have none here: tokens.py answers them."""
    if path in tokens.PATHS:
        return Match(path)
    for name, pattern, route in _ROUTES:
        if found := pattern.fullmatch(path):
            return Match(name, route, found.groups())
    return Match("unknown")


def answer(match: Match, call: Call) -> Answer:
    """The answer of a route, refusals included."""
    if match.route is None:
        return message(404, NOT_FOUND)
    if call.request.method != "GET":
        return method_not_allowed()
    try:
        return match.route(call, *match.arguments)
    except Refused as refused:
        return refused.answer
