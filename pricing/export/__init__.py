"""Everything of a user in one file, out of the site and into another one.

`sections` declares what the file holds, for both directions, in terms of `shape` and `kinds`; `write` makes it,
`read` checks it, `store` brings it in.
"""

from pricing.export.read import Refused
from pricing.export.store import RestoreResult, restore
from pricing.export.write import document, file_name

__all__ = ["Refused", "RestoreResult", "document", "file_name", "restore"]
