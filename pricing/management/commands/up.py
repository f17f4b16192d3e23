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

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from collections_app.sandbox.access.auth import CONSUMER_KEY, CONSUMER_SECRET
from pricing.management.commands.seed_demo import PASSWORD, USERNAME
from pricing.workers.cluster import end_with_parent

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


class Command(BaseCommand):
    help = "Migrate, then run web and workers (and with --sandbox a made-up Discogs) until stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--host", default=LOOPBACK, help="address to listen on")
        parser.add_argument("--sandbox", action="store_true", help="made-up Discogs and a demo account")

    def handle(self, *args: Any, **options: Any) -> None:
        self._stop = threading.Event()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
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
        self._once("migrate", "--verbosity", "0")
        if self._environment.get("DEBUG", "0") != "1":
            self._once("collectstatic", "--noinput", "--verbosity", "0")
        if sandbox:
            self._spawn(
                "sandbox", "discogs_sandbox", "--port", str(port + 1), "--window", str(SANDBOX_WINDOW)
            )
            self._await_port(LOOPBACK, port + 1)
        self._spawn("web", "run_web", "--host", host, "--port", str(port))
        self._await_port(host, port)
        self._spawn("workers", "run_workers")
        address = f"http://{netloc('localhost' if host == LOOPBACK else host, port)}"
        if sandbox:
            self._once("seed_demo")
            self.stdout.write(
                f"\nCrateworth is at {address}\nSign in as {USERNAME} with the password {PASSWORD}\n"
                f"Everything in it is made up. Its sandbox Discogs allows 60 requests in {SANDBOX_WINDOW} seconds "
                "(the real one: in a minute), so the first sync ends within a minute.\nStop with Ctrl-C.\n"
            )
        else:
            self.stdout.write(f"\nCrateworth is at {address}\nStop with Ctrl-C.\n")
        self.stdout.flush()

    def _sandbox_environment(self, port: int) -> dict[str, str]:
        """The children's environment: it has its own database, so that made-up prices reach no real collection."""
        database = Path(settings.BASE_DIR) / "demo.sqlite3"
        chosen = {"DATABASE_URL": os.environ.get("DEMO_DATABASE_URL", f"sqlite:///{database}")}
        return {
            **os.environ,
            **chosen,
            "DEBUG": "1",
            "DISCOGS_API_URL": f"http://127.0.0.1:{port + 1}",
            "DISCOGS_WEB_URL": f"http://127.0.0.1:{port + 1}",
            "DISCOGS_CONSUMER_KEY": CONSUMER_KEY,
            "DISCOGS_CONSUMER_SECRET": CONSUMER_SECRET,
            "DISCOGS_RATE_LIMIT": "60",
            "DISCOGS_RATE_WINDOW": str(SANDBOX_WINDOW),
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        }

    def _once(self, *words: str) -> None:
        """Run a command to its end. Raises CommandError if it fails."""
        if self._stop.is_set():
            return
        process = self._popen(*self._manage(*words))
        while process.poll() is None:
            if self._stop.wait(0.05):
                process.terminate()
                process.wait()
                return
        if process.returncode:
            raise CommandError(f"`manage.py {words[0]}` failed; nothing was started.")

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
