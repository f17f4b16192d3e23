"""The site behind a proxy that terminates TLS and leaves the port out of the Host header, as some do."""

import datetime as dt
import http.client
import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.processes import eventually
from tests.security.clients import free_port

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
FORM = {"login": "nobody", "password": "wrong-password"}
NO_MATCH = "does not match this password"


class _Forward(BaseHTTPRequestHandler):
    backend = 0  # port of the site

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}
        }
        headers |= {"Host": self.headers["Host"].rpartition(":")[0], "X-Forwarded-Proto": "https"}
        site = http.client.HTTPConnection("127.0.0.1", self.backend, timeout=30)
        site.request(self.command, self.path, body, headers)
        answer = site.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "date"}:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        site.close()

    do_GET = do_POST = _pass_on

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A self-signed certificate of localhost, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    file.write_bytes(pem + signed.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def proxy(certificate) -> Iterator[tuple[int, int]]:
    """The port of a TLS proxy, and the port that it passes requests on to."""
    backend = free_port()
    handler = type("Forward", (_Forward,), {"backend": backend})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, backend
        server.shutdown()


@pytest.fixture
def visit(site, proxy, certificate) -> Callable[..., tuple[str, requests.Session]]:
    """Start the site with HTTPS=1 and these settings; its public address, and a browser's session."""

    def start(**settings: str) -> tuple[str, requests.Session]:
        public, backend = proxy
        chosen = {name: value.format(port=public) for name, value in settings.items()}
        chosen |= {"HTTPS": "1", "DEBUG": "0", "WEB_PROCESSES": "1"}
        assert site.run("collectstatic", "--noinput", "--verbosity", "0", **chosen).returncode == 0
        site.start("run_web", "--port", str(backend), **chosen)
        eventually(lambda: _is_healthy(backend), within=60, what="the web server")
        session = requests.Session()
        session.trust_env = False  # a bundle of certificates there would take precedence
        session.verify = str(certificate)
        return f"https://localhost:{public}", session

    return start


def _is_healthy(port: int, host: str = "") -> bool:
    """/healthz, as a probe asks for it: over plain http, with the machine's own address."""
    try:
        answer = requests.get(
            f"http://127.0.0.1:{port}/healthz",
            headers={"Host": host or "127.0.0.1"},
            timeout=5,
            allow_redirects=False,
        )
    except requests.ConnectionError:
        return False
    return (answer.status_code, answer.text) == (200, "ok")


def send_login(address: str, session: requests.Session) -> requests.Response:
    page = session.get(f"{address}/account/login/", timeout=30)
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    token = session.cookies["__Host-csrftoken"]
    return session.post(
        f"{address}/account/login/",
        {**FORM, "csrfmiddlewaretoken": token},
        headers={"Origin": address, "Referer": f"{address}/account/login/"},
        timeout=30,
    )


@pytest.mark.parametrize(
    "named",
    [
        {"ALLOWED_HOSTS": "https://localhost:{port}"},
        {"ALLOWED_HOSTS": "localhost:{port}"},
        {"ALLOWED_HOSTS": "localhost", "TRUSTED_ORIGINS": "https://localhost:{port}"},
    ],
    ids=str,
)
def test_forms_work_if_the_address_is_named(visit, named):
    answer = send_login(*visit(**named))
    assert answer.status_code == 200
    assert NO_MATCH in answer.text


def test_refused_form_names_the_address(visit, proxy):
    address, session = visit(ALLOWED_HOSTS="localhost")
    answer = send_login(address, session)
    assert answer.status_code == 403
    assert address in answer.text
    assert "TRUSTED_ORIGINS" in answer.text
    # Probes come over plain http, with any host; other pages are for https and for their host.
    for host in ("10.0.0.7:8000", "probe.internal", "a_b"):
        assert _is_healthy(proxy[1], host)
    plain = requests.get(
        f"http://127.0.0.1:{proxy[1]}/", headers={"Host": "localhost"}, timeout=5, allow_redirects=False
    )
    assert plain.headers["Location"] == "https://localhost/"
