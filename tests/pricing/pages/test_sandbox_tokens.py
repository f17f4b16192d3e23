"""The connect page of a demo names the tokens of its sandbox; no other site does."""

import pytest

pytestmark = pytest.mark.django_db
TOKENS = [("small_shelf", "sandbox-small-token")]


@pytest.fixture
def page(client, make_user) -> str:
    client.force_login(make_user())
    return client.get("/connect/").content.decode()


@pytest.fixture
def with_tokens(settings) -> None:
    settings.SANDBOX_TOKENS = TOKENS


@pytest.mark.usefixtures("with_tokens")
def test_connect_page_names_tokens_of_the_sandbox(page):
    assert "This is a demo" in page
    assert "small_shelf: <code>sandbox-small-token</code>" in " ".join(page.split())


@pytest.mark.usefixtures("with_tokens", "registered_site")
def test_tokens_stand_outside_the_closed_part(client, make_user):
    client.force_login(make_user())
    page = client.get("/connect/").content.decode()
    assert page.index("sandbox-small-token") < page.index("<details")


def test_real_site_names_no_token(page):
    assert "demo" not in page
    assert "sandbox" not in page
