"""Parsing of one request, and the responses the server sends by itself."""

from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask, WSGITask


class Parser(HTTPRequestParser):
    """Reject requests whose end a proxy in front may see elsewhere: that is how request smuggling works."""

    def parse_header(self, header_plus: bytes) -> None:
        if b"\n " in header_plus or b"\n\t" in header_plus:
            raise ParsingError("Header that goes on in the next line")
        super().parse_header(header_plus)
        if "TRANSFER_ENCODING" in self.headers:  # left there for versions other than 1.1
            raise ParsingError("Transfer-Encoding needs HTTP/1.1")
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Content-Length and Transfer-Encoding together")


class SiteTask(WSGITask):
    """A request that the site answers."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ["SERVER_SOFTWARE"] = ""  # waitress writes None if it is told to hide its name
        environ["wsgi.multiprocess"] = True
        return environ


class RefusalTask(ErrorTask):
    """A request that never reaches the site: malformed, or larger than the limits. Sent without a name or version."""

    def execute(self) -> None:
        error = self.request.error
        body = f"{error.reason}: {error.body}.\n".encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
