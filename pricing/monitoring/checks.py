"""System checks: refuse to start with a configuration in which the engine would lose, repeat or stop its work."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, cast

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from collections_app.discogs.client import DEADLINE
from collections_app.discogs.gate import PATIENCE

BROKER = "pricing.sync.queue.OrderedBroker"
TASK_MARGIN = 3  # seconds django-q2 may need to notice and replace a worker that timed out
MAX_SAVED = 1000  # with 2000 stored tasks the queue slowed from hundreds a second to 34
MIN_CONN_MAX_AGE = 60  # seconds
MAX_TASK_SECONDS = PATIENCE + DEADLINE

Apps = Sequence[AppConfig] | None


@dataclass(frozen=True)
class Rule:
    """`problem` names the setting and what would happen, `fix` what to write instead."""

    id: str
    holds: bool
    problem: str
    fix: str


def _broken(rules: Iterable[Rule]) -> list[CheckMessage]:
    """An error for each rule that does not hold, or a warning if its id begins with W."""
    kinds: dict[str, type[Error] | type[Warning]] = {"E": Error, "W": Warning}
    return [
        kinds[rule.id[0]](rule.problem, hint=f"{rule.fix}.", id=f"crateworth.{rule.id}")
        for rule in rules
        if not rule.holds
    ]


def min_retry(*, workers: int, queue_limit: int, timeout: int) -> int:
    """The longest time in seconds until a dequeued row is done: all rows before it may time out."""
    return (ceil((queue_limit + 1) / workers) + 1) * (timeout + TASK_MARGIN)


def _queue() -> Mapping[str, Any]:
    return cast(Mapping[str, Any], settings.Q_CLUSTER)


@register("engine")
def check_delivery(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """A row must be delivered once: not again while its worker is still busy with the rows before it."""
    queue = _queue()
    workers, timeout, retry = queue.get("workers", 1), queue.get("timeout") or 0, queue.get("retry", 60)
    limit = queue.get("queue_limit", workers**2)
    minimum = min_retry(workers=workers, queue_limit=limit, timeout=timeout)
    return _broken(
        [
            Rule(
                "E001",
                timeout > 0 and retry > minimum,
                f"Q_CLUSTER['retry'] is {retry} with a Q_CLUSTER['timeout'] of {timeout or 'nothing'}: rows that "
                "wait in a worker would be delivered a second time.",
                f"Set a timeout, and write a retry above {minimum}",
            ),
            Rule(
                "E002",
                limit <= workers,
                f"Q_CLUSTER['queue_limit'] is {limit} with {workers} workers: rows would wait in the memory of a "
                "process, and be delivered again late if it dies.",
                f"Write {workers}, the number of workers",
            ),
        ]
    )


@register("engine")
def check_queue(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """Retries belong to the price jobs; the queue must deliver each row once and in order."""
    queue = _queue()
    bulk, tries, saved = queue.get("bulk", 1), queue.get("max_attempts", 0), queue.get("save_limit", 250)
    return _broken(
        [
            _queue_rule("E003", "bulk", bulk == 1, "a worker would hold rows it is not working on", "1"),
            _queue_rule(
                "E004", "max_attempts", tries == 1, "the queue would retry in addition to the price jobs", "1"
            ),
            _queue_rule(
                "E005",
                "ack_failures",
                queue.get("ack_failures") is True,
                "a row that fails would be delivered again for ever",
                "True",
            ),
            _queue_rule(
                "E006",
                "save_limit",
                saved != 0 and saved <= MAX_SAVED,  # 0 stores all
                "so many stored tasks slow the queue",
                f"a number from 1 to {MAX_SAVED}, such as 250",
            ),
            _queue_rule(
                "W001",
                "broker_class",
                queue.get("broker_class") == BROKER,
                "rows would leave the queue in any order",
                repr(BROKER),
            ),
        ]
    )


def _queue_rule(rule_id: str, name: str, holds: bool, why: str, right: str) -> Rule:
    value = _queue().get(name, "not set")
    return Rule(rule_id, holds, f"Q_CLUSTER['{name}'] is {value}: {why}.", f"Write {right}")


@register("engine")
def check_cache(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """The queue keeps its status in the cache, so processes must share it."""
    caches = cast(Mapping[str, Any], settings.CACHES)
    backend = str(caches["default"]["BACKEND"])
    return _broken(
        [
            Rule(
                "E007",
                not backend.endswith((".LocMemCache", ".DummyCache")),
                f"CACHES['default'] is {backend}: processes would not share it and could not see each other.",
                "Write 'django.core.cache.backends.db.DatabaseCache'",
            )
        ]
    )


@register("engine")
def check_database(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """Connections must outlive a poll of the queue, and SQLite must lock at the start of a transaction."""
    database: Mapping[str, Any] = settings.DATABASES["default"]
    options, age = database.get("OPTIONS", {}), database.get("CONN_MAX_AGE", 0)
    is_sqlite = database["ENGINE"].endswith(".sqlite3")
    return _broken(
        [
            Rule(
                "E008",
                not is_sqlite or str(options.get("transaction_mode")).upper() == "IMMEDIATE",
                "DATABASES['default']['OPTIONS']['transaction_mode'] is not IMMEDIATE: transactions that read "
                "before they write would fail with “database is locked”.",
                "Write 'IMMEDIATE'",
            ),
            Rule(
                "E009",
                age is None or age >= MIN_CONN_MAX_AGE,  # None keeps a connection for ever
                f"DATABASES['default']['CONN_MAX_AGE'] is {age}: workers would reconnect at every poll.",
                f"Write {MIN_CONN_MAX_AGE} or more seconds, such as 600",
            ),
            Rule(
                "E010",
                bool(database.get("CONN_HEALTH_CHECKS")),
                "DATABASES['default']['CONN_HEALTH_CHECKS'] is off: pages would fail after the database restarts.",
                "Write True",
            ),
            Rule(
                "E011",
                not options.get("pool"),
                "DATABASES['default']['OPTIONS']['pool'] is set: a pool breaks when a worker is forked.",
                "Leave it out",
            ),
        ]
    )


@register("engine")
def check_task_timeout(app_configs: Apps, **_: Any) -> list[CheckMessage]:
    """A task waits for its slot and then for the answer; it must not be killed before it has stored that.

    The second request, the identity check after a 401, is left out: it is rare, and a job whose task is killed
    during it is recovered when its lease lapses.
    """
    return _broken(
        [
            Rule(
                "E012",
                settings.PRICE_TASK_TIMEOUT > MAX_TASK_SECONDS,
                f"PRICE_TASK_TIMEOUT is {settings.PRICE_TASK_TIMEOUT}: a task may wait {PATIENCE:.0f} seconds for "
                f"the limit and {DEADLINE:.0f} for Discogs; it would be killed before it stores the price.",
                f"Write {MAX_TASK_SECONDS + 1:.0f} or more, such as 30",
            )
        ]
    )
