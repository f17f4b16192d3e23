"""`manage.py up --sandbox` as `make demo` runs it, beside the settings of a real site."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from pricing.management.commands.seed_demo import PASSWORD, USERNAME
from tests.conftest import ROOT
from tests.processes import descendants, eventually
from tests.security.clients import free_port

pytestmark = pytest.mark.processes

# Of a site behind https: the demo would be unreachable with them, or mail its visitors.
REAL_SITE = """\
HTTPS=1
ALLOWED_HOSTS=crates.example.org
TRUSTED_PROXIES=1
EMAIL_URL=smtp://127.0.0.1:1
DISCOGS_API_URL=https://api.discogs.com
"""


class Up:
    """`manage.py up` with these options, and what it has written so far."""

    def __init__(self, directory: Path, *words: str, **changed: str) -> None:
        self.log = directory / "output"
        file = directory / "env"
        file.write_text(REAL_SITE)
        # What the file of an operator decides is not in the environment.
        kept = {name: value for name, value in os.environ.items() if name not in {"DEBUG", "LOG_LEVEL"}}
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *words],
                cwd=ROOT,
                env={**kept, "ENV_FILE": str(file), **changed},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        return self.log.read_text()

    def says(self, words: str, *, within: float = 120) -> str:
        """Wait for these words; return all that was written."""
        return str(
            eventually(
                lambda: self.text if words in self.text else "", within=within, what=f"{words}: {self.text}"
            )
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def kill(self) -> None:
        for process in descendants(self.process.pid):
            process.kill()
        self.process.wait()


@pytest.fixture
def port() -> int:
    """A free port with a free one above it, for the sandbox."""
    while True:
        port = free_port()
        with socket.socket() as above:
            try:
                above.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


@pytest.fixture
def demo(tmp_path, port) -> Iterator[Up]:
    database = f"sqlite:///{tmp_path / 'demo.sqlite3'}"
    up = Up(tmp_path, "--sandbox", "--port", str(port), DEMO_DATABASE_URL=database)
    yield up
    if up.process.poll() is None:
        up.kill()


class Visitor(requests.Session):
    """A browser without its looks."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.address = f"http://localhost:{port}"

    def see(self, path: str) -> str:
        return self.get(self.address + path, timeout=30).text

    def submit(self, path: str, **fields: str) -> requests.Response:
        """Send the form of a page."""
        self.see(path)
        fields["csrfmiddlewaretoken"] = self.cookies["csrftoken"]
        return self.post(self.address + path, fields, timeout=30)


def test_demo_is_usable_once_announced(demo, port):
    text = demo.says("Stop with Ctrl-C")
    steps = [
        "Preparing the database",
        "Collecting",
        "sandbox",
        "web server",
        f"http://localhost:{port}",
        PASSWORD,
    ]
    assert [text.index(step) for step in steps] == sorted(text.index(step) for step in steps)
    assert "Making up" not in text

    one = Visitor(port)
    assert one.submit("/account/login/", login=USERNAME, password=PASSWORD).url.endswith("/dashboard/")
    assert_error_page_is_our_own(one)
    assert_static_files_are_served(one)

    two = Visitor(port)
    page = two.submit("/account/signup/", email="visitor@example.org", password1="a-long-password-7").text
    assert "written to the terminal" in page
    code = re.search(r"^ {4}(\S+)$", demo.says("Your code"), re.MULTILINE)
    assert code, demo.text
    page = two.submit("/account/confirm-email/", code=code[1]).text
    tokens = dict(re.findall(r"(\w+): <code>([\w-]+)</code>", page))
    assert list(tokens) == ["crate_demo", "small_shelf", "private_crate"]
    assert two.submit("/connect/", token=tokens["small_shelf"]).url.startswith(f"{two.address}/syncs/")
    eventually(lambda: "copies" in two.see("/dashboard/"), within=60, what="a collection")

    began = time.monotonic()
    children = descendants(demo.process.pid)
    assert demo.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 40
    assert not [child for child in children if child.is_running()]
    assert "Traceback" not in demo.text


def assert_error_page_is_our_own(visitor: Visitor) -> None:
    answer = visitor.get(f"{visitor.address}/nowhere/", timeout=30)
    assert answer.status_code == 404
    assert "Crateworth" in answer.text
    assert "URLconf" not in answer.text


def assert_static_files_are_served(visitor: Visitor) -> None:
    style = re.search(r'href="(/static/css/site\.[0-9a-f]+\.css)"', visitor.see("/dashboard/"))
    assert style
    assert visitor.get(visitor.address + style[1], timeout=30).status_code == 200


@pytest.mark.parametrize("above", [0, 1])
def test_up_refuses_a_used_port(tmp_path, port, above):
    with socket.create_server(("127.0.0.1", port + above)):
        up = Up(tmp_path, "--sandbox", "--port", str(port))
        assert up.process.wait(60) == 1
    assert f"Another process listens on 127.0.0.1:{port + above}." in up.text
    assert "Preparing" not in up.text
