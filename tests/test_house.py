"""The map in docs/architecture.md names every folder and file of the code, and no folder has too many files."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ("config", "collections_app", "pricing")
NAMED_AS_A_GROUP = {"migrations", "commands"}
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


def files_by_folder() -> dict[str, int]:
    """The number of modules directly in each folder."""
    counts: dict[str, int] = {}
    for path in files_that_exist():
        folder = path.rpartition("/")[0]
        counts[folder] = counts.get(folder, 0) + 1
    return counts


def test_map_names_every_file_that_exists():
    assert sorted(files_that_exist() - files_on_the_map()) == []


def test_map_names_no_file_that_is_gone():
    assert sorted(files_on_the_map() - files_that_exist()) == []


def test_folder_has_at_most_14_files():
    assert {folder: n for folder, n in files_by_folder().items() if n > MAX_FILES} == {}


def test_pricing_has_few_top_level_modules():
    assert files_by_folder()["pricing"] <= MAX_FILES_IN_PRICING
