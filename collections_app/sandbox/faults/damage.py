"""The effect of a scripted fault on an answer."""

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from random import Random
from typing import Any
from urllib.parse import urlencode, urlsplit

from collections_app.sandbox.faults.odd import odd_rows
from collections_app.sandbox.http.answer import JSON, Answer, Request, cloudflare, html, request_from

_PAGE = b"<!DOCTYPE html><html><body><h1>We'll be back soon</h1></body></html>"
_MEGABYTE = 1_000_000


def damaged(kind: str, options: dict[str, Any], answer: Answer) -> Answer:
    """The real answer changed by a rule of this kind; a 500 that says why if the rule does not fit."""
    try:
        return _KINDS[kind](options, answer)
    except (LookupError, TypeError, ValueError) as error:
        text = f"sandbox: {kind} does not fit this answer: {type(error).__name__} {error}"
        return Answer(status=500, body=text.encode(), content_type="text/plain")


def asked_instead(kind: str, request: Request) -> Request:
    """The request to answer under a rule of this kind: for `repeat` the page before, else the same."""
    page = request.query.get("page", "")
    if kind != "repeat" or not page.isdecimal() or int(page) < 2:
        return request
    query = urlencode({**request.query, "page": int(page) - 1})
    target = urlsplit(request.target)._replace(query=query).geturl()
    return request_from(request.method, target, request.headers, client=request.client, body=request.body)


def _status(options: dict[str, Any], _answer: Answer) -> Answer:
    status = int(options["status"])
    return Answer(
        status=status,
        body=str(options.get("body", "")).encode(),
        content_type=options.get("content_type", JSON),
        headers={name: str(value) for name, value in options.get("headers", {}).items()},
        rate_headers=bool(options.get("rate_headers", status < 500)),
    )


def _slow(options: dict[str, Any], answer: Answer) -> Answer:
    seconds = options["seconds"]
    minimum, maximum = seconds if isinstance(seconds, list | tuple) else (seconds, seconds)
    return replace(answer, delay=Random().uniform(float(minimum), float(maximum)))


def _hang(options: dict[str, Any], answer: Answer) -> Answer:
    return replace(answer, manner="hang", delay=float(options["seconds"]))


def _drip(options: dict[str, Any], answer: Answer) -> Answer:
    chunk, interval = int(options.get("chunk", 1)), float(options.get("interval", 0.1))
    return replace(answer, manner="drip", drip_bytes=chunk, drip_interval=interval)


def _reset(_options: dict[str, Any], answer: Answer) -> Answer:
    return replace(answer, manner="reset")


def _cut(options: dict[str, Any], answer: Answer) -> Answer:
    return replace(answer, body=answer.body[: int(len(answer.body) * float(options.get("keep", 0.5)))])


def _html(options: dict[str, Any], _answer: Answer) -> Answer:
    return html(200, str(options["body"]).encode() if "body" in options else _PAGE)


def _forbidden_html(_options: dict[str, Any], _answer: Answer) -> Answer:
    return cloudflare(403, "Attention Required!")


def _empty(_options: dict[str, Any], answer: Answer) -> Answer:
    return replace(answer, status=200, body=b"")


def _body(options: dict[str, Any], _answer: Answer) -> Answer:
    return Answer(
        status=int(options.get("status", 200)),
        body=str(options["body"]).encode(),
        content_type=options.get("content_type", JSON),
    )


def _redirect(options: dict[str, Any], _answer: Answer) -> Answer:
    return Answer(status=int(options.get("status", 302)), headers={"Location": str(options["location"])})


def _big(options: dict[str, Any], _answer: Answer) -> Answer:
    size = int(float(options.get("megabytes", 20)) * _MEGABYTE)
    return Answer(body=b'{"padding": "' + b"x" * size + b'"}')


def _gzip_bomb(options: dict[str, Any], _answer: Answer) -> Answer:
    return Answer(body=_bomb(int(options.get("megabytes", 300))), headers={"Content-Encoding": "gzip"})


@lru_cache(maxsize=2)
def _bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    chunk = b"x" * _MEGABYTE
    parts = [packer.compress(b'{"padding": "'), *(packer.compress(chunk) for _ in range(megabytes))]
    return b"".join([*parts, packer.compress(b'"}'), packer.flush()])


def _mutate(options: dict[str, Any], answer: Answer) -> Answer:
    document = json.loads(answer.body)
    for pointer in options.get("remove", ()):
        document = _without(document, pointer)
    for pointer, value in options.get("set", {}).items():
        document = _with(document, pointer, value)
    raw = options.get("set_raw", {})
    for n, pointer in enumerate(raw):
        document = _with(document, pointer, f"@raw-{n}@")
    text = json.dumps(document, ensure_ascii=False)
    for n, value in enumerate(raw.values()):
        text = text.replace(f'"@raw-{n}@"', str(value))
    return replace(answer, body=text.encode())


def _with(document: Any, pointer: str, value: Any) -> Any:
    """The document with the value at a JSON pointer (RFC 6901); "" is the whole, "-" appends to a list."""
    if pointer == "":
        return value
    parent, key = _parent(document, pointer)
    if isinstance(parent, list) and key == "-":
        parent.append(value)
    elif isinstance(parent, list):
        parent[int(key)] = value
    else:
        parent[key] = value
    return document


def _without(document: Any, pointer: str) -> Any:
    parent, key = _parent(document, pointer)
    if isinstance(parent, list):
        del parent[int(key)]
    else:
        parent.pop(key, None)
    return document


def _parent(document: Any, pointer: str) -> tuple[Any, str]:
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.lstrip("/").split("/")]
    for part in way:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document, last


def _shrink(options: dict[str, Any], answer: Answer) -> Answer:
    found = _paged(answer)
    if found is None:
        return answer
    document, rows = found
    gone = min(int(options.get("rows", 1)), len(rows))
    del rows[len(rows) - gone :]
    if options.get("honest", False):
        document["pagination"]["items"] -= gone
    return replace(answer, body=json.dumps(document, ensure_ascii=False).encode())


def _items(options: dict[str, Any], answer: Answer) -> Answer:
    found = _paged(answer)
    if found is None:
        return answer
    document, _ = found
    document["pagination"] |= options
    return replace(answer, body=json.dumps(document, ensure_ascii=False).encode())


def _odd(options: dict[str, Any], answer: Answer) -> Answer:
    found = _paged(answer)
    if found is None:
        return answer
    document, rows = found
    rows[:] = odd_rows(rows, options["releases"])
    return replace(answer, body=json.dumps(document, ensure_ascii=False).encode())


def _paged(answer: Answer) -> tuple[dict[str, Any], list[Any]] | None:
    """The document of a page and its rows; None for an answer that has no pages."""
    document = json.loads(answer.body) if answer.status == 200 and answer.content_type == JSON else {}
    for name in ("releases", "wants"):
        if "pagination" in document and name in document:
            return document, document[name]
    return None


def _as_it_is(_options: dict[str, Any], answer: Answer) -> Answer:
    return answer


_KINDS: dict[str, Callable[[dict[str, Any], Answer], Answer]] = {
    "status": _status,
    "slow": _slow,
    "latency": _slow,
    "hang": _hang,
    "drip": _drip,
    "reset": _reset,
    "cut": _cut,
    "html": _html,
    "forbidden_html": _forbidden_html,
    "empty": _empty,
    "body": _body,
    "mutate": _mutate,
    "redirect": _redirect,
    "big": _big,
    "gzip_bomb": _gzip_bomb,
    "shrink": _shrink,
    "repeat": _as_it_is,  # see asked_instead
    "items": _items,
    "odd": _odd,
}
