"""A compressed page through the web server: its length is right, so the connection stays usable."""

import gzip

import pytest
from django.core.wsgi import get_wsgi_application

from tests.pricing.web.test_web_server import connect, read_answer, serve
from tests.static import plain_static_files

__all__ = ["plain_static_files", "serve"]
pytestmark = pytest.mark.django_db(transaction=True)
REQUEST = b" / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n"


@pytest.fixture
def app():
    return get_wsgi_application()


def read_head(client) -> bytes:
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += client.recv(1)
    return answer


def test_compressed_pages_follow_each_other(serve):
    client = connect(serve())
    for _ in range(2):
        client.sendall(b"GET" + REQUEST)
        head, _, body = read_answer(client).partition(b"\r\n\r\n")
        assert b"\r\nContent-Encoding: gzip" in head
        assert b"</html>" in gzip.decompress(body)
        client.sendall(b"HEAD" + REQUEST)
        assert b"\r\nContent-Encoding: gzip" in read_head(client)
