"""The environment of a test run, set before Django reads its settings.

TEST_DATABASE_URL selects the database; without it, the tests run on SQLite.
"""

import os
import tempfile
from pathlib import Path

SCRATCH = Path(tempfile.mkdtemp(prefix="crateworth-tests-"))

os.environ.update(
    ENV_FILE=os.devnull,
    DEBUG="1",
    SECRET_KEY="only-for-tests-" + "abcdefghijklmnopqrstuvwxyz" * 2,
    CREDENTIAL_KEYS="Y3JhdGV3b3J0aC1rZXktZm9yLXRlc3RzLW9ubHktMzI=",
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{SCRATCH / 'unused.sqlite3'}",
    TEST_DATABASE_FILE=str(SCRATCH / "test.sqlite3"),
    LOG_LEVEL="WARNING",
)
if os.environ.get("HTTPS") == "1":
    # `check --deploy` checks the settings of a site behind https.
    os.environ["DEBUG"] = "0"
for name in [name for name in os.environ if name.startswith(("DISCOGS_", "PRICE_"))]:
    del os.environ[name]
