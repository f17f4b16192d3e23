"""The map in docs/architecture.md names every folder and file, no folder is too large, and no imports form a cycle."""

import re
from collections import Counter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("config", "collections_app", "pricing")
NAMED_AS_A_GROUP = {"migrations", "commands"}
ROOMS = (*APPS, "tests/collections_app")
MAX_FILES = 14
MAX_FILES_IN_PRICING = 6


def files_on_the_map() -> set[str]:
    """The paths that the first code block of docs/architecture.md names."""
    block = (ROOT / "docs/architecture.md").read_text().split("```")[1]
    paths, folder = set(), ""
    for line in block.splitlines():
        heading = re.match(r"([a-z_]+(?:/[a-z_]+)*)/(?:\s|$)", line)
        if heading:
            folder = heading[1]
            assert (ROOT / folder).is_dir(), f"no folder {folder}"
        elif names := re.match(r"  ([a-z_]+\.py(?: [a-z_]+\.py)*)(?:  |$)", line):
            paths |= {f"{folder}/{name}" for name in names[1].split()}
        else:
            assert not line.strip(), f"not a line of the map: {line}"
    return paths


def files_that_exist() -> set[str]:
    """The modules of the apps, except those that the map names as a group."""
    paths = [path.relative_to(ROOT) for app in APPS for path in (ROOT / app).rglob("*.py")]
    return {
        path.as_posix()
        for path in paths
        if path.name != "__init__.py" and not NAMED_AS_A_GROUP & set(path.parts)
    }


def files_by_folder() -> Counter[str]:
    """How many files each folder has of its own, __init__.py included; not those that the map names as a group."""
    paths = [path.relative_to(ROOT) for root in ROOMS for path in (ROOT / root).rglob("*.py")]
    return Counter(path.parent.as_posix() for path in paths if not NAMED_AS_A_GROUP & set(path.parts))


def imports_of_the_product() -> dict[str, set[str]]:
    """What each module imports directly, in functions and under TYPE_CHECKING too."""
    graph = grimp.build_graph(*APPS, exclude_type_checking_imports=False, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def reachable(imports: dict[str, set[str]], start: str) -> set[str]:
    """The modules that a module imports, directly or not. It is among them only if it is on a cycle."""
    found: set[str] = set()
    waiting = [*imports.get(start, ())]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += imports.get(module, ())
    return found


def cycles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one module."""
    reached = {module: reachable(imports, module) for module in imports}
    components = {
        frozenset(other for other in found if module in reached.get(other, ()))
        for module, found in reached.items()
    }
    return sorted(sorted(component) for component in components if len(component) > 1)


def test_map_names_every_file_that_exists():
    assert sorted(files_that_exist() - files_on_the_map()) == []


def test_map_names_no_file_that_is_gone():
    assert sorted(files_on_the_map() - files_that_exist()) == []


def test_folder_has_at_most_14_files():
    assert {folder: n for folder, n in files_by_folder().items() if n > MAX_FILES} == {}


def test_pricing_has_few_top_level_modules():
    assert files_by_folder()["pricing"] <= MAX_FILES_IN_PRICING


@pytest.mark.parametrize(
    ("imports", "found"),
    [
        ({}, []),
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}, []),  # two ways, no cycle
        ({"a": {"b"}, "b": {"a"}}, [["a", "b"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}, [["a", "b", "c"]]),  # d is not on it
        ({"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"c"}}, [["a", "b"], ["c", "d"]]),
        ({"a": {"b", "c"}, "b": {"a"}, "c": {"a"}}, [["a", "b", "c"]]),  # two cycles that share a module
        ({"a": {"outside"}}, []),
    ],
)
def test_cycles_finds_components(imports, found):
    assert cycles(imports) == found


def test_cycles_finds_a_planted_import():
    imports = imports_of_the_product()
    imports["collections_app.sandbox.state"] |= {"collections_app.sandbox.server"}
    planted = [
        "collections_app.sandbox.control",
        "collections_app.sandbox.server",
        "collections_app.sandbox.state",
    ]
    assert cycles(imports) == [planted]


def test_product_has_no_import_cycles():
    assert cycles(imports_of_the_product()) == []
