"""`python -m tests.benchmarks.predecessor_plan URL TOKEN IDS SCALE`: fetch prices as the predecessor does.

Eight threads, batches of 20 releases with a second between them, two requests for each release. A refused request
is sent again up to three times, a second later; a release that still failed is tried again from its first request, up
to three times, a second later. The requests of all threads together are not counted. SCALE shortens the seconds
(0.1 if a window of 6 s stands for a minute). Prints one JSON object. This script is our own: it uses neither Django nor
the predecessor's code; docs/performance.md describes what is known of the original.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests

THREADS, BATCH, RETRIES = 8, 20, 3
SECOND = 1.0  # between batches, and before a retry


@dataclass
class Plan:
    url: str
    token: str
    scale: float
    sent: int = 0
    refused: int = 0
    saved: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._local = threading.local()

    def fetch_all(self, releases: list[int]) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            for start in range(0, len(releases), BATCH):
                list(pool.map(self._fetch, releases[start : start + BATCH]))
                self._rest()

    def _fetch(self, release: int) -> None:
        paths = (f"/releases/{release}", f"/marketplace/stats/{release}")
        for attempt in range(RETRIES + 1):
            if all(self._get(path) for path in paths):
                with self._lock:
                    self.saved.append(release)
                return
            if attempt < RETRIES:
                self._rest()

    def _get(self, path: str) -> bool:
        for attempt in range(RETRIES + 1):
            answer = self._session().get(self.url + path, timeout=30)
            with self._lock:
                self.sent += 1
                self.refused += answer.status_code == 429
            if answer.status_code != 429:
                return True
            if attempt < RETRIES:
                self._rest()
        return False

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.headers["Authorization"] = f"Discogs token={self.token}"
        session: requests.Session = self._local.session
        return session

    def _rest(self) -> None:
        time.sleep(SECOND * self.scale)


if __name__ == "__main__":
    _, address, secret, ids, factor = sys.argv
    plan, started = Plan(address, secret, float(factor)), time.monotonic()
    plan.fetch_all(json.loads(ids))
    seconds = time.monotonic() - started
    facts = {"requests": plan.sent, "refused": plan.refused, "saved": plan.saved, "seconds": seconds}
    sys.stdout.write(json.dumps(facts))
