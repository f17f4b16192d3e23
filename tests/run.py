"""`python -m tests.run [PATHS or options of pytest]`: run the tests on SQLite, then on PostgreSQL.

Prints what was skipped. Tests marked `long` run only with `make faults`.
"""

import os
import shutil
import subprocess
import sys

import psycopg

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")


def postgres_listens() -> bool:
    try:
        psycopg.connect(POSTGRES.replace("postgres://", "postgresql://"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def run_suite(name: str, paths: list[str], **extra: str) -> bool:
    sys.stdout.write(f"\n=== Tests on {name}\n")
    sys.stdout.flush()
    chosen = paths if "-m" in paths else ["-m", "not long", *paths]
    command = [sys.executable, "-m", "pytest", *chosen]
    return subprocess.run(command, env={**os.environ, **extra}, check=False).returncode == 0


def main(paths: list[str]) -> int:
    skipped = []
    passed = run_suite("SQLite", paths)
    if postgres_listens():
        passed = run_suite("PostgreSQL", paths, TEST_DATABASE_URL=POSTGRES) and passed
    else:
        skipped.append("every test on PostgreSQL: no server is listening at 127.0.0.1:5432")
        passed = passed and os.environ.get("REQUIRE_POSTGRES") != "1"
    if shutil.which("chromium") is None:
        skipped.append("the browser tests: Chromium is not installed")
        passed = passed and os.environ.get("REQUIRE_CHROMIUM") != "1"
    sys.stdout.write("\n" + "".join(f"Skipped {line}\n" for line in skipped))
    sys.stdout.write("All tests passed.\n" if passed else "Some tests failed.\n")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
