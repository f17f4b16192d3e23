from collections.abc import Iterator

import pytest

from collections_app.sandbox.server import SandboxServer
from tests.collections_app.sandbox.sandbox_client import Api
from tests.static import plain_static_files

__all__ = ["plain_static_files"]


@pytest.fixture
def api(server: SandboxServer) -> Iterator[Api]:
    """A client of the module's own sandbox, which is as it was afterwards."""
    client = Api(server)
    yield client
    client.session.close()
    server.reset()
