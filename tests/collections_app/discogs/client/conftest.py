"""A client whose answers come from `responses`: no socket, and bodies and headers no server would send."""

import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from collections_app.discogs.client import Credentials, DiscogsClient, new_session
from collections_app.discogs.gate import Gate
from collections_app.discogs.pace import Pace

BASE = "https://discogs.test"
TOKEN = "token-that-must-not-leak"
PAYLOAD = "text-of-the-answer"
ABSENT = object()  # the value of a key to leave out


def changed_document(document: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """The document with other values; a key whose value is ABSENT is left out."""
    return {key: value for key, value in (document | changed).items() if value is not ABSENT}


class Discogs:
    """One client, and the answers it gets."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        gate = Gate("test", Pace(limit=100_000, window=6))
        self.client = DiscogsClient(Credentials.from_token(TOKEN), gate=gate, session=new_session())
        self.mock = mock

    def answers(self, path: str = "/releases/7", **answer: Any) -> DiscogsClient:
        """Let `path` answer so from now on: status, body or json, content_type, headers. Returns the client."""
        self.mock.add(responses.GET, BASE + path, **({"content_type": "application/json"} | answer))
        return self.client


@pytest.fixture
def discogs(settings) -> Iterator[Discogs]:
    settings.DISCOGS_API_URL = BASE
    with responses.RequestsMock() as mock:
        yield Discogs(mock)


@pytest.fixture
def refusal():
    """Check that a call raises exactly this class, and that its text holds neither secret nor payload."""

    def check(error: type[Exception], call, *arguments: Any) -> Any:
        with pytest.raises(error) as caught:
            call(*arguments)
        assert type(caught.value) is error
        seen = f"{caught.value!r} {''.join(traceback.format_exception(caught.value))}"
        assert TOKEN not in seen
        assert PAYLOAD not in seen
        return caught.value

    return check
