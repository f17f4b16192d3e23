"""`python -m tests.within COMMAND …`: run a command in the environment of the tests, without any .env."""

import os
import sys
from pathlib import Path

from tests import environment

assert environment.SCRATCH.exists()

if __name__ == "__main__":
    bin_directory = Path(sys.executable).parent
    command, *words = sys.argv[1:]
    os.environ["PATH"] = f"{bin_directory}{os.pathsep}{os.environ['PATH']}"
    os.execvp(command, [command, *words])
