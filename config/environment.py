"""Read settings from the environment. Each reader refuses a wrong value with a sentence that says what to write.

Values are taken literally: a secret may begin with `$` or hold a quotation mark.
"""

import os
import re
from email.utils import parseaddr
from io import StringIO
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from psycopg import pq

Number = TypeVar("Number", int, float)

_LINE = re.compile(r"(export )?[A-Za-z_0-9]+=[^\0]*")


def read_file(file: str | Path) -> None:
    """Add the variables of a .env file to the environment, which wins over the file. A missing file is an empty one.

    Raises ImproperlyConfigured with the number of a line that is not `NAME=value`; the line may hold a secret.
    """
    path = Path(file)
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(
            f"{path} cannot be read ({type(error).__name__}). Save it as UTF-8, readable by this user."
        ) from None
    for number, line in enumerate(lines, start=1):
        if line and not line.startswith("#") and not _LINE.fullmatch(line):
            raise ImproperlyConfigured(
                f"Line {number} of {path} is not understood. Write NAME=value, without spaces around the =."
            )
    environ.Env.read_env(StringIO("\n".join(lines)))


def text(name: str, default: str = "") -> str:
    """The value of a variable as it is written, without spaces around it; the default if it is missing or empty."""
    return os.environ.get(name, "").strip() or default


def required(name: str, how: str) -> str:
    """The value of a variable that has no default.

    Raises ImproperlyConfigured with `how` when it is missing or empty.
    """
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {how}")
    return value


def number(name: str, default: Number, *, minimum: float, maximum: float) -> Number:
    """A number from the environment, of the default's type and within [minimum, maximum]."""
    written = text(name, str(default))
    try:
        value = type(default)(written)
    except ValueError:
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise ImproperlyConfigured(
            f"{name} is {written!r}. Write {kind} from {minimum} to {maximum}."
        ) from None
    if not minimum <= value <= maximum:
        raise ImproperlyConfigured(f"{name} is {written}. Write a number from {minimum} to {maximum}.")
    return value


def flag(name: str, default: bool) -> bool:
    written = text(name, "1" if default else "0").lower()
    if written not in {"0", "1", "true", "false", "yes", "no", "on", "off"}:
        raise ImproperlyConfigured(f"{name} is {written!r}. Write 1 for yes or 0 for no.")
    return written in {"1", "true", "yes", "on"}


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """One of a few words, in upper or lower case; returns it as it stands in `choices`."""
    written = text(name, default)
    found = {word.lower(): word for word in choices}.get(written.lower())
    if found is None:
        raise ImproperlyConfigured(
            f"{name} is {written!r}. Write {', '.join(choices[:-1])} or {choices[-1]}."
        )
    return found


def entries(name: str, default: str = "") -> list[str]:
    """The entries of a list, separated by commas, without spaces around them; empty ones are left out."""
    return [entry.strip() for entry in text(name, default).split(",") if entry.strip()]


# Hosts and origins ----------------------------------------------------------------------------------

_ADDRESS = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\.?[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?/?",
    re.IGNORECASE | re.ASCII,
)
_USUAL_PORTS = {"http": "80", "https": "443"}
_HOSTS_HOW = "Write host names separated by commas, such as crates.example.org,192.0.2.1."
_ORIGINS_HOW = "Write addresses separated by commas, such as https://crates.example.org:8443."


def hosts(name: str, default: str, *, scheme: str) -> tuple[list[str], list[str]]:
    """The host names of a list, and the origins of those entries that were written with a scheme or a port.

    Django compares names without either, so these only say where forms may come from.
    scheme: of an entry that was written with a port alone.
    """
    found = entries(name, default)
    if not found:
        raise ImproperlyConfigured(f"{name} holds no host name, so every page would be refused. {_HOSTS_HOW}")
    if found == ["*"]:
        return found, []
    parts = [_address(name, entry, _HOSTS_HOW) for entry in found]
    names = dict.fromkeys(part["host"].lower() for part in parts)
    return list(names), [_origin(part, scheme) for part in parts if part["scheme"] or part["port"]]


def origins(name: str) -> list[str]:
    """The origins of a list: scheme, host and, unless it is the scheme's usual one, port."""
    parts = [_address(name, entry, _ORIGINS_HOW) for entry in entries(name)]
    for part in parts:
        if not part["scheme"]:
            raise ImproperlyConfigured(
                f"{name} has {part.string!r} in it, which does not begin with https://. {_ORIGINS_HOW}"
            )
    return [_origin(part, part["scheme"]) for part in parts]


def _address(name: str, entry: str, how: str) -> "re.Match[str]":
    found = _ADDRESS.fullmatch(f"[{entry}]" if _is_ipv6(entry) else _in_ascii(entry))
    if found is None or int(found["port"] or 1) not in range(1, 65536):
        raise ImproperlyConfigured(f"{name} has {entry!r} in it. {how}")
    return found


def _is_ipv6(entry: str) -> bool:
    try:
        return IPv6Address(entry).scope_id is None
    except ValueError:
        return False


def _in_ascii(entry: str) -> str:
    """A name in another script as browsers send it: b\u00fccher.example is xn--bcher-kva.example."""
    try:
        return entry if entry.isascii() else entry.encode("idna").decode("ascii")
    except UnicodeError:
        return entry


def _origin(part: "re.Match[str]", scheme: str) -> str:
    scheme = (part["scheme"] or scheme).lower()
    host = re.sub(r"^\.", "*.", part["host"].lower())
    port = part["port"] if part["port"] != _USUAL_PORTS[scheme] else None
    return f"{scheme}://{host}" + (f":{port}" if port else "")


# One expression matches the whole address, because URL parsers disagree about odd ones: with a backslash or an @ in it,
# this check and the request could see different hosts.
DISCOGS = re.compile(
    r"https://(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*discogs\.com/?", re.IGNORECASE | re.ASCII
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
LOOPBACK = re.compile(
    rf"https?://(?:localhost|127(?:\.{_OCTET}){{3}}|\[::1\])(?::\d{{1,5}})?/?", re.IGNORECASE | re.ASCII
)


def discogs_address(name: str, default: str, *, debug: bool, sandbox: bool) -> str:
    """A base address of Discogs, without its trailing slash: https to discogs.com, or loopback.

    Credentials travel to this host, so a typing error must not send them elsewhere. Loopback is for a sandbox, with
    DEBUG=1 or SANDBOX=1; with SANDBOX=1 nothing else is accepted, so that a demo never reaches the real Discogs.
    """
    address = os.environ.get(name) or default  # not even a space around it is understood
    is_local = LOOPBACK.fullmatch(address) is not None
    if sandbox and not is_local:
        raise ImproperlyConfigured(
            f"{name} is {address!r}, and SANDBOX=1 is for a sandbox on this machine only. Write its address, such as "
            "http://127.0.0.1:8001, or leave SANDBOX out."
        )
    if is_local and not (debug or sandbox):
        raise ImproperlyConfigured(
            f"{name} is {address}, an address of this machine. It is accepted with SANDBOX=1 or DEBUG=1 only."
        )
    if not (is_local or DISCOGS.fullmatch(address)):
        raise ImproperlyConfigured(
            f"{name} is {address!r}. Write an https address of discogs.com, such as {default}."
        )
    return address.removesuffix("/").lower()


def header(name: str, default: str) -> str:
    """A text that is sent as a header: printable ASCII."""
    value = text(name, default)
    if not (value.isascii() and value.isprintable()):
        raise ImproperlyConfigured(
            f"{name} is {value!r}. Write letters, digits and signs of ASCII, in one line."
        )
    return value


# Keys, mail and database ----------------------------------------------------------------------------


def credential_keys(name: str) -> list[str]:
    how = (
        "Write one or more Fernet keys, newest first, separated by commas; `python -m config.keys` makes one."
    )
    required(name, how)
    keys = entries(name)
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(f"Key {position} of {name} is not a Fernet key. {how}") from None
    if not keys:
        raise ImproperlyConfigured(f"{name} holds no key. {how}")
    return keys


_MAIL_ADDRESS = re.compile(r"[^\s@,;<>\[\]\"']+@[^\s@,;<>\[\]\"']+")


def mail_addresses(name: str) -> list[str]:
    found = entries(name)
    for entry in found:
        if not _MAIL_ADDRESS.fullmatch(entry):
            raise ImproperlyConfigured(
                f"{name} has {entry!r} in it. Write email addresses, separated by commas."
            )
    return found


def mail_sender(name: str, default: str) -> str:
    """An address, alone or as `Name <address>`."""
    value = text(name, default)
    if not (value.isprintable() and _MAIL_ADDRESS.fullmatch(parseaddr(value)[1])):
        raise ImproperlyConfigured(f"{name} is {value!r}. Write an email address, such as {default}.")
    return value


# In a password, a `/`, `?` or `#` as it is would end the host early: `smtp://u:12#3@host` means port 12 of the host u.
_MAIL_SERVER = re.compile(r"smtps?(\+tls|\+ssl)?://([^/?#]*@)?[^/?#@]+/?|[a-z]+mail://.*", re.IGNORECASE)
_DJANGO_OPTIONS = {"assume_role", "isolation_level", "pool", "server_side_binding"}  # a check refuses `pool`
_DATABASE = re.compile(r"sqlite:///[^?#+]*[^?#+/]|postgres(ql)?://[^/?]*/[^?#@]+(\?.*)?")
_ENCODED = "In a password and a path, write # as %23, ? as %3F, @ as %40, / as %2F, + as %2B."


def mail_server(name: str) -> dict[str, Any]:
    """Django's EMAIL_ settings from one address."""
    address = text(name, "consolemail://")
    try:
        server = environ.Env.email_url_config(address)
        is_complete = bool(_MAIL_SERVER.fullmatch(address) and (server["EMAIL_HOST"] or "mail:" in address))
    except (ImproperlyConfigured, ValueError):
        is_complete = False
    if not is_complete:
        # The value contains a password, so the message does not repeat it.
        raise ImproperlyConfigured(
            f"{name} is not an address of a mail server. Write smtp+tls://user:password@host:587, or leave it out. "
            f"{_ENCODED}"
        )
    return {key: value for key, value in server.items() if key.startswith("EMAIL_") and value is not None}


def database_address(name: str, default: str) -> dict[str, Any]:
    """Django's settings of a database from one address."""
    how = f"Write sqlite:////path/to/file or postgres://user:password@host:5432/name. {_ENCODED}"
    address = text(name, default)
    if not address.startswith(("sqlite:///", "postgres://", "postgresql://")):
        raise ImproperlyConfigured(f"{name} does not start with sqlite:/// or postgres://. {how}")
    try:
        settings = dict(environ.Env.db_url_config(address))
    except ValueError:
        settings = {}
    if not (settings and _DATABASE.fullmatch(address)):
        # The value contains a password, so the message does not repeat it.
        raise ImproperlyConfigured(f"{name} is not an address of a database. {how}")
    unknown = sorted(settings.get("OPTIONS", {}).keys() - _options())
    if unknown:
        raise ImproperlyConfigured(
            f"{name} has the option {unknown[0]!r}. Write options of PostgreSQL, such as ?sslmode=require."
        )
    return settings | {"HOST": unquote(settings["HOST"])}  # %2Frun%2Fpostgresql is the directory of a socket


def _options() -> set[str]:
    return _DJANGO_OPTIONS | {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
