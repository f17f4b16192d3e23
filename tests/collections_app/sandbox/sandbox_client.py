"""A keep-alive client for the tests of the sandbox Discogs."""

from typing import Any

import requests

from collections_app.sandbox.server import SandboxServer

AGENT = "SandboxTest/1.0 +https://example.org"
DEMO = "Discogs token=sandbox-demo-token"
SMALL = "Discogs token=sandbox-small-token"


class Api:
    """A keep-alive client with credentials of one's choice."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["User-Agent"] = AGENT

    def get(self, path: str, auth: str | None = DEMO, **headers: str) -> requests.Response:
        credentials = {"Authorization": auth} if auth else {}
        return self.session.get(
            self.server.url + path, headers={**credentials, **headers}, timeout=10, allow_redirects=False
        )

    def control(self, path: str, body: Any = None, method: str = "POST") -> Any:
        response = self.session.request(method, f"{self.server.url}/_sandbox/{path}", json=body, timeout=10)
        assert response.status_code == 200, response.text
        return response.json()
