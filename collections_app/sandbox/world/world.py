"""The world: catalogue, market and users, from one seed. No Django, no I/O, no clock."""

import zlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count as count_from
from itertools import islice
from random import Random
from threading import RLock
from typing import Any

from collections_app.sandbox.world import demo, holdings
from collections_app.sandbox.world.catalogue import ReleaseFacts, release_facts
from collections_app.sandbox.world.grants import Grants
from collections_app.sandbox.world.holdings import SandboxUser, UserPlan
from collections_app.sandbox.world.market import (
    USD_RATES,
    Kind,
    MarketDay,
    market_day,
    profile,
    suggestions,
)
from collections_app.sandbox.world.noise import hash64

# Copies were added in the years before this day: fixed, so that a restart on another day changes no row, and long past,
# because copies added after an import began delay removals.
ANCHOR = date(2026, 1, 1)
MARKET_FIELDS = frozenset(
    {"lowest_price", "num_for_sale", "want", "have", "rating_count", "rating_average", "blocked", "gone"}
)


class World:
    """All data of the sandbox. Equal seeds give equal worlds; only overrides and users are stored."""

    def __init__(self, *, seed: int = 1, releases: int = 5000, anchor: date = ANCHOR) -> None:
        self.seed = seed
        self.releases = releases
        self.anchor = anchor
        self.grants = Grants()
        self._lock = RLock()
        self.reset()

    def reset(self) -> None:
        """Delete overrides, added users and all grants; restore the three stock users."""
        with self._lock:
            self.grants.clear()
            self._overrides: dict[int, dict[str, Any]] = {}
            self.users: dict[str, SandboxUser] = {}
            self._ordinals: dict[str, int] = {}
            self._next_instance: dict[str, int] = {}
            for user in demo.stock_users(self.seed, self.releases, self.anchor):
                self._store(user)

    def release(self, release_id: int) -> ReleaseFacts:
        """The facts of a release, gone or not; KeyError outside 1…10,000,000."""
        return release_facts(self.seed, release_id)

    def market(self, release_id: int, day: date) -> MarketDay:
        """The market of a release on a UTC day, overrides applied; any day of any year."""
        override = self._overrides.get(release_id)
        if not override:
            return market_day(self.seed, release_id, day)
        base = market_day(self.seed, release_id, day, _kind_of(override))
        return replace(base, **_consistent(override))

    def market_series(self, release_id: int, first_day: date, last_day: date) -> list[MarketDay]:
        """The market on every day from the first to the last, both included."""
        count = (last_day - first_day).days + 1
        return [self.market(release_id, first_day + timedelta(days=n)) for n in range(count)]

    def kind(self, release_id: int) -> Kind:
        """The release's own kind, without overrides."""
        return profile(self.seed, release_id).kind

    def suggestions(self, release_id: int, day: date) -> dict[str, Decimal]:
        """Suggested prices by media grade in unrounded USD, on the grid; {} if there are none."""
        return suggestions(self.seed, release_id, day)

    def set_market(self, release_id: int, **fields: Any) -> None:
        """Override fields of MarketDay for every day; without fields the release's override is deleted.

        Prices may be Decimal, int or text (USD). `lowest_price=None` means none for sale; a price, a count,
        `blocked=False` or `gone=False` make an unsellable release ordinary again. ValueError for an unknown field.
        """
        unknown = set(fields) - MARKET_FIELDS
        if unknown:
            raise ValueError(f"no such market field: {', '.join(sorted(unknown))}")
        if "lowest_price" in fields and fields["lowest_price"] is None:
            fields.setdefault("num_for_sale", 0)
        for name in ("lowest_price", "rating_average"):
            if fields.get(name) is not None:
                fields[name] = Decimal(str(fields[name]))
        with self._lock:
            known = self._overrides.pop(release_id, {})
            if fields:
                self._overrides[release_id] = {**known, **fields}

    def add_user(self, username: str, token: str | None = None, **wanted: Any) -> SandboxUser:
        """Add or replace a user with the fields of UserPlan. What a replaced user granted ends.

        The same arguments give the same copies and instance ids.
        """
        plan = UserPlan(**wanted)
        rng = Random(hash64(self.seed, 300, zlib.crc32(username.encode())))
        with self._lock:
            ids = self._existing(rng, plan.count) if plan.release_ids is None else plan.release_ids
            new = SandboxUser(self._user_id(username), username, token)
            user = plan.apply(new, rng, ids, first_instance=self._base(username), before=self.anchor)
            self._end_grants_of(username)
            return self._store(user)

    def _end_grants_of(self, username: str) -> None:
        if username in self.users:
            self.grants.revoke(self.users[username].id)

    def add_copies(
        self, username: str, release_ids: Iterable[int], *, added_at: datetime | None = None
    ) -> tuple[holdings.Copy, ...]:
        """Give a user further copies, added then or on the anchor day; returns them. KeyError for an unknown user."""
        with self._lock:
            user = self.users[username]
            first = self._next_instance[username]
            rng = Random(hash64(self.seed, 301, first))
            new = holdings.plain_copies(
                rng, release_ids, first_instance=first, before=self.anchor, folders=user.folders
            )
            moment = added_at or holdings.day_start(self.anchor)
            new = tuple(replace(copy, date_added=moment) for copy in new)
            self._store(replace(user, copies=user.copies + new))
            return new

    def remove_copies(self, username: str, instance_ids: Iterable[int]) -> None:
        """Remove copies from a user's collection; unknown ids are ignored. KeyError for an unknown user."""
        with self._lock:
            user, leaving = self.users[username], set(instance_ids)
            kept = tuple(copy for copy in user.copies if copy.instance_id not in leaving)
            self._store(replace(user, copies=kept))

    def edit_copy(self, username: str, instance_id: int, **changes: Any) -> holdings.Copy:
        """Change a copy: `folder_id`, `rating`, and `notes` by field id, of which "" deletes one; returns it.

        KeyError for an unknown user, copy, folder or field.
        """
        with self._lock:
            user = self.users[username]
            known = {copy.instance_id: copy for copy in user.copies}
            known[instance_id] = edited = holdings.edited(user, known[instance_id], **changes)
            self._store(replace(user, copies=tuple(known.values())))
            return edited

    def set_wants(
        self, username: str, release_ids: Iterable[int], *, added_at: datetime | None = None
    ) -> None:
        """Replace a wantlist. Releases that stay keep their day and notes; new ones get `added_at` or the anchor."""
        with self._lock:
            user = self.users[username]
            known = {want.release_id: want for want in user.wants}
            moment = added_at or holdings.day_start(self.anchor)
            wants = tuple(known.get(id_) or holdings.Want(id_, moment) for id_ in dict.fromkeys(release_ids))
            self._store(replace(user, wants=wants))

    def set_private(self, username: str, private: bool) -> None:
        """Hide a collection and wantlist from other users, or show them."""
        with self._lock:
            self._store(replace(self.users[username], private=private))

    def rename_user(self, old: str, new: str) -> SandboxUser:
        """Give a user another name; number, token, grants and collection stay. ValueError if the name is taken."""
        with self._lock:
            if new in self.users:
                raise ValueError(f"{new} is taken")
            renamed = replace(self.users[old], username=new)
            for kept in (self._ordinals, self._next_instance):
                if old in kept:
                    kept[new] = kept.pop(old)
            # A new dictionary, so that readers of the old one are not disturbed.
            users = [renamed if name == old else user for name, user in self.users.items()]
            self.users = {user.username: user for user in users}
            return renamed

    def user_by_token(self, token: str) -> SandboxUser | None:
        """The owner of a personal access token."""
        return next((user for user in list(self.users.values()) if user.token == token), None)

    def user_by_id(self, user_id: int) -> SandboxUser | None:
        """The user of this number."""
        return next((user for user in list(self.users.values()) if user.id == user_id), None)

    @staticmethod
    def convert(usd: Decimal, currency: str) -> float:
        """USD in another currency at the made-up rate, unrounded; KeyError for a currency Discogs lacks."""
        return float(usd) * USD_RATES[currency]

    def _existing(self, rng: Random, count: int) -> list[int]:
        known = rng.sample(range(1, self.releases + 1), self.releases)
        pool = (n for n in known + list(range(self.releases + 1, self.releases + 2 * count + 100)))
        return list(islice((n for n in pool if self.kind(n) is not Kind.GONE), count))

    def _user_id(self, username: str) -> int:
        taken = {user.id for name, user in self.users.items() if name != username}
        wanted = 2_000_000 + zlib.crc32(username.encode()) % 1_000_000
        return next(number for number in count_from(wanted) if number not in taken)

    def _base(self, username: str) -> int:
        ordinal = self._ordinals.setdefault(username, len(self._ordinals))
        return 500_000_001 + ordinal * 1_000_000

    def _store(self, user: SandboxUser) -> SandboxUser:
        highest = max((copy.instance_id for copy in user.copies), default=0)
        known = self._next_instance.get(user.username, self._base(user.username))
        self._next_instance[user.username] = max(known, highest + 1)
        self.users[user.username] = user
        return user


def _kind_of(override: dict[str, Any]) -> Kind | None:
    if override.get("gone"):
        return Kind.GONE
    if override.get("blocked"):
        return Kind.BLOCKED
    wants_price = override.get("lowest_price") is not None or bool(override.get("num_for_sale"))
    return Kind.ORDINARY if wants_price or "gone" in override or "blocked" in override else None


def _consistent(override: dict[str, Any]) -> dict[str, Any]:
    fields = dict(override)
    blocked_or_gone = fields.get("blocked") or fields.get("gone")
    if "lowest_price" in fields and fields["lowest_price"] is None:
        fields.setdefault("num_for_sale", 0)
    if fields.get("num_for_sale") == 0 or blocked_or_gone:
        fields.setdefault("lowest_price", None)
    if blocked_or_gone:
        fields.setdefault("num_for_sale", 0)
    return fields
