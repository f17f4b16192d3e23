"""The documentation names commands, targets and files that exist."""

import re
from pathlib import Path

import pytest
from django.core.management import BaseCommand, get_commands, load_command_class

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LONGEST_LINE = 120
OURS = ("collections_app", "pricing")


def code_in(document: Path) -> str:
    """The text in back quotes and code blocks; elsewhere, “make” is a verb."""
    return "\n".join(CODE.findall(document.read_text()))


def commands_in(document: Path) -> set[tuple[str, str]]:
    """The management commands a document calls, each with its arguments."""
    return set(re.findall(r"manage\.py ([a-z_]+)([^\n`|<;#]*)", code_in(document).replace("\\\n", " ")))


def slug(heading: str) -> str:
    """A heading as its anchor, the way GitHub makes them."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def name_of(document: Path) -> str:
    return document.name


documented = pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)


def test_all_documents_exist():
    names = {path.name for path in DOCUMENTS}
    expected = {"architecture", "configuration", "development", "discogs-terms", "glossary", "operations"}
    assert {"README.md", "price-job.md", *(f"{name}.md" for name in expected)} <= names


@documented
def test_every_documented_command_exists(document):
    for name, words in commands_in(document):
        assert name in get_commands(), f"manage.py {name}"
        command = load_command_class(get_commands()[name], name)
        known = command.create_parser("manage.py", name)._option_string_actions
        assert set(re.findall(r"--[a-z-]+", words)) <= set(known), f"manage.py {name}{words}"


@documented
def test_every_make_target_exists(document):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", code_in(document), re.MULTILINE))
    assert named <= targets


@documented
def test_every_python_module_named_exists(document):
    ours = re.findall(r"-m ((?:config|tests)(?:\.\w+)*)", code_in(document))
    for module in ours:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


@documented
def test_every_relative_link_resolves(document):
    text = CODE.sub("", document.read_text())
    links = re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"", text)
    for target in (first or second for first, second in links):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = (document.parent / file).resolve() if file else document
        assert linked.is_file(), f"{document.name} links to {target}"
        assert linked.is_relative_to(ROOT), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, f"{document.name} links to {target}"


@documented
def test_every_named_file_exists(document):
    paths = re.findall(
        r"`((?:config|collections_app|pricing|tests|docs|templates|static)/[\w/.-]*)`", document.read_text()
    )
    for path in paths:
        assert (ROOT / path).exists(), f"{document.name} names {path}"


@documented
def test_lines_are_short_enough_to_read(document):
    assert not [line for line in document.read_text().splitlines() if len(line) > LONGEST_LINE]


def test_every_own_command_is_described():
    text = (ROOT / "docs/operations.md").read_text()
    ours = {name for name, app in get_commands().items() if app in OURS}
    assert ours <= set(re.findall(r"^### ([a-z_]+)$", text, re.MULTILINE))


def test_every_sync_prices_option_is_described():
    text = (ROOT / "docs/operations.md").read_text().partition("### sync_prices")[2].partition("\n### ")[0]
    command = load_command_class("pricing", "sync_prices")
    common = BaseCommand().create_parser("", "")._option_string_actions
    own = set(command.create_parser("", "sync_prices")._option_string_actions) - set(common)
    assert own <= set(re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE))


@pytest.mark.parametrize("file", ["requirements.in", "requirements-dev.in"])
def test_every_dependency_has_a_reason(file):
    lines = [line.split("#")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    packages = {re.split(r"[<>=\[]", line)[0] for line in lines if line and not line.startswith("-")}
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    reasoned = {re.sub(r"\[.*", "", name.strip()) for row in rows for name in row.split(",")}
    assert packages <= reasoned


def test_every_price_job_state_is_explained():
    from pricing.models import PriceJob

    states = re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "docs/price-job.md").read_text(), re.MULTILINE)
    assert set(PriceJob.State.values) <= set(states)


def test_every_sandbox_fault_is_explained():
    from collections_app.sandbox.faults import script

    text = (ROOT / "docs/development.md").read_text()
    assert all(f"`{kind}`" in text for kind in script._OWN)


def test_every_oddity_of_the_sandbox_is_explained():
    from collections_app.sandbox.faults import odd

    text = (ROOT / "docs/development.md").read_text()
    assert all(f"`{name}`" in text for name in odd.ODDITIES)
