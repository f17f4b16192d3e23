"""Requests, answers, and refusals as exceptions: the types shared by the parts of the sandbox."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

Manner = Literal["plain", "drip", "reset", "hang"]
JSON = "application/json"
CLOUDFLARE_PAGE = b"<!DOCTYPE html><html><head><title>%s</title></head><body><h1>%s</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are lower case; of repeated query parameters the last one counts."""

    method: str
    target: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    client: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. `delay`: seconds before it is sent; `rate_headers` False: it did not count in the limit."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    rate_headers: bool = True
    delay: float = 0.0
    manner: Manner = "plain"
    drip_bytes: int = 1
    drip_interval: float = 0.1


class Refused(Exception):
    """Raised by a route that stops early, with its answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def request_from(
    method: str, target: str, headers: Mapping[str, str], *, client: str, body: bytes = b""
) -> Request:
    """Parse a request target."""
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) if parts.query else {}
    return Request(method, target, parts.path, query, headers, client, body)


def json_answer(document: Any, status: int = 200) -> Answer:
    """A JSON answer as Discogs writes it."""
    return Answer(status=status, body=json.dumps(document, ensure_ascii=False).encode())


def message(status: int, text: str) -> Answer:
    """The first error shape: {"message"}."""
    return json_answer({"message": text}, status)


def detail(status: int, loc: list[str], text: str, kind: str) -> Answer:
    """The second error shape: {"detail": [{"loc", "msg", "type"}]}."""
    return json_answer({"detail": [{"loc": loc, "msg": text, "type": kind}]}, status)


def html(status: int, body: bytes) -> Answer:
    """A page that is not from the API: no rate headers."""
    return Answer(status=status, body=body, content_type="text/html; charset=UTF-8", rate_headers=False)


def cloudflare(status: int, text: str) -> Answer:
    """An outage page as the proxy before Discogs shows it."""
    word = text.encode()
    return html(status, CLOUDFLARE_PAGE % (word, word))
