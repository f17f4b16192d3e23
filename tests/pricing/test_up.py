"""The address that `manage.py up` listens on, and waits for."""

import socket

import pytest

from pricing.management.commands.up import answers, netloc


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "0.0.0.0", "", "::", "::1"])
def test_up_finds_a_web_server_on_any_address(host):
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        port = listener.getsockname()[1]
        assert answers(host, port)
    assert not answers(host, port)


def test_up_ignores_servers_on_other_addresses():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not answers("127.0.0.2", listener.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "written"),
    [("127.0.0.2", "127.0.0.2:80"), ("crates.local", "crates.local:80"), ("::", "[::]:80"), ("", ":80")],
)
def test_address_is_formatted_for_a_web_server(host, written):
    assert netloc(host, 80) == written
