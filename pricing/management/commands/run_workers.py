"""manage.py run_workers: fetch prices until stopped."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from pricing.workers.supervisor import Supervisor


class Command(BaseCommand):
    help = "Run the price workers until stopped with Ctrl-C or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        supervisor = Supervisor()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stop.set())
        supervisor.run()
