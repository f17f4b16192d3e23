"""Processes that are forked from this one, as the supervisor and the web server fork theirs."""

import gc
import os
import signal

import pytest

from pricing.workers.cluster import Cluster
from pricing.workers.forking import fork


@pytest.fixture(autouse=True)
def unfrozen():
    yield
    gc.unfreeze()


def exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fork_and_write(what) -> str:
    """What a forked process finds."""
    reader, writer = os.pipe()
    pid = fork(lambda: os.write(writer, str(what()).encode()), in_session=True)
    os.close(writer)
    assert exit_code(pid) == 0
    with os.fdopen(reader) as file:
        return file.read()


def test_fork_leads_a_session_of_its_own():
    assert fork_and_write(lambda: os.getsid(0) == os.getpid()) == "True"


def test_fork_has_default_signals():
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        found = fork_and_write(
            lambda: (
                signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
                and not signal.pthread_sigmask(signal.SIG_BLOCK, [])
            )
        )
    finally:
        signal.signal(signal.SIGTERM, before)
    assert found == "True"


def test_fork_shares_what_is_loaded():
    assert int(fork_and_write(gc.get_freeze_count)) > 10_000


def test_failed_fork_ends_with_status_1(caplog):
    def fail() -> None:
        raise RuntimeError("broken")

    assert exit_code(fork(fail)) == 1


@pytest.mark.processes
def test_new_cluster_is_killed_at_once():
    cluster = Cluster()
    cluster.kill()
    assert not cluster.is_alive()
    assert cluster.look_at_children() == frozenset()
    with pytest.raises(ProcessLookupError):
        os.killpg(cluster.pid, 0)
