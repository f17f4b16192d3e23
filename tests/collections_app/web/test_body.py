"""How much a request may bring: nothing of it reaches the disk, whatever its path."""

import io
import tempfile
from pathlib import Path

import pytest
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from collections_app.web.body import accept_body
from config.urls import urlpatterns as site_patterns
from tests.static import plain_static_files
from tests.wsgi import Pattern, call

__all__ = ["plain_static_files"]
pytestmark = pytest.mark.django_db
LIMIT = 1_000_000
TOKEN = "a" * 32
COOKIE = f"csrftoken={TOKEN}"  # without it the body would not even be looked at
BOUNDARY = "frontier"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
FORM = "application/x-www-form-urlencoded"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
    "Content-Type: text/csv\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch) -> Path:
    """Where temporary files would be."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert tempfile.gettempdir() == str(tmp_path)
    return tmp_path


class WatchedUpload(Pattern):
    """A form with one file, which looks for temporary files while it is read."""

    def __init__(self, size: int, folder: Path) -> None:
        super().__init__(size, head=HEAD, tail=TAIL)
        self.folder = folder
        self.found: set[str] = set()

    def at(self, position: int) -> None:
        self.found |= {each.name for each in self.folder.iterdir()}


@pytest.mark.parametrize("size", [900_000, 3_000_000, 40_000_000])
@pytest.mark.parametrize("address", ["/", "/account/login/", "/dashboard/", "/nothing/here", "/static/x.css"])
def test_upload_leaves_no_file(empty_folder, address, size):
    upload = WatchedUpload(size, empty_folder)
    answer = call(
        address,
        method="POST",
        body=upload,
        HTTP_COOKIE=COOKIE,
        CONTENT_TYPE=MULTIPART,
        CONTENT_LENGTH=str(size),
    )
    assert upload.found == set()
    if size > LIMIT:
        assert (answer.status, upload.read_bytes) == (413, 0)
        assert "Nothing was changed" in answer.text


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "FOO"])
@pytest.mark.parametrize("content_type", [MULTIPART, FORM, "text/plain", "application/json", ""])
def test_large_body_is_413_for_every_method(method, content_type):
    body = Pattern(LIMIT + 1)
    answer = call(
        "/account/login/",
        method=method,
        body=body,
        CONTENT_TYPE=content_type,
        CONTENT_LENGTH=str(LIMIT + 1),
    )
    assert (answer.status, body.read_bytes) == (413, 0)


def test_body_at_the_limit_is_read(client):
    form = "login=x&password=" + "y" * (LIMIT - 17)
    assert len(form) == LIMIT
    assert client.post("/account/login/", form, content_type=FORM).status_code == 200


@pytest.mark.parametrize("length", ["-1", "abc", "1_0", "٣", "0x10", "1.5", "5, 5", " 12"])
def test_length_that_is_no_number_is_400(length):
    assert call("/", method="POST", body=Pattern(100), CONTENT_LENGTH=length).status == 400


def test_length_of_many_digits_is_413():
    assert call("/", method="POST", body=Pattern(100), CONTENT_LENGTH="9" * 5000).status == 413


def test_body_beyond_its_length_is_not_read():
    body = Pattern(50_000_000)
    answer = call(
        "/account/login/",
        method="POST",
        body=body,
        HTTP_COOKIE=COOKIE,
        CONTENT_TYPE=FORM,
        CONTENT_LENGTH="10",
    )
    assert (answer.status, body.read_bytes) == (403, 10)


def test_short_body_is_answered():
    body = Pattern(10)
    answer = call(
        "/account/login/",
        method="POST",
        body=body,
        HTTP_COOKIE=COOKIE,
        CONTENT_TYPE=MULTIPART,
        CONTENT_LENGTH="500000",
    )
    assert answer.status in {400, 403}


@pytest.mark.parametrize(("size", "status"), [(0, 403), (LIMIT, 403), (LIMIT + 1, 413), (90_000_000, 413)])
def test_chunked_body_is_read_to_the_limit(size, status):
    body = Pattern(size)
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": None}
    answer = call(
        "/account/login/", method="POST", body=body, HTTP_COOKIE=COOKIE, CONTENT_TYPE=FORM, **chunked
    )
    assert answer.status == status
    assert body.read_bytes == min(size, LIMIT + 1)


@pytest.mark.parametrize("kind", ["form", "multipart"])
def test_many_fields_are_400(kind):
    if kind == "form":
        body, content_type = b"a=1&" * 2000, FORM
    else:
        part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'.encode()
        body, content_type = part * 2000 + TAIL, MULTIPART
    answer = call("/account/login/", method="POST", body=body, HTTP_COOKIE=COOKIE, CONTENT_TYPE=content_type)
    assert answer.status == 400
    assert "could not be read" in answer.text


def test_many_files_are_400(empty_folder):
    answer = call(
        "/account/login/",
        method="POST",
        body=(HEAD + b"x\r\n") * 150 + TAIL,
        HTTP_COOKIE=COOKIE,
        CONTENT_TYPE=MULTIPART,
    )
    assert answer.status == 400
    assert list(empty_folder.iterdir()) == []


# A view with a limit of its own ----------------------------------------------------------------------


class Counting(FileUploadHandler):
    """Keeps nothing of a file but its size."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.largest = max(getattr(self, "largest", 0), len(raw_data))

    def file_complete(self, file_size: int) -> io.BytesIO:
        assert self.largest <= self.chunk_size
        return io.BytesIO(str(file_size).encode())


@accept_body(30_000_000, upload_handler=Counting)
def take(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.FILES["file"].read() if request.FILES else "nothing")


urlpatterns = [path("take/", take), *site_patterns]


def send(size: int, folder: Path, cookies: str = "") -> tuple[int, str, WatchedUpload]:
    upload = WatchedUpload(size, folder)
    token = cookies.partition("csrftoken=")[2]
    answer = call(
        "/take/",
        method="POST",
        body=upload,
        CONTENT_TYPE=MULTIPART,
        CONTENT_LENGTH=str(size),
        HTTP_COOKIE=cookies,
        HTTP_X_CSRFTOKEN=token,
    )
    assert upload.found == set()
    return answer.status, answer.text, upload


@pytest.fixture
def cookies(client: Client, make_user) -> str:
    client.force_login(make_user())
    return f"sessionid={client.cookies['sessionid'].value}; {COOKIE}"


@override_settings(ROOT_URLCONF=__name__)
def test_accept_body_streams_a_large_file(empty_folder, cookies):
    status, text, _ = send(20_000_000, empty_folder, cookies)
    assert (status, text) == (200, str(20_000_000 - len(HEAD) - len(TAIL)))


@override_settings(ROOT_URLCONF=__name__)
def test_accept_body_has_a_limit_too(empty_folder, cookies):
    status, _, upload = send(30_000_001, empty_folder, cookies)
    assert (status, upload.read_bytes) == (413, 0)


@override_settings(ROOT_URLCONF=__name__)
def test_accept_body_reads_nothing_of_strangers(empty_folder):
    status, _, upload = send(20_000_000, empty_folder)
    assert (status, upload.read_bytes) == (302, 0)


@override_settings(ROOT_URLCONF=__name__)
def test_accept_body_still_asks_for_the_token(empty_folder, cookies):
    assert send(2_000_000, empty_folder, cookies.partition(";")[0])[0] == 403
