"""The site as its operator runs it: real commands in real processes, which end with the test."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil


class Site:
    """Starts `manage.py` commands with one environment and stops those that still run."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.root = root
        self.environment = environment
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, *words: str, log: Path | None = None, **extra: str) -> "subprocess.Popen[str]":
        """Start a command and leave it running; its log output goes to `log`, or is discarded."""
        process = subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=self.root,
            env={**self.environment, **extra},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log.open("w") if log else subprocess.DEVNULL,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def run(
        self, *words: str, text: str = "", timeout: float = 180, **extra: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=self.root,
            env={**self.environment, **extra},
            input=text,
            text=True,
            capture_output=True,
            timeout=timeout,
            check=False,
        )

    def run_json(self, *words: str, timeout: float = 180, **extra: str) -> dict[str, Any]:
        """Run a command that prints one JSON object; it must exit with 0."""
        done = self.run(*words, "--json", timeout=timeout, **extra)
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def stop(self) -> None:
        for process in self._processes:
            for child in descendants(process.pid):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def descendants(pid: int) -> list[psutil.Process]:
    """A process and all its descendants."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def eventually(condition: Callable[[], Any], *, within: float, what: str) -> Any:
    """Return the first true result of `condition`; fail the test if there is none within `within` seconds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {within} s: {what}")
