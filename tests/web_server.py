"""`python -m tests.web_server`: the site on four threads that keep their connections, as a web server has them.

It takes a free port and writes it to standard output.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from config.wsgi import application

THREADS = 4


class Server(WSGIServer):
    request_queue_size = 50

    def process_request(self, request: Any, client_address: Any) -> None:
        POOL.submit(self._answer, request, client_address)

    def _answer(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        finally:
            self.shutdown_request(request)


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


if __name__ == "__main__":
    from django.conf import settings

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}  # there is no manifest
    POOL = ThreadPoolExecutor(THREADS)
    server = make_server("127.0.0.1", 0, application, Server, Quiet)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
