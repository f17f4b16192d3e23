"""`python -m config.keys`: write the keys that the first start needs to .env; existing keys are kept."""

import os
import secrets
import sys
from pathlib import Path

from cryptography.fernet import Fernet

ENV_FILE = Path(__file__).resolve().parent.parent / ".env"


def add_missing_keys(file: Path) -> list[str]:
    """Append SECRET_KEY and CREDENTIAL_KEYS to `file` unless it or the environment has them; return the added names."""
    text = file.read_text() if file.exists() else ""
    written = {line.split("=", 1)[0].strip() for line in text.splitlines() if "=" in line}
    present = {name.removeprefix("export ").strip() for name in written} | set(os.environ)
    made = {"SECRET_KEY": secrets.token_urlsafe(50), "CREDENTIAL_KEYS": Fernet.generate_key().decode()}
    added = [name for name in made if name not in present]
    if added:
        lines = "".join(f"{name}={made[name]}\n" for name in added)
        # The file is created with these permissions, so it is never readable by other users.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a") as stream:
            stream.write(("\n" if text and not text.endswith("\n") else "") + lines)
        file.chmod(0o600)
    return added


if __name__ == "__main__":
    new = add_missing_keys(ENV_FILE)
    if new:
        sys.stdout.write(
            f"Wrote {' and '.join(new)} into {ENV_FILE.name}. Keep that file: it decrypts stored credentials.\n"
        )
