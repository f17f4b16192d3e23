"""The environment of a test run, set before Django reads its settings.

TEST_DATABASE_URL chooses the database; without it the tests run on SQLite.
"""

import os
import tempfile
from pathlib import Path

_scratch = Path(tempfile.mkdtemp(prefix="crateworth-tests-"))

os.environ.update(
    ENV_FILE=os.devnull,
    DEBUG="0",
    HTTPS="0",
    SECRET_KEY="only-for-tests-" + "x" * 40,
    CREDENTIAL_KEYS="Y3JhdGV3b3J0aC1rZXktZm9yLXRlc3RzLW9ubHktMzI=",
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{_scratch / 'unused.sqlite3'}",
    TEST_DATABASE_FILE=str(_scratch / "test.sqlite3"),
    LOG_LEVEL="WARNING",
)
for name in [name for name in os.environ if name.startswith(("DISCOGS_", "PRICE_"))]:
    del os.environ[name]
