"""The login of the sandbox's web site, which is on another host."""

import pytest
import requests

from collections_app.sandbox.server import SandboxServer


def ask(address: str, method: str = "GET") -> requests.Response:
    return requests.request(method, address, timeout=10, allow_redirects=False)


def authorise_address(server: SandboxServer) -> str:
    token = server.world.grants.issue("http://127.0.0.1:8000/", now=server.clock()).token
    return f"{server.url}/oauth/authorize?oauth_token={token}"


def test_visitor_goes_to_the_other_host_and_back() -> None:
    with SandboxServer() as server:
        first = ask(authorise_address(server))
        port = server.url.rsplit(":", 1)[1]
        assert first.status_code == 302
        assert first.headers["Location"].startswith(f"http://localhost:{port}/login?return_to=")

        second = ask(first.headers["Location"])
        assert second.status_code == 302
        assert second.headers["Location"].startswith(f"{server.url}/oauth/authorize?oauth_token=")
        assert ask(second.headers["Location"]).status_code == 200


def test_login_with_a_form_waits_for_its_button() -> None:
    with SandboxServer(login="form") as server:
        login = ask(authorise_address(server)).headers["Location"]
        assert "<button>Log in</button>" in ask(login).text
        assert ask(login, "POST").headers["Location"].endswith("&logged_in=1")


def test_control_route_switches_the_login() -> None:
    with SandboxServer() as server:
        control = f"{server.url}/_sandbox/login"
        assert requests.post(control, json={"mode": "none"}, timeout=10).json() == {"mode": "none"}
        assert ask(authorise_address(server)).status_code == 200
        assert requests.post(control, json={"mode": "password"}, timeout=10).status_code == 400
        server.reset("settings")
        assert ask(authorise_address(server)).status_code == 302


@pytest.mark.parametrize("target", ["", "https://elsewhere.test/", "//elsewhere.test", "/releases/7"])
def test_login_leads_back_to_authorisation(target: str) -> None:
    with SandboxServer() as server:
        answer = requests.get(f"{server.url}/login", {"return_to": target}, timeout=10, allow_redirects=False)
        assert answer.status_code == 404
