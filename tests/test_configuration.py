"""Settings from the environment: the errors of wrong values, and documentation of every variable."""

import ast
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from config.environment import DISCOGS, LOOPBACK
from config.keys import add_missing_keys

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "config" / "settings.py"
# The functions of settings.py whose first argument is the name of a variable.
READERS = {
    "choice",
    "credential_keys",
    "database_address",
    "discogs_address",
    "entries",
    "flag",
    "header",
    "hosts",
    "mail_addresses",
    "mail_sender",
    "mail_server",
    "number",
    "origins",
    "required",
    "text",
}
# Used by tests only: named in the documentation, but not set by operators.
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
    return isinstance(function, ast.Attribute) and ast.unparse(function.value) == "os.environ"


def variables_documented(text: str = "") -> set[str]:
    """The names that have an entry in docs/configuration.md."""
    text = text or (ROOT / "docs/configuration.md").read_text()
    return set(re.findall(r"^- \*\*`([A-Z_]+)`\*\*: ", text, re.MULTILINE))


def test_parser_finds_variables_of_every_kind():
    assert {"DEBUG", "SECRET_KEY", "PORT", "ALLOWED_HOSTS", "DATABASE_URL", "ENV_FILE"} <= variables_read()
    assert {"DISCOGS_API_URL", "DISCOGS_USER_AGENT", "PRICE_QUEUE_SIZE", "LOG_LEVEL"} <= variables_read()


@pytest.mark.parametrize("name", sorted(variables_read()))
def test_docs_have_every_variable(name):
    assert name in variables_documented()


@pytest.mark.parametrize("name", sorted(variables_read() - ONLY_FOR_TESTS - {"ENV_FILE"}))
def test_example_file_has_every_variable(name):
    assert re.search(rf"^#? ?{name}=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_docs_name_no_unread_variable():
    text = (ROOT / "docs/configuration.md").read_text().partition("## Read elsewhere")[0]
    assert variables_documented(text) == variables_read()


# Starting with a given environment --------------------------------------------------------------------

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


def test_complete_environment_starts():
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
        (
            {"DISCOGS_API_URL": "http://127.0.0.1:8001", "DEBUG": "0"},
            "DISCOGS_API_URL",
            "with SANDBOX=1 or DEBUG=1 only",
        ),
        ({"SANDBOX": "1"}, "DISCOGS_API_URL", "leave SANDBOX out"),
        ({"SANDBOX": "1", "DEBUG": "0"}, "DISCOGS_API_URL", "leave SANDBOX out"),
        (
            {"SANDBOX": "1", "DISCOGS_API_URL": "http://127.0.0.1:8001"},
            "DISCOGS_WEB_URL",
            "such as http://127",
        ),
        (
            {"SANDBOX": "1", "DISCOGS_WEB_URL": "http://127.0.0.1:8001"},
            "DISCOGS_API_URL",
            "such as http://127",
        ),
        ({"SANDBOX": "1", "DISCOGS_API_URL": "http://evil.example"}, "DISCOGS_API_URL", "such as http://127"),
        ({"SANDBOX": "maybe"}, "SANDBOX", "Write 1 for yes or 0 for no"),
        ({"DATABASE_TIMEOUT": "0"}, "DATABASE_TIMEOUT", "Write a number from 1 to 60"),
        ({"DISCOGS_RATE_LIMIT": "0"}, "DISCOGS_RATE_LIMIT", "Write a number from 1 to 100000"),
        ({"DISCOGS_RATE_LIMIT": "1.5"}, "DISCOGS_RATE_LIMIT", "Write a whole number"),
        ({"DISCOGS_RATE_WINDOW": "nan"}, "DISCOGS_RATE_WINDOW", "Write a number from 0.1 to 3600"),
        ({"PRICE_WORKERS_MIN": "4", "PRICE_WORKERS_MAX": "2"}, "PRICE_WORKERS_MAX", "Write the same number"),
        ({"PRICE_TASK_TIMEOUT": "28"}, "PRICE_TASK_TIMEOUT", "Write a number from 29 to 600"),
        ({"PRICE_QUEUE_SIZE": "many"}, "PRICE_QUEUE_SIZE", "Write a whole number from 1 to 5000"),
        ({"EMAIL_URL": "u:hidden@host"}, "EMAIL_URL", "Write smtp+tls://"),
        ({"EMAIL_URL": "smtp://u:hidden@host:port"}, "EMAIL_URL", "Write smtp+tls://"),
        ({"ADMIN_EMAILS": "ann@example.org,ben"}, "ADMIN_EMAILS", "Write email addresses"),
        ({"HISTORY_DAYS": "-1"}, "HISTORY_DAYS", "Write a number from 0 to 36500"),
        ({"EMAIL_URL": "mail.example.org"}, "EMAIL_URL", "Write smtp+tls://"),
        ({"EMAIL_URL": "smtp://u:hidden@h:port"}, "EMAIL_URL", "Write smtp+tls://"),
        ({"ADMIN_EMAILS": "someone"}, "ADMIN_EMAILS", "Write email addresses"),
        ({"ADMIN_EMAILS": "ann@example.org;ben@example.org"}, "ADMIN_EMAILS", "Write email addresses"),
        ({"ADMIN_EMAILS": '["ann@example.org"]'}, "ADMIN_EMAILS", "Write email addresses"),
        ({"EMAIL_FROM": "Crateworth"}, "EMAIL_FROM", "Write an email address"),
        ({"EMAIL_FROM": "a@b.example\nBcc: c@d.example"}, "EMAIL_FROM", "Write an email address"),
        ({"DISCOGS_USER_AGENT": "Müll/1"}, "DISCOGS_USER_AGENT", "Write letters, digits and signs"),
        ({"DISCOGS_USER_AGENT": "A/1\nX: y"}, "DISCOGS_USER_AGENT", "Write letters, digits and signs"),
        ({"DISCOGS_CONSUMER_KEY": "hidden"}, "DISCOGS_CONSUMER_KEY", "Write both or none"),
        ({"DISCOGS_CONSUMER_SECRET": "hidden"}, "DISCOGS_CONSUMER_KEY", "Write both or none"),
        ({"HSTS_FOR": "everything"}, "HSTS_FOR", "Write host, subdomains or preload"),
        ({"ALLOWED_HOSTS": '["*"]'}, "ALLOWED_HOSTS", "Write host names separated by commas"),
        ({"ALLOWED_HOSTS": ","}, "ALLOWED_HOSTS", "Write host names separated by commas"),
        ({"ALLOWED_HOSTS": "a.example.org;b.example.org"}, "ALLOWED_HOSTS", "Write host names"),
        ({"TRUSTED_ORIGINS": "a.example.org"}, "TRUSTED_ORIGINS", "Write addresses"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL", "Write DEBUG, INFO, WARNING, ERROR or CRITICAL"),
    ],
    ids=str,
)
def test_wrong_value_stops_the_start(changed, names, advice):
    done = start(**changed)
    assert done.returncode != 0
    assert re.fullmatch(rf"Cannot start: {names}\b[^\n]*{re.escape(advice)}[^\n]*\n", done.stderr)
    assert "hidden" not in done.stderr


def test_loopback_is_accepted_with_debug():
    assert start(DISCOGS_API_URL="http://127.0.0.1:8001", DEBUG="1").returncode == 0


def test_sandbox_needs_no_debug():
    local = dict.fromkeys(("DISCOGS_API_URL", "DISCOGS_WEB_URL"), "http://127.0.0.1:8001")
    done = start(**local, SANDBOX="1", DEBUG="0")
    assert done.returncode == 0, done.stderr


# Where credentials are sent ------------------------------------------------------------------------

ODD_ADDRESSES = [
    "https://evil.example\\@api.discogs.com",
    "https://evil.example/@api.discogs.com",
    "https://evil.example#@api.discogs.com",
    "https://evil.example?@api.discogs.com",
    "https://user@api.discogs.com",
    "https://user:word@api.discogs.com",
    "https://@api.discogs.com",
    "https:/\\discogs.com",
    "https:\\\\discogs.com",
    "https:discogs.com",
    "https:/discogs.com",
    "https:///discogs.com",
    "//discogs.com",
    "discogs.com",
    "https://discogs.com.evil.example",
    "https://evildiscogs.com",
    "https://evil.example/.discogs.com",
    "https://.discogs.com",
    "https://-.discogs.com",
    "https://discogs.com.",
    "https://api。discogs。com",
    "https://api.discogs．com",
    "https://ａpi.discogs.com",
    "https://dıscogs.com",
    "https://diſcogs.com",
    "https://api.discogs.com:443",
    "https://api.discogs.com:",
    "https://api.discogs.com:80@evil.example",
    "https://api.discogs.com/v1",
    "https://api.discogs.com//",
    "https://api.discogs.com?a=1",
    "https://api.discogs.com#a",
    "https://api.discogs.com;a",
    "https://api.discogs.com%2eevil.example",
    "https://api.discogs.com\\.evil.example",
    "https://api\t.discogs.com",
    "https://api.dis\ncogs.com",
    "https://api.discogs.com\n",
    "\thttps://api.discogs.com",
    " https://api.discogs.com",
    "http://discogs.com",
    "ftp://discogs.com",
    "http://2130706433",
    "http://0x7f000001",
    "http://0x7f.1",
    "http://127.1",
    "http://127.0.0.01",
    "http://127.0.0.256",
    "http://127.evil.example",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.1:8001@evil.example",
    "http://127.0.0.1\\@evil.example",
    "http://localhost.evil.example",
    "http://localhost:8001/path",
    "http://localhost:",
    "http://localhost:1234567",
    "http://[::ffff:127.0.0.1]",
    "http://[::1%25lo]",
    "http://[::1].evil.example",
    "http://0.0.0.0",
    "http://[::]",
    "http://١٢٧.0.0.1",
]
GOOD_ADDRESSES = [
    ("https://api.discogs.com", "api.discogs.com", None),
    ("https://API.Discogs.COM/", "api.discogs.com", None),
    ("https://discogs.com", "discogs.com", None),
    ("https://a-b.c.discogs.com", "a-b.c.discogs.com", None),
    ("http://localhost:8001", "localhost", 8001),
    ("http://127.0.0.1:8001", "127.0.0.1", 8001),
    ("https://127.255.0.1", "127.255.0.1", None),
    ("http://[::1]:8001/", "[::1]", 8001),
]


def is_accepted(address: str) -> bool:
    return any(pattern.fullmatch(address) for pattern in (DISCOGS, LOOPBACK))


@pytest.mark.parametrize("address", ODD_ADDRESSES, ids=ascii)
def test_odd_discogs_address_is_refused(address):
    assert not is_accepted(address)


@pytest.mark.parametrize(("address", "host", "port"), GOOD_ADDRESSES)
def test_discogs_address_means_one_host_to_all(address, host, port):
    """requests, the urllib3 below it and Python's own parser read the same host."""
    assert is_accepted(address)
    sent = requests.Request("GET", f"{address.removesuffix('/')}/releases/1").prepare().url
    for url in (address, sent):
        assert (parse_url(url).host, parse_url(url).port) == (host, port)
        assert (urlsplit(url).hostname, urlsplit(url).port) == (host.strip("[]"), port)
        assert (parse_url(url).auth, urlsplit(url).username) == (None, None)


@given(
    st.text(alphabet="https:/\\@.?#%[]:discogm127xn0\t\n ", max_size=40),
    st.sampled_from(["", "https://", "http://127.0.0.1"]),
)
def test_accepted_address_is_discogs_or_local(text, start):
    address = f"{start}{text}"
    if is_accepted(address):
        host = str(parse_url(address).host)
        assert re.fullmatch(r"(.+\.)?discogs\.com|127\..*|localhost|\[::1\]", host)


def test_odd_address_stops_the_start():
    done = start(DISCOGS_API_URL="https://evil.example\\@api.discogs.com")
    assert done.returncode != 0
    assert "Write an https address" in done.stderr


# The keys of the first start ---------------------------------------------------------------------------


@pytest.fixture
def no_keys(monkeypatch):
    for name in ("SECRET_KEY", "CREDENTIAL_KEYS"):
        monkeypatch.delenv(name)


def lines_of(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)


@pytest.mark.usefixtures("no_keys")
def test_first_start_writes_private_keys(tmp_path):
    file = tmp_path / ".env"
    assert add_missing_keys(file) == ["SECRET_KEY", "CREDENTIAL_KEYS"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(lines_of(file)["SECRET_KEY"]) >= 50
    Fernet(lines_of(file)["CREDENTIAL_KEYS"])


@pytest.mark.usefixtures("no_keys")
def test_second_start_changes_nothing(tmp_path):
    file = tmp_path / ".env"
    add_missing_keys(file)
    before = file.read_bytes()
    assert add_missing_keys(file) == []
    assert file.read_bytes() == before


@pytest.mark.usefixtures("no_keys")
def test_only_missing_keys_are_added(tmp_path):
    file = tmp_path / ".env"
    file.write_text("# mine\nCREDENTIAL_KEYS=kept\nPORT=9000")  # no line end
    assert add_missing_keys(file) == ["SECRET_KEY"]
    assert file.read_text().startswith("# mine\nCREDENTIAL_KEYS=kept\nPORT=9000\nSECRET_KEY=")
    assert lines_of(file)["CREDENTIAL_KEYS"] == "kept"


def test_key_in_the_environment_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "from elsewhere")
    monkeypatch.setenv("CREDENTIAL_KEYS", "from elsewhere")
    assert add_missing_keys(tmp_path / ".env") == []
    assert not (tmp_path / ".env").exists()


@pytest.mark.usefixtures("no_keys")
def test_commented_key_does_not_count(tmp_path):
    file = tmp_path / ".env"
    file.write_text("# SECRET_KEY=an example\n")
    assert add_missing_keys(file) == ["SECRET_KEY", "CREDENTIAL_KEYS"]


@pytest.mark.usefixtures("no_keys")
@pytest.mark.parametrize("line", ["SECRET_KEY=", "export SECRET_KEY=kept"])
def test_manual_line_is_never_doubled(tmp_path, line):
    file = tmp_path / ".env"
    file.write_text(f"{line}\n")
    add_missing_keys(file)
    assert file.read_text().count("SECRET_KEY=") == 1


@pytest.mark.parametrize(("name", "value"), [("PRICE_WORKERS_MAX", "1"), ("PRICE_WORKERS_MIN", "16")])
def test_one_worker_bound_can_be_set_alone(name, value):
    done = start(**{name: value})
    assert done.returncode == 0, done.stderr
