"""`manage.py up` for a real site: the workers are forked from it, and stop with it."""

import os
import signal

import psutil
import pytest

from pricing.models import WorkerHeartbeat
from tests.processes import descendants, eventually
from tests.security.clients import free_port

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def up(site, tmp_path):
    """`up`, once its supervisor works: (process, log, pid of the supervisor)."""
    log = tmp_path / "log"
    process = site.start("up", "--port", str(free_port()), log=log, DEBUG="1")
    supervisors = WorkerHeartbeat.objects.filter(role="supervisor").values_list("pid", flat=True)
    pid = eventually(supervisors.first, within=120, what=f"a supervisor: {log.read_text()}")
    return process, log, pid


def are_gone(family: list[psutil.Process]) -> bool:
    return not [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def test_up_stops_the_workers_it_has_forked(up):
    process, log, supervisor = up
    assert psutil.Process(supervisor).ppid() == process.pid
    family = descendants(process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, log.read_text()
    eventually(lambda: are_gone(family), within=20, what="the end of every process")
    assert not WorkerHeartbeat.objects.filter(role="supervisor").exists()


def test_up_ends_with_its_workers(up):
    process, log, supervisor = up
    os.kill(supervisor, signal.SIGKILL)
    assert process.wait(60) == 1
    assert "The workers process ended with status -9" in log.read_text()


def test_killed_up_leaves_no_process(up):
    process, _, _ = up
    family = descendants(process.pid)
    process.kill()
    eventually(lambda: are_gone(family), within=60, what="the end of every process")
