"""manage.py discogs_sandbox --port 8001 --limit 60 --window 6: serve the stand-in Discogs."""

import argparse
import signal
from threading import Thread
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from collections_app.sandbox.server import SandboxServer
from collections_app.sandbox.world.demo import DEMO_TOKEN, DEMO_USERNAME


class Command(BaseCommand):
    help = "Serve a stand-in for the Discogs API with a made-up catalogue, for the demo and for tests."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8001)
        parser.add_argument("--limit", type=int, default=60, help="requests per window")
        parser.add_argument("--window", type=float, default=6.0, help="seconds")
        parser.add_argument(
            "--latency", type=latency, default=(0.02, 0.06), help="seconds: 0.05 or 0.02-0.06"
        )
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--releases", type=int, default=5000)
        parser.add_argument("--count-refused", action="store_true", help="refused requests count too")
        parser.add_argument("--public", action="store_true", help="allow an address that is not loopback")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("host", "port", "limit", "window", "latency", "seed", "releases", "count_refused", "public")
        try:
            sandbox = SandboxServer(**{name: options[name] for name in names})
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error

        def stop(_number: int, _frame: FrameType | None) -> None:
            # shutdown() waits for serve_forever(), which runs in this same thread.
            Thread(target=sandbox.stop, daemon=True).start()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        self.stdout.write(f"Sandbox Discogs on {sandbox.url}, user {DEMO_USERNAME}, token {DEMO_TOKEN}")
        self.stdout.flush()
        sandbox.serve_forever()


def latency(text: str) -> tuple[float, float]:
    """Seconds from "0.05" or "0.02-0.06"."""
    minimum, _, maximum = text.partition("-")
    try:
        span = float(minimum), float(maximum or minimum)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a number or a range of seconds: {text}") from None
    if not 0 <= span[0] <= span[1]:
        raise argparse.ArgumentTypeError(f"not a rising range of seconds: {text}")
    return span
