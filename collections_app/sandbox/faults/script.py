"""Scripted faults: which request is hit, and what it gets instead of its answer.

A rule is a JSON object: `path` and `kind`, optionally `times` (hit so many requests), `after` (let so many matching
requests pass first), `for_seconds` (counted from the first hit), `share` (hit this share of requests, seeded), and the
fields of its kind:

    status          status, body "", headers {}, content_type, rate_headers (default: below 500)
    slow            seconds: the real answer, that much later
    latency         seconds, or [minimum, maximum]: the same, in place of the sandbox's base latency
    hang            seconds: no answer at all, then the connection ends
    drip            chunk 1 (bytes), interval 0.1 (seconds): the real answer, in small pieces
    reset           the real answer, reset in mid-body
    cut             keep 0.5: the real answer, cut off, with a Content-Length that agrees
    html            body: 200 with a page            forbidden_html  403 with a page
    empty           200 with nothing
    body            body, status 200, content_type: any raw text
    mutate          set {pointer: value}, set_raw {pointer: JSON text, such as 1e400}, remove [pointer]
    redirect        location, status 302
    big             megabytes                        gzip_bomb       megabytes (decoded)

Wrong pages of a collection or a wantlist; any other answer passes unchanged:

    shrink          rows 1: so many rows are missing from its end; honest false: whether pagination.items is lowered too
    repeat          the page before in its place; page 1 repeats itself
    items           items, pages: these numbers in the pagination
    odd             releases {"12": "null_title"}: these releases' rows made odd, as ODDITIES in faults/odd.py has it

`path` is a prefix of "/path?query", or a regular expression when it begins with "^". The first rule that matches and is
not used up applies; the others do not count that request.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import Any

_SHARED = frozenset({"path", "kind", "times", "after", "for_seconds", "share"})
_OWN: dict[str, frozenset[str]] = {
    "status": frozenset({"status", "body", "headers", "content_type", "rate_headers"}),
    "slow": frozenset({"seconds"}),
    "latency": frozenset({"seconds"}),
    "hang": frozenset({"seconds"}),
    "drip": frozenset({"chunk", "interval"}),
    "reset": frozenset(),
    "cut": frozenset({"keep"}),
    "html": frozenset({"body"}),
    "forbidden_html": frozenset(),
    "empty": frozenset(),
    "body": frozenset({"body", "status", "content_type"}),
    "mutate": frozenset({"set", "set_raw", "remove"}),
    "redirect": frozenset({"location", "status"}),
    "big": frozenset({"megabytes"}),
    "gzip_bomb": frozenset({"megabytes"}),
    "shrink": frozenset({"rows", "honest"}),
    "repeat": frozenset(),
    "items": frozenset({"items", "pages"}),
    "odd": frozenset({"releases"}),
}
_REQUIRED = {
    "status": {"status"},
    "slow": {"seconds"},
    "latency": {"seconds"},
    "hang": {"seconds"},
    "body": {"body"},
    "redirect": {"location"},
    "odd": {"releases"},
}


@dataclass(slots=True)
class Rule:
    """One rule and its counters; `options` are the fields of its kind."""

    path: str
    kind: str
    times: int | None = None
    after: int = 0
    for_seconds: float | None = None
    share: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    matched: int = 0
    struck: int = 0
    first_struck_at: float | None = None

    def fits(self, target: str) -> bool:
        """Whether the rule matches this request."""
        return (
            bool(re.search(self.path, target)) if self.path.startswith("^") else target.startswith(self.path)
        )

    def used_up(self, now: float) -> bool:
        """Whether it will never apply again."""
        if self.times is not None and self.struck >= self.times:
            return True
        begun = self.first_struck_at
        return self.for_seconds is not None and begun is not None and now >= begun + self.for_seconds

    def as_json(self) -> dict[str, Any]:
        """The rule with its counters."""
        shared = {
            name: getattr(self, name) for name in ("path", "kind", "times", "after", "for_seconds", "share")
        }
        return {**shared, **self.options, "matched": self.matched, "struck": self.struck}


def rule_from(document: dict[str, Any]) -> Rule:
    """A rule from its JSON object; ValueError if a field is missing or unknown."""
    kind = document.get("kind")
    if kind not in _OWN or not isinstance(document.get("path"), str):
        raise ValueError("a rule needs a path and a known kind")
    unknown = set(document) - _SHARED - _OWN[kind]
    missing = _REQUIRED.get(kind, set()) - set(document)
    if unknown or missing:
        raise ValueError(f"{kind}: unknown {sorted(unknown)}, missing {sorted(missing)}")
    options = {name: value for name, value in document.items() if name not in _SHARED}
    return Rule(**{name: document[name] for name in _SHARED if name in document}, options=options)


class Script:
    """The rules in force, in the order they were added. Safe for threads."""

    def __init__(self, *, seed: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seed = seed
        self._clock = clock
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Drop every rule."""
        with self._lock:
            self._rules: list[Rule] = []
            self._rng = Random(self._seed)

    def add(self, document: dict[str, Any]) -> None:
        """Add a rule; ValueError if it is malformed."""
        rule = rule_from(document)
        with self._lock:
            self._rules.append(rule)

    def as_json(self) -> list[dict[str, Any]]:
        """All rules with their counters."""
        with self._lock:
            return [rule.as_json() for rule in self._rules]

    def strike(self, target: str) -> Rule | None:
        """The rule that applies to this request, counted; None if none does."""
        if not self._rules:
            return None
        with self._lock:
            now = self._clock()
            for rule in self._rules:
                if not rule.fits(target) or rule.used_up(now):
                    continue
                rule.matched += 1
                if rule.matched > rule.after and self._rng.random() < rule.share:
                    rule.struck += 1
                    rule.first_struck_at = rule.first_struck_at or now
                    return rule
        return None
