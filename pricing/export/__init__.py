"""Export everything about a user as one file, and restore it on another site.

`sections` declares the content of the file for both directions, in terms of `shape` and `kinds`; `write` creates it,
`read` validates it, `store` restores it.
"""

from pricing.export.read import Refused
from pricing.export.store import RestoreResult, restore
from pricing.export.write import document, file_name

__all__ = ["Refused", "RestoreResult", "document", "file_name", "restore"]
