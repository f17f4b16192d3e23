"""Readers of settings: what people write, what it means, and what is refused with a sentence."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment

HOSTS = "ALLOWED_HOSTS"


def read_hosts(
    text: str, monkeypatch: pytest.MonkeyPatch, *, scheme: str = "http"
) -> tuple[list[str], list[str]]:
    monkeypatch.setenv(HOSTS, text)
    return environment.hosts(HOSTS, "localhost", scheme=scheme)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a.example.org, b.example.org", ["a.example.org", "b.example.org"]),
        (" a.example.org ,, b.example.org,", ["a.example.org", "b.example.org"]),
        ("https://a.example.org", ["a.example.org"]),
        ("https://a.example.org/", ["a.example.org"]),
        ("HTTP://A.Example.org", ["a.example.org"]),
        ("a.example.org:8000", ["a.example.org"]),
        ("a.example.org,a.example.org:8000", ["a.example.org"]),
        (".example.org", [".example.org"]),
        ("192.0.2.1:8000", ["192.0.2.1"]),
        ("[::1]", ["[::1]"]),
        ("::1", ["[::1]"]),
        ("[2001:DB8::1]:8000", ["[2001:db8::1]"]),
        ("https://[::1]:8443", ["[::1]"]),
        ("bücher.example", ["xn--bcher-kva.example"]),
        ("nas", ["nas"]),
        ("*", ["*"]),
        ("", ["localhost"]),
    ],
)
def test_hosts_reads_what_people_write(text, names, monkeypatch):
    assert read_hosts(text, monkeypatch)[0] == names


@pytest.mark.parametrize(
    "text",
    [
        '["*"]',
        "['a.example.org']",
        '"a.example.org"',
        "a.example.org;b.example.org",
        "a.example.org b.example.org",
        "a.example.org\nb.example.org",
        "*.example.org",
        "a.example.org,*",
        "https://a.example.org/crates",
        "https://user@a.example.org",
        "ftp://a.example.org",
        "https//a.example.org",
        "a.example.org:port",
        "a.example.org:0",
        "a.example.org:65536",
        "a_b.example.org",
        "a..example.org",
        "fe80::1%eth0",
        "[::1",
        ",",
    ],
)
def test_hosts_refuses_the_rest(text, monkeypatch):
    with pytest.raises(ImproperlyConfigured, match=r"^ALLOWED_HOSTS (has|holds) .* Write host names"):
        read_hosts(text, monkeypatch)


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("a.example.org", []),
        ("https://a.example.org:8443", ["https://a.example.org:8443"]),
        ("https://a.example.org:443", ["https://a.example.org"]),
        ("a.example.org:8000", ["http://a.example.org:8000"]),
        ("http://a.example.org:80", ["http://a.example.org"]),
        ("https://.example.org:8443", ["https://*.example.org:8443"]),
        ("[::1]:8000", ["http://[::1]:8000"]),
        ("*", []),
    ],
)
def test_hosts_keeps_ports_as_origins(text, origins, monkeypatch):
    assert read_hosts(text, monkeypatch)[1] == origins


def test_hosts_port_follows_the_scheme(monkeypatch):
    assert read_hosts("a.example.org:8443", monkeypatch, scheme="https")[1] == ["https://a.example.org:8443"]


@pytest.mark.parametrize(
    "text", ["a.example.org", "ftp://a.example.org", "https://a.example.org/x", "https://"]
)
def test_origins_need_a_scheme_and_no_path(text, monkeypatch):
    monkeypatch.setenv("TRUSTED_ORIGINS", text)
    with pytest.raises(ImproperlyConfigured, match="Write addresses separated by commas"):
        environment.origins("TRUSTED_ORIGINS")


# Addresses with a password --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("p%23q", "p#q"),
        ("p#q", "p#q"),
        ("12#q", "12#q"),
        ("p%40q", "p@q"),
        ("p@q", "p@q"),
        ("p%3Fq", "p?q"),
        ("p%2Fq", "p/q"),
        ("p:q", "p:q"),
        ("p%25q", "p%q"),
        ("p+q", "p+q"),
        ("$p", "$p"),
        ("p%C3%A4", "pä"),
    ],
)
def test_database_password_is_read_as_it_is_meant(written, meant, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"postgres://user:{written}@host:5432/name")
    read = environment.database_address("DATABASE_URL", "")
    names = ("USER", "PASSWORD", "HOST", "PORT", "NAME")
    assert [read[name] for name in names] == ["user", meant, "host", 5432, "name"]


@pytest.mark.parametrize(
    "address",
    [
        "postgres://u:hidden?x@h/db",
        "postgres://u:12?hidden@h/db",
        "postgres://u:hidden/x@h/db",
        "postgres://u:12/hidden@h/db",
        "postgres://u:12#x/hidden@h/db",
        "postgres://u:hidden@h",
        "postgres://u:hidden@h/",
        "postgres://u:hidden@h:99999/db",
        "POSTGRES://u:hidden@h/db",
        "sqlite:///",
        "sqlite:////",
        "sqlite:////srv/",
        "sqlite:////srv/a#b.sqlite3",
        "sqlite:////srv/a.sqlite3 # a comment",
        "sqlite:////srv/a?b.sqlite3",
        "sqlite:////srv/a+b.sqlite3",
    ],
)
def test_address_of_another_database_is_refused(address, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", address)
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL .*Write sqlite:.*# as %23") as refused:
        environment.database_address("DATABASE_URL", "")
    assert "hidden" not in str(refused.value)


def test_unknown_database_option_is_refused(monkeypatch):
    """Otherwise the site would start, and each page would fail."""
    monkeypatch.setenv("DATABASE_URL", "postgres://u:hidden@h/db?sslmod=require&connect_timeout=5")
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL .*'sslmod'.*Write options") as refused:
        environment.database_address("DATABASE_URL", "")
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "host", "name"),
    [
        ("postgres://u@%2Frun%2Fpostgresql/db", "/run/postgresql", "db"),
        ("postgres:////run/postgresql/db", "/run/postgresql", "db"),
        ("postgres://[::1]/db?sslmode=require&application_name=a@b", "::1", "db"),
        ("sqlite:////srv/c%2B%2B/a%20b%23.sqlite3", "", "/srv/c++/a b#.sqlite3"),
        ("sqlite:///crates.sqlite3", "", "crates.sqlite3"),
    ],
)
def test_database_address_keeps_host_and_name(address, host, name, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", address)
    read = environment.database_address("DATABASE_URL", "")
    assert (read["HOST"], read["NAME"]) == (host, name)


@pytest.mark.parametrize(
    ("written", "meant"), [("p%23q", "p#q"), ("p@q", "p@q"), ("p%2Fq", "p/q"), ("p+q", "p+q"), ("$p", "$p")]
)
def test_mail_password_is_read_as_it_is_meant(written, meant, monkeypatch):
    monkeypatch.setenv("EMAIL_URL", f"smtp+tls://ann@example.org:{written}@host:587")
    read = environment.mail_server("EMAIL_URL")
    names = ("HOST_USER", "HOST_PASSWORD", "HOST", "PORT", "USE_TLS")
    assert [read[f"EMAIL_{name}"] for name in names] == ["ann@example.org", meant, "host", 587, True]


@pytest.mark.parametrize(
    "address",
    [
        "smtp://u:12#hidden@h:25",
        "smtp://u:12?hidden@h:25",
        "smtp://u:12/hidden@h:25",
        "smtp+tls://u:hidden#x@h:587",
        "smtp+tls://u:hidden@",
        "smtp+tls://u:hidden@:587",
        "smtp+tls:u:hidden@h",
        "smtp+tls://u:hidden@h:99999",
        "smtp+tls://u:hidden@h:587?timeout=5",
        "smtp://",
        "mail://u:hidden@h",
    ],
)
def test_address_of_another_server_is_refused(address, monkeypatch):
    monkeypatch.setenv("EMAIL_URL", address)
    with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_URL .*Write smtp\+tls://.*# as %23") as refused:
        environment.mail_server("EMAIL_URL")
    assert "hidden" not in str(refused.value)


# The file -------------------------------------------------------------------------------------------


@pytest.fixture
def unset(monkeypatch) -> None:
    """A variable that is not set, and is not after the test either."""
    monkeypatch.setenv("A_SECRET", "")
    monkeypatch.delenv("A_SECRET")


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("secret", ["$HOME", "$", "$$x", "\\$x", "a=b", "#x", "'x", 'x"', "x y", "ü"])
@pytest.mark.parametrize("source", ["environment", "file"])
def test_text_is_taken_literally(secret, source, monkeypatch, tmp_path):
    if source == "environment":
        monkeypatch.setenv("A_SECRET", secret)
    else:
        file = tmp_path / "env"
        file.write_text(f"A_SECRET={secret}\n", encoding="utf-8")
        environment.read_file(file)
    assert environment.text("A_SECRET") == secret


@pytest.mark.parametrize("line", ["A SECRET=x", "A_SECRET = x", "A_SECRET: x", "A_SECRET", "set A_SECRET=x"])
def test_file_names_the_line_it_refuses(line, tmp_path):
    file = tmp_path / "env"
    file.write_text(f"# a comment\n\n{line}\n")
    with pytest.raises(ImproperlyConfigured, match=r"^Line 3 of .*Write NAME=value") as refused:
        environment.read_file(file)
    assert line not in str(refused.value)


def test_file_in_another_encoding_is_refused(tmp_path):
    file = tmp_path / "env"
    file.write_bytes("A=ü".encode("latin-1"))
    with pytest.raises(ImproperlyConfigured, match="Save it as UTF-8"):
        environment.read_file(file)


@pytest.mark.usefixtures("unset")
def test_file_may_begin_with_a_byte_order_mark(tmp_path):
    file = tmp_path / "env"
    file.write_text("A_SECRET=x\r\n", encoding="utf-8-sig")
    environment.read_file(file)
    assert environment.text("A_SECRET") == "x"


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize(
    "line",
    [
        "A_SECRET=x",
        "export A_SECRET=x",
        '"x"',
        "'x'",
        "  A_SECRET=x",
        "A_SECRET=x  ",
        'A_SECRET="x" ',
        "A_SECRET= x",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_file_is_read_as_people_write_it(line, end, tmp_path):
    file = tmp_path / "env"
    line = line if "A_SECRET" in line else f"A_SECRET={line}"
    file.write_bytes(f"  # a comment{end}{line}{end}{end}".encode())
    environment.read_file(file)
    assert environment.text("A_SECRET") == "x"


def test_file_with_a_nul_is_refused(tmp_path):
    file = tmp_path / "env"
    file.write_bytes(b"A=x\0y\n")
    with pytest.raises(ImproperlyConfigured, match="Line 1 of"):
        environment.read_file(file)


def test_file_may_be_missing(tmp_path):
    environment.read_file(tmp_path / "none")
