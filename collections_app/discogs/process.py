"""What a process keeps between its requests: the open connection to Discogs, and the gate's bookkeeping."""

import os
from dataclasses import dataclass

import requests

from collections_app.discogs.client import Credentials, DiscogsClient, new_session
from collections_app.discogs.gate import PATIENCE, Gate, configured_gate


@dataclass(frozen=True)
class DiscogsProcess:
    """The session and the gate of one process. A client of it opens no connection and collects its successes."""

    pid: int
    session: requests.Session
    gate: Gate

    def client_for(
        self, credentials: Credentials, interactive: bool = False, *, patience: float = PATIENCE
    ) -> DiscogsClient:
        return DiscogsClient(
            credentials, gate=self.gate, session=self.session, interactive=interactive, patience=patience
        )


_process: DiscogsProcess | None = None


def this_process() -> DiscogsProcess:
    """The state of this process, created again after a fork: sockets must not be shared."""
    global _process  # noqa: PLW0603 one per process is the point
    if _process is None or _process.pid != os.getpid():
        _process = DiscogsProcess(os.getpid(), new_session(), configured_gate())
    return _process
