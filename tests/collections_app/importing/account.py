"""A made-up Discogs account whose answers a test writes itself, by `responses`."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses
from django.utils import timezone
from requests import PreparedRequest

from collections_app.connections.connect import connect_with_token
from collections_app.importing.steps import import_step, start_import
from collections_app.models import ImportPass

API = "https://api.discogs.com"
PAGE = 100


def row(number: int, **changed: Any) -> dict[str, Any]:
    """A row of a collection; a value of `...` leaves the key out. Facts of the release go into `facts`."""
    facts = {
        "id": number,
        "title": f"Record {number}",
        "year": 1987,
        "formats": [{"name": "Vinyl", "qty": "1", "descriptions": ["LP"]}],
        "labels": [{"id": 1, "name": "Label", "catno": f"AB {number}"}],
        "artists": [{"id": 1, "name": "Artist", "anv": "", "join": ""}],
        "genres": ["Rock"],
        "styles": [],
        **changed.pop("facts", {}),
    }
    whole = {
        "id": number,
        "instance_id": 1_000_000 + number,
        "folder_id": 1,
        "rating": 0,
        "date_added": "2018-05-04T10:00:00-07:00",
        "basic_information": {key: value for key, value in facts.items() if value is not ...},
        **changed,
    }
    return {key: value for key, value in whole.items() if value is not ...}


@dataclass
class Account:
    """What the account holds. `read` runs a whole import, including a second pass that follows from it."""

    user: Any
    copies: list[Any] = field(default_factory=list)
    wants: list[Any] = field(default_factory=list)
    folders: list[Any] = field(default_factory=lambda: [{"id": 1, "name": "Uncategorized", "count": 0}])
    fields: list[Any] = field(default_factory=lambda: [{"id": 3, "name": "Notes"}])

    def __post_init__(self) -> None:
        user = f"{API}/users/collector_at_discogs"
        answers = {
            f"{API}/oauth/identity": lambda _: {"id": 7, "username": "collector_at_discogs"},
            f"{user}/collection/folders": lambda _: {"folders": [self._all(), *self.folders]},
            f"{user}/collection/fields": lambda _: {"fields": self.fields},
            f"{user}/collection/folders/0/releases": lambda page: self._page("releases", self.copies, page),
            f"{user}/wants": lambda page: self._page("wants", self.wants, page),
        }
        for address, answer in answers.items():
            responses.add_callback("GET", address, callback=_callback(answer))
        connect_with_token(self.user, "a-made-up-token", now=timezone.now())

    def _all(self) -> dict[str, Any]:
        return {"id": 0, "name": "All", "count": len(self.copies)}

    @staticmethod
    def _page(name: str, rows: list[Any], page: int) -> dict[str, Any]:
        shown = rows[(page - 1) * PAGE : page * PAGE]
        return {"pagination": {"items": len(rows), "pages": 1, "page": page}, name: shown}

    def read_once(self) -> ImportPass:
        started = start_import(self.user.discogs_connection, now=timezone.now())
        while import_step(started.pk, now=timezone.now()) is not None:
            pass
        started.refresh_from_db()
        return started

    def second_pass(self) -> ImportPass | None:
        return ImportPass.objects.running().filter(connection__user=self.user).first()


def _callback(answer: Any) -> Any:
    def reply(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        page = int(parse_qs(urlsplit(str(request.url)).query).get("page", ["1"])[0])
        return 200, {"Content-Type": "application/json"}, json.dumps(answer(page))

    return reply
