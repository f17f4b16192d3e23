"""manage.py run_web: answer requests until stopped."""

import signal
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import get_internal_wsgi_application

from pricing.monitoring.file_checks import FILES
from pricing.web.channel import Timeouts
from pricing.web.prefork import Prefork
from pricing.web.server import STOP_WITHIN, Application, WebServer, allow_open_files, listen
from pricing.web.static_files import require_collected_files

LOOPBACK = "127.0.0.1"


class Command(BaseCommand):
    help = "Run the web server until stopped with Ctrl-C or SIGTERM."
    requires_system_checks: list[str] = []  # called below

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--host", default=LOOPBACK, help="address to listen on")

    def handle(self, *args: Any, **options: Any) -> None:
        self.check()
        # A deployment check that runs at every start: most sites are never checked with --deploy.
        self.check(tags=[FILES], include_deployment_checks=True)
        require_collected_files()
        host, port = options["host"].strip("[]"), options["port"]
        application = get_internal_wsgi_application()
        try:
            listener = listen(host, port)
        except OSError as error:
            raise CommandError(f"Cannot listen on {host or 'any address'}, port {port}: {error}.") from error
        allow_open_files()
        Prefork(
            settings.WEB_PROCESSES, lambda: serve(application, listener), stop_within=STOP_WITHIN + 2
        ).run()


def serve(application: Application, listener: socket.socket) -> None:
    """Serve requests in one process until SIGTERM."""
    timeouts = Timeouts(receive=settings.WEB_RECEIVE_TIMEOUT, send=settings.WEB_SEND_TIMEOUT)
    server = WebServer(
        application,
        listener,
        threads=settings.WEB_THREADS,
        timeouts=timeouts,
        answer_buffer=settings.WEB_BUFFER_MB * 1024 * 1024,
    )
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    server.run()
