"""The JSON documents of the sandbox, with every trap of the real ones. Pure functions of world, day and address."""

import math
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from collections_app.sandbox.world.catalogue import Artist, Format, Label, ReleaseFacts
from collections_app.sandbox.world.holdings import Copy, SandboxUser, Want
from collections_app.sandbox.world.market import MarketDay
from collections_app.sandbox.world.noise import hash64
from collections_app.sandbox.world.world import World

_SIGNS = {
    "USD": "$", "GBP": "£", "EUR": "€", "CAD": "CA$", "AUD": "A$", "JPY": "¥", "CHF": "CHF", "MXN": "MX$",
    "BRL": "R$", "NZD": "NZ$", "SEK": "SEK", "ZAR": "ZAR",
}  # fmt: skip


def noisy(amount: Decimal, release_id: int) -> float:
    """The amount as a float; for every third release off by a few last places (8.415000000000001)."""
    value = float(amount)
    for _ in range(2 if release_id % 3 == 0 else 0):
        value = math.nextafter(value, math.inf)
    return value


def release(world: World, base: str, facts: ReleaseFacts, market: MarketDay) -> dict[str, Any]:
    """GET /releases/{id}: the price is USD whatever was asked for; unknown facts are absent keys."""
    document = {
        "id": facts.id,
        "status": "Accepted",
        "year": facts.year,
        **_shared(base, facts),
        "uri": f"{base}/release/{facts.id}",
        "artists_sort": " ".join(credit.name for credit in facts.artists),
        "series": [],
        "companies": [],
        "data_quality": "Correct",
        "community": _community(market),
        "format_quantity": sum(format_.qty for format_ in facts.formats),
        "date_added": "2009-03-14T11:02:41-07:00",
        "date_changed": "2025-08-02T04:51:18-07:00",
        "num_for_sale": market.num_for_sale,
        "lowest_price": _usd(market),
        "tracklist": [_track(track.position, track.title, track.duration) for track in facts.tracklist],
        "extraartists": [],
        "videos": [],
        "images": [_image(base, facts.id)],
        "estimated_weight": 230 * sum(format_.qty for format_ in facts.formats),
    }
    return document | _optional(base, facts, market)


def _optional(base: str, facts: ReleaseFacts, market: MarketDay) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if facts.master_id:
        found |= {"master_id": facts.master_id, "master_url": f"{base}/masters/{facts.master_id}"}
    if facts.country:
        found["country"] = facts.country
    if facts.year:
        found |= {"released": str(facts.year), "released_formatted": str(facts.year)}
    if facts.notes:
        found["notes"] = facts.notes
    # Older answers lack the key, so a client must not need it to know that a release may be sold.
    if market.blocked or facts.id % 50:
        found["blocked_from_sale"] = market.blocked
    return found


def _shared(base: str, facts: ReleaseFacts) -> dict[str, Any]:
    return {
        "resource_url": f"{base}/releases/{facts.id}",
        "title": facts.title,
        "artists": [_artist(base, credit) for credit in facts.artists],
        "labels": [_label(base, label) for label in facts.labels],
        "formats": [_format(format_) for format_ in facts.formats],
        "genres": list(facts.genres),
        "styles": list(facts.styles),
        "thumb": f"{base}/covers/{facts.id}-150.svg",
    }


def basic_information(base: str, facts: ReleaseFacts) -> dict[str, Any]:
    """The facts inside collection and wantlist rows: year 0 unknown, master_id 0 with a null address."""
    master_url = f"{base}/masters/{facts.master_id}" if facts.master_id else None
    return {
        "id": facts.id,
        "master_id": facts.master_id,
        "master_url": master_url,
        "year": facts.year,
        "cover_image": f"{base}/covers/{facts.id}.svg",
        **_shared(base, facts),
    }


def _artist(base: str, credit: Artist) -> dict[str, Any]:
    return {
        "name": credit.name,
        "anv": credit.anv,
        "join": credit.join,
        "role": "",
        "tracks": "",
        "id": credit.id,
        "resource_url": f"{base}/artists/{credit.id}",
    }


def _label(base: str, label: Label) -> dict[str, Any]:
    return {
        "name": label.name,
        "catno": label.catno,
        "entity_type": "1",
        "entity_type_name": "Label",
        "id": label.id,
        "resource_url": f"{base}/labels/{label.id}",
    }


def _format(format_: Format) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": format_.name,
        "qty": str(format_.qty),
        "descriptions": list(format_.descriptions),
    }
    return document | ({"text": format_.text} if format_.text else {})


def _track(position: str, title: str, duration: str) -> dict[str, str]:
    return {"position": position, "type_": "track", "title": title, "duration": duration}


def _image(base: str, release_id: int) -> dict[str, Any]:
    address = f"{base}/covers/{release_id}.svg"
    small = f"{base}/covers/{release_id}-150.svg"
    return {
        "type": "primary",
        "uri": address,
        "resource_url": address,
        "uri150": small,
        "width": 600,
        "height": 600,
    }


def _community(market: MarketDay) -> dict[str, Any]:
    return {
        "have": market.have,
        "want": market.want,
        "rating": {"count": market.rating_count, "average": float(market.rating_average)},
        "submitter": {"username": "archive_mouse", "resource_url": ""},
        "contributors": [],
        "data_quality": "Correct",
        "status": "Accepted",
    }


def _usd(market: MarketDay) -> float | None:
    return None if market.lowest_price is None else noisy(market.lowest_price, market.release_id)


def marketplace_stats(market: MarketDay, currency: str) -> dict[str, Any]:
    """GET /marketplace/stats/{id}: unrounded; if sale is blocked, null and null; every second one has a 0 as count."""
    if market.lowest_price is None:
        count = 0 if market.release_id % 2 else None
        return {"lowest_price": None, "num_for_sale": count, "blocked_from_sale": market.blocked}
    usd = noisy(market.lowest_price, market.release_id)
    value = usd if currency == "USD" else World.convert(market.lowest_price, currency)
    price = {"value": value, "currency": currency}
    return {"lowest_price": price, "num_for_sale": market.num_for_sale, "blocked_from_sale": False}


def price_suggestions(world: World, release_id: int, currency: str, day: date) -> dict[str, Any]:
    """GET /marketplace/price_suggestions/{id}: eight grades in the seller's currency, or {}."""
    return {
        grade: {"currency": currency, "value": World.convert(amount, currency)}
        for grade, amount in world.suggestions(release_id, day).items()
    }


def collection_row(base: str, facts: ReleaseFacts, copy: Copy, fields: set[int]) -> dict[str, Any]:
    """One owned copy; only notes of the given fields, and no `notes` key if none is left."""
    row: dict[str, Any] = {
        "id": copy.release_id,
        "instance_id": copy.instance_id,
        "folder_id": copy.folder_id,
        "rating": copy.rating,
        "date_added": copy.date_added.isoformat(),
        "basic_information": basic_information(base, facts),
    }
    notes = [{"field_id": id_, "value": text} for id_, text in copy.notes.items() if id_ in fields]
    return row | ({"notes": notes} if notes else {})


def want_row(base: str, username: str, facts: ReleaseFacts, want: Want) -> dict[str, Any]:
    """One row of the wantlist; its notes are a text."""
    return {
        "id": want.release_id,
        "resource_url": f"{base}/users/{username}/wants/{want.release_id}",
        "rating": want.rating,
        "date_added": want.date_added.isoformat(),
        "notes": want.notes,
        "basic_information": basic_information(base, facts),
    }


def profile(base: str, user: SandboxUser, *, owner: bool) -> dict[str, Any]:
    """GET /users/{u}; the counts are hidden from other users if the collection is private."""
    home = f"{base}/users/{user.username}"
    document: dict[str, Any] = {
        "id": user.id,
        "username": user.username,
        "name": "",
        "resource_url": home,
        "uri": f"{base}/user/{user.username}",
        "avatar_url": f"{base}/covers/{1 + user.id % 5000}-150.svg",
        "curr_abbr": user.curr_abbr,
        "registered": "2014-05-03T02:11:09-07:00",
        "collection_folders_url": f"{home}/collection/folders",
        "collection_fields_url": f"{home}/collection/fields",
        "wantlist_url": f"{home}/wants",
        "inventory_url": f"{home}/inventory",
        "rank": 0.0,
        "releases_contributed": 3,
    }
    if owner or not user.private:
        document |= {"num_collection": len(user.copies), "num_wantlist": len(user.wants)}
    return document


def folder(base: str, user: SandboxUser, folder_id: int) -> dict[str, Any]:
    """One folder with its count; id 0 is "All"."""
    return {
        "id": folder_id,
        "name": "All" if folder_id == 0 else user.folders[folder_id],
        "count": user.folder_counts()[folder_id],
        "resource_url": f"{base}/users/{user.username}/collection/folders/{folder_id}",
    }


def collection_fields(user: SandboxUser, *, owner: bool) -> dict[str, Any]:
    """GET /users/{u}/collection/fields; other users see the public ones."""
    return {
        "fields": [
            {"id": field.id, "name": field.name, "position": n, "public": field.public}
            | ({"type": "dropdown", "options": list(field.options)} if field.options else {})
            | ({} if field.options else {"type": "textarea", "lines": 3})
            for n, field in enumerate(user.fields, start=1)
            if owner or field.public
        ]
    }


def collection_value(world: World, user: SandboxUser, day: date) -> dict[str, str]:
    """GET /users/{u}/collection/value: three formatted texts in the owner's currency."""
    currency = user.curr_abbr or "USD"
    prices = [world.market(copy.release_id, day).lowest_price or Decimal(0) for copy in user.copies]
    floor = World.convert(sum(prices, Decimal(0)), currency)
    spread = 1.35 + hash64(world.seed, 401, user.id) % 30 / 100
    return {
        name: money(floor * factor, currency)
        for name, factor in (("minimum", 0.93), ("median", spread), ("maximum", 2.1 * spread))
    }


def money(amount: float, currency: str) -> str:
    """An amount as the web site prints it: €1,458.87, ¥12,300."""
    return f"{_SIGNS[currency]}{amount:,.0f}" if currency == "JPY" else f"{_SIGNS[currency]}{amount:,.2f}"


def pagination(
    base: str, path: str, query: dict[str, str], *, page: int, per_page: int, items: int
) -> dict[str, Any]:
    """The envelope's head; `urls` echoes the query, a token in it too, and lacks next and last on the last page."""
    pages = max(1, -(-items // per_page))

    def url(number: int) -> str:
        parts = {**query, "page": str(number), "per_page": str(per_page)}
        return f"{base}{path}?{urlencode(parts)}"

    urls = {} if page == 1 else {"first": url(1), "prev": url(page - 1)}
    if page < pages:
        urls |= {"next": url(page + 1), "last": url(pages)}
    return {"page": page, "pages": pages, "per_page": per_page, "items": items, "urls": urls}
