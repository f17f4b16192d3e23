"""Scripted faults of the sandbox Discogs: when a rule strikes."""

from typing import Any

import pytest

from collections_app.sandbox.faults.script import Script


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def strikes(script: Script, target: str, count: int) -> list[bool]:
    return [script.strike(target) is not None for _ in range(count)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, [True] * 5),
        ({"times": 2}, [True, True, False, False, False]),
        ({"after": 3}, [False, False, False, True, True]),
        ({"after": 1, "times": 1}, [False, True, False, False, False]),
        ({"share": 0.0}, [False] * 5),
    ],
)
def test_rules_apply_as_often_as_set(rule: dict[str, Any], expected: list[bool]) -> None:
    script = Script(seed=1)
    script.add({"path": "/releases/", "kind": "empty", **rule})

    assert strikes(script, "/releases/7", 5) == expected


def test_lasting_fault_ends_after_its_seconds() -> None:
    clock = Clock()
    script = Script(seed=1, clock=clock)
    script.add({"path": "/", "kind": "empty", "for_seconds": 10})
    clock.now += 100
    assert strikes(script, "/x", 1) == [True]
    clock.now += 9.9
    assert strikes(script, "/x", 1) == [True]
    clock.now += 0.2
    assert strikes(script, "/x", 1) == [False]


def test_paths_are_prefixes_or_patterns() -> None:
    script = Script(seed=1)
    script.add({"path": "/releases/7", "kind": "empty"})
    script.add({"path": r"^/users/[^/]+/collection/.*[?&]page=2(&|$)", "kind": "html"})
    kinds = {
        target: rule.kind if (rule := script.strike(target)) else None
        for target in (
            "/releases/7?curr_abbr=USD",
            "/releases/8",
            "/users/a/collection/x?page=2",
            "/users/a?page=2",
        )
    }

    assert list(kinds.values()) == ["empty", None, "html", None]


def test_next_rule_follows_a_used_up_one() -> None:
    script = Script(seed=1)
    script.add({"path": "/", "kind": "empty", "times": 1})
    script.add({"path": "/", "kind": "html", "times": 1})
    kinds = [rule.kind if (rule := script.strike("/x")) else None for _ in range(3)]

    assert kinds == ["empty", "html", None]
    assert [rule["struck"] for rule in script.as_json()] == [1, 1]


def test_rule_share_is_seeded() -> None:
    runs = []
    for _ in range(2):
        script = Script(seed=4)
        script.add({"path": "/", "kind": "empty", "share": 0.5})
        runs.append(strikes(script, "/x", 40))

    assert runs[0] == runs[1]
    assert 5 < sum(runs[0]) < 35


@pytest.mark.parametrize(
    "rule",
    [
        {"path": "/"},
        {"path": "/", "kind": "earthquake"},
        {"kind": "empty"},
        {"path": "/", "kind": "status"},
        {"path": "/", "kind": "hang"},
        {"path": "/", "kind": "empty", "sorry": True},
    ],
)
def test_malformed_rules_are_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"a rule needs|unknown"):
        Script(seed=1).add(rule)
