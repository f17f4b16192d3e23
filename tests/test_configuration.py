"""Settings from the environment: what a wrong value says, and that the documentation names every variable."""

import ast
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config.keys import add_missing_keys

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "config" / "settings.py"
# The functions of settings.py whose first argument is the name of a variable.
READERS = {"number", "flag", "required", "discogs_address"}
# For the tests alone: named in the documentation, but nothing an operator sets.
ONLY_FOR_TESTS = {"TEST_DATABASE_FILE"}


def variables_read() -> set[str]:
    """The names that settings.py reads from the environment."""
    calls = (node for node in ast.walk(ast.parse(SETTINGS.read_text())) if isinstance(node, ast.Call))
    return {
        str(call.args[0].value)
        for call in calls
        if _reads_environment(call.func) and call.args and isinstance(call.args[0], ast.Constant)
    }


def _reads_environment(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in READERS
    return isinstance(function, ast.Attribute) and ast.unparse(function.value) in {"env", "os.environ"}


def variables_documented(text: str = "") -> set[str]:
    """The names that have an entry in docs/configuration.md."""
    text = text or (ROOT / "docs/configuration.md").read_text()
    return set(re.findall(r"^- \*\*`([A-Z_]+)`\*\*: ", text, re.MULTILINE))


def test_the_parser_finds_the_variables_of_every_kind():
    assert {"DEBUG", "SECRET_KEY", "PORT", "ALLOWED_HOSTS", "DATABASE_URL", "ENV_FILE"} <= variables_read()
    assert {"DISCOGS_API_URL", "DISCOGS_USER_AGENT", "PRICE_QUEUE_SIZE", "LOG_LEVEL"} <= variables_read()


@pytest.mark.parametrize("name", sorted(variables_read()))
def test_the_documentation_has_an_entry_for_every_variable(name):
    assert name in variables_documented()


@pytest.mark.parametrize("name", sorted(variables_read() - ONLY_FOR_TESTS - {"ENV_FILE"}))
def test_the_example_file_has_a_line_for_every_variable(name):
    assert re.search(rf"^#? ?{name}=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_the_documentation_names_no_variable_that_is_not_read():
    text = (ROOT / "docs/configuration.md").read_text().partition("## Read elsewhere")[0]
    assert variables_documented(text) == variables_read()


# A start with a given environment --------------------------------------------------------------------

GOOD = {
    "ENV_FILE": os.devnull,
    "DEBUG": "1",
    "SECRET_KEY": "long-enough-for-a-check-" * 3,
    "CREDENTIAL_KEYS": "Y3JhdGV3b3J0aC1rZXktZm9yLXRlc3RzLW9ubHktMzI=",
    "DATABASE_URL": "sqlite:////nonexistent/never-opened.sqlite3",
}


def start(**changed: str | None) -> "subprocess.CompletedProcess[str]":
    """`manage.py check` in an environment of its own; a value of None leaves the variable out."""
    wanted = {"PATH": os.environ["PATH"], **GOOD, **changed}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={name: value for name, value in wanted.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_complete_environment_starts():
    done = start()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("changed", "names", "advice"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY", "Write 50 or more random characters"),
        ({"SECRET_KEY": ""}, "SECRET_KEY", "Write 50 or more random characters"),
        ({"CREDENTIAL_KEYS": None}, "CREDENTIAL_KEYS", "Write one or more Fernet keys"),
        ({"CREDENTIAL_KEYS": "garbage"}, "Key 1 of CREDENTIAL_KEYS", "Write one or more Fernet keys"),
        ({"CREDENTIAL_KEYS": ","}, "CREDENTIAL_KEYS", "Write one or more Fernet keys"),
        (
            {"CREDENTIAL_KEYS": f"{GOOD['CREDENTIAL_KEYS']},ü"},
            "Key 2 of CREDENTIAL_KEYS",
            "Write one or more Fernet keys",
        ),
        ({"PORT": "abc"}, "PORT", "Write a whole number from 1 to 65535"),
        ({"PORT": "70000"}, "PORT", "Write a number from 1 to 65535"),
        ({"DEBUG": "maybe"}, "DEBUG", "Write 1 for yes or 0 for no"),
        ({"HTTPS": "perhaps"}, "HTTPS", "Write 1 for yes or 0 for no"),
        ({"DATABASE_URL": "mysql://u:hidden@h/db"}, "DATABASE_URL", "Write sqlite:////"),
        ({"DATABASE_URL": "somewhere"}, "DATABASE_URL", "Write sqlite:////"),
        ({"DATABASE_URL": "postgres://u:hidden@h:port/db"}, "DATABASE_URL", "Write sqlite:////"),
        ({"DISCOGS_API_URL": "http://evil.example"}, "DISCOGS_API_URL", "Write an https address"),
        ({"DISCOGS_API_URL": "http://api.discogs.com"}, "DISCOGS_API_URL", "Write an https address"),
        ({"DISCOGS_API_URL": "https://discogs.com.evil.example"}, "DISCOGS_API_URL", "Write an https"),
        ({"DISCOGS_API_URL": "https://[x"}, "DISCOGS_API_URL", "Write an https address"),
        ({"DISCOGS_WEB_URL": "https://api.discogs.com:x"}, "DISCOGS_WEB_URL", "Write an https address"),
        ({"DISCOGS_API_URL": "http://127.0.0.1:8001", "DEBUG": "0"}, "DISCOGS_API_URL", "with DEBUG=1 only"),
        ({"DISCOGS_RATE_LIMIT": "0"}, "DISCOGS_RATE_LIMIT", "Write a number from 1 to 100000"),
        ({"DISCOGS_RATE_LIMIT": "1.5"}, "DISCOGS_RATE_LIMIT", "Write a whole number"),
        ({"DISCOGS_RATE_WINDOW": "nan"}, "DISCOGS_RATE_WINDOW", "Write a number from 0.1 to 3600"),
        ({"PRICE_WORKERS_MIN": "4", "PRICE_WORKERS_MAX": "2"}, "PRICE_WORKERS_MAX", "Write the same number"),
        ({"PRICE_TASK_TIMEOUT": "28"}, "PRICE_TASK_TIMEOUT", "Write a number from 29 to 600"),
        ({"PRICE_QUEUE_SIZE": "many"}, "PRICE_QUEUE_SIZE", "Write a whole number from 1 to 5000"),
        ({"EMAIL_URL": "u:hidden@host"}, "EMAIL_URL", "Write smtp+tls://"),
        ({"EMAIL_URL": "smtp://u:hidden@host:port"}, "EMAIL_URL", "Write smtp+tls://"),
        ({"ADMIN_EMAILS": "ann@example.org,ben"}, "ADMIN_EMAILS", "Write mail addresses"),
        ({"HISTORY_DAYS": "-1"}, "HISTORY_DAYS", "Write a number from 0 to 36500"),
        ({"EMAIL_URL": "mail.example.org"}, "EMAIL_URL", "Write smtp+tls://"),
        ({"EMAIL_URL": "smtp://u:hidden@h:port"}, "EMAIL_URL", "Write smtp+tls://"),
        ({"ADMIN_EMAILS": "someone"}, "ADMIN_EMAILS", "Write mail addresses"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL", "Write DEBUG, INFO, WARNING, ERROR or CRITICAL"),
    ],
    ids=str,
)
def test_a_wrong_value_stops_the_start_and_says_what_to_write(changed, names, advice):
    done = start(**changed)
    assert done.returncode != 0
    assert re.fullmatch(rf"Cannot start: {names}\b[^\n]*{re.escape(advice)}[^\n]*\n", done.stderr)
    assert "hidden" not in done.stderr


def test_loopback_is_accepted_with_debug():
    assert start(DISCOGS_API_URL="http://127.0.0.1:8001", DEBUG="1").returncode == 0


# The keys of a first start ---------------------------------------------------------------------------


@pytest.fixture
def no_keys(monkeypatch):
    for name in ("SECRET_KEY", "CREDENTIAL_KEYS"):
        monkeypatch.delenv(name)


def lines_of(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)


@pytest.mark.usefixtures("no_keys")
def test_a_first_start_writes_both_keys_readable_by_the_owner_only(tmp_path):
    file = tmp_path / ".env"
    assert add_missing_keys(file) == ["SECRET_KEY", "CREDENTIAL_KEYS"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(lines_of(file)["SECRET_KEY"]) >= 50
    Fernet(lines_of(file)["CREDENTIAL_KEYS"])


@pytest.mark.usefixtures("no_keys")
def test_a_second_start_changes_nothing(tmp_path):
    file = tmp_path / ".env"
    add_missing_keys(file)
    before = file.read_bytes()
    assert add_missing_keys(file) == []
    assert file.read_bytes() == before


@pytest.mark.usefixtures("no_keys")
def test_only_what_is_missing_is_added_and_the_rest_stays(tmp_path):
    file = tmp_path / ".env"
    file.write_text("# mine\nCREDENTIAL_KEYS=kept\nPORT=9000")  # no line end
    assert add_missing_keys(file) == ["SECRET_KEY"]
    assert file.read_text().startswith("# mine\nCREDENTIAL_KEYS=kept\nPORT=9000\nSECRET_KEY=")
    assert lines_of(file)["CREDENTIAL_KEYS"] == "kept"


def test_a_key_of_the_environment_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "from elsewhere")
    monkeypatch.setenv("CREDENTIAL_KEYS", "from elsewhere")
    assert add_missing_keys(tmp_path / ".env") == []
    assert not (tmp_path / ".env").exists()


@pytest.mark.usefixtures("no_keys")
def test_a_key_that_is_commented_out_does_not_count(tmp_path):
    file = tmp_path / ".env"
    file.write_text("# SECRET_KEY=an example\n")
    assert add_missing_keys(file) == ["SECRET_KEY", "CREDENTIAL_KEYS"]


@pytest.mark.usefixtures("no_keys")
@pytest.mark.parametrize("line", ["SECRET_KEY=", "export SECRET_KEY=kept"])
def test_a_line_written_by_hand_is_never_doubled(tmp_path, line):
    file = tmp_path / ".env"
    file.write_text(f"{line}\n")
    add_missing_keys(file)
    assert file.read_text().count("SECRET_KEY=") == 1


@pytest.mark.parametrize(("name", "value"), [("PRICE_WORKERS_MAX", "1"), ("PRICE_WORKERS_MIN", "16")])
def test_one_bound_of_the_workers_may_be_set_alone(name, value):
    done = start(**{name: value})
    assert done.returncode == 0, done.stderr
