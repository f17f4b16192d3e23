"""manage.py up: run the whole site on one machine with one command."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.management.base import BaseCommand, CommandError

from collections_app.sandbox.access.auth import CONSUMER_KEY, CONSUMER_SECRET
from collections_app.sandbox.world import demo
from pricing.management.commands.seed_demo import PASSWORD, USERNAME
from pricing.workers.forking import Forked, end_with_parent

STOP_WITHIN = 30.0  # seconds for all processes to finish what they hold
LOOPBACK = "127.0.0.1"
# Addresses that stand for all of a machine, and one of them that can be connected to.
ANY = {"": LOOPBACK, "0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 only looked up
SANDBOX_WINDOW = 6  # seconds that stand for a minute, so that the first sync ends within one


def netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def answers(host: str, port: int) -> bool:
    """Whether a process listens on this address, or on all addresses of this machine."""
    with contextlib.suppress(OSError), socket.create_connection((ANY.get(host, host), port), timeout=2):
        return True
    return False


def _refuse_used(host: str, port: int) -> None:
    """Otherwise the server that listens there would be taken for this site."""
    if answers(host, port):
        raise CommandError(
            f"Another process listens on {netloc(host, port)}. Stop it, or choose another port with --port or PORT."
        )


def _with_this_machine(hosts: list[str]) -> list[str]:
    return hosts if hosts == ["*"] else list(dict.fromkeys([*hosts, "localhost", "127.0.0.1", "[::1]"]))


def run_workers() -> None:
    os.chdir(settings.BASE_DIR)
    execute_from_command_line(["manage.py", "run_workers"])


class Command(BaseCommand):
    help = "Migrate, then run web and workers (and with --sandbox a made-up Discogs) until stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--host", default=LOOPBACK, help="address to listen on")
        parser.add_argument("--sandbox", action="store_true", help="made-up Discogs and a demo account")

    def handle(self, *args: Any, **options: Any) -> None:
        self._stop = threading.Event()
        self._children: dict[str, subprocess.Popen[bytes] | Forked] = {}
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._environment = (
            self._sandbox_environment(options["port"]) if options["sandbox"] else dict(os.environ)
        )
        try:
            self._start(options["host"].strip("[]"), options["port"], sandbox=options["sandbox"])
            self._watch()
        finally:
            self._shut_down()

    def _start(self, host: str, port: int, *, sandbox: bool) -> None:
        _refuse_used(host, port)
        if sandbox:
            _refuse_used(LOOPBACK, port + 1)
        self._say("Preparing the database …")
        self._once("migrate", "--verbosity", "0")
        if self._environment.get("DEBUG", "0") != "1":
            self._say("Collecting static files …")
            self._once("collectstatic", "--noinput", "--verbosity", "0")
        if sandbox:
            self._say("Starting the sandbox Discogs …")
            self._spawn(
                "sandbox", "discogs_sandbox", "--port", str(port + 1), "--window", str(SANDBOX_WINDOW)
            )
            self._await_port(LOOPBACK, port + 1)
        self._say("Starting the web server …")
        self._spawn("web", "run_web", "--host", host, "--port", str(port))
        if sandbox:
            self._once("seed_demo", "--account-only")  # while the web server starts
        self._await_port(host, port)
        self._say(f"\nCrateworth is at http://{netloc('localhost' if host == LOOPBACK else host, port)}")
        if sandbox:
            self._say(f"Sign in as {USERNAME} with the password {PASSWORD}")
        self._say("Stop with Ctrl-C.\n")
        if sandbox:
            self._spawn("workers", "run_workers")
            self._fill_demo()
        elif not self._stop.is_set():
            # They need the settings of this process, and so share its memory.
            self._children["workers"] = Forked(run_workers)

    def _fill_demo(self) -> None:
        """Fill the demo account. The site answers already, so the progress can be watched there too."""
        self._once("seed_demo")
        self._say(
            f"Reading the first prices: the sandbox allows 60 requests in {SANDBOX_WINDOW} seconds "
            "(the real Discogs: in a minute) …"
        )
        # What it says is only for the reader: the demo goes on if a price failed or the run was cancelled on the site.
        self._once("sync_prices", "--user", USERNAME, "--wait", is_required=False)
        self._say("The demo is complete.")

    def _sandbox_environment(self, port: int) -> dict[str, str]:
        """The children's environment: it has its own database, so that made-up prices reach no real collection.

        What `.env` says of a real site is overruled: the demo answers on this machine, over http and without a proxy,
        and sends no mail.
        """
        database = Path(settings.BASE_DIR) / "demo.sqlite3"
        tokens = {
            demo.DEMO_USERNAME: demo.DEMO_TOKEN,
            demo.SMALL_USERNAME: demo.SMALL_TOKEN,
            demo.PRIVATE_USERNAME: demo.PRIVATE_TOKEN,
        }
        return {
            **os.environ,
            "DATABASE_URL": os.environ.get("DEMO_DATABASE_URL", f"sqlite:///{quote(str(database))}"),
            "DEBUG": "0",
            "HTTPS": "0",
            "TRUSTED_PROXIES": "0",
            "ALLOWED_HOSTS": ",".join(_with_this_machine(settings.ALLOWED_HOSTS)),
            "EMAIL_URL": "consolemail://",
            "SANDBOX": "1",
            "SANDBOX_TOKENS": ",".join(f"{name}:{token}" for name, token in tokens.items()),
            "DISCOGS_API_URL": f"http://127.0.0.1:{port + 1}",
            "DISCOGS_WEB_URL": f"http://127.0.0.1:{port + 1}",
            "DISCOGS_CONSUMER_KEY": CONSUMER_KEY,
            "DISCOGS_CONSUMER_SECRET": CONSUMER_SECRET,
            "DISCOGS_RATE_LIMIT": "60",
            "DISCOGS_RATE_WINDOW": str(SANDBOX_WINDOW),
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        }

    def _say(self, text: str) -> None:
        if not self._stop.is_set():
            self.stdout.write(text)
            self.stdout.flush()

    def _once(self, *words: str, is_required: bool = True) -> None:
        """Run a command to its end. Raises CommandError if a required one fails, or a process of the site ends."""
        if self._stop.is_set():
            return
        process = self._popen(*self._manage(*words))
        try:
            while process.poll() is None and not self._stop.wait(0.05):
                self._check_children()
        finally:
            process.terminate()
            process.wait()
        if process.returncode and is_required and not self._stop.is_set():
            raise CommandError(
                f"`manage.py {words[0]}` failed; its output above says why. Everything is stopped."
            )

    def _spawn(self, name: str, *words: str) -> None:
        if not self._stop.is_set():
            self._children[name] = self._popen(*self._manage(*words))

    @staticmethod
    def _manage(*words: str) -> list[str]:
        return [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *words]

    def _popen(self, *words: str) -> subprocess.Popen[bytes]:
        # In its own session: Ctrl-C reaches only this process, which then stops the others in order.
        return subprocess.Popen(
            words,
            env=self._environment,
            cwd=settings.BASE_DIR,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509 no threads here
        )

    def _await_port(self, host: str, port: int) -> None:
        while not self._stop.is_set():
            self._check_children()
            if answers(host, port):
                return
            self._stop.wait(0.1)

    def _check_children(self) -> None:
        for name, process in self._children.items():
            if process.poll() is not None:
                raise CommandError(
                    f"The {name} process ended with status {process.returncode}; its output above says why."
                )

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            self._check_children()

    def _shut_down(self) -> None:
        """Stop the workers first, so that what they hold is stored while everything else still answers."""
        deadline = time.monotonic() + STOP_WITHIN
        for name in ("workers", "web", "sandbox"):
            process = self._children.get(name)
            if process is None:
                continue
            process.terminate()
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
