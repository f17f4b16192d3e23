"""The made-up data of the sandbox."""
