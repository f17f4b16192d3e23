"""The models: connections to Discogs, releases, the copies users own, imports, and the gate of all requests."""

from collections_app.models.api import ApiGate, ApiMinute, Capability
from collections_app.models.collection import (
    CollectionField,
    CollectionInstance,
    CollectionInstanceQuerySet,
    Decision,
    Folder,
    GradeEdit,
    OwnValue,
    PriceDecision,
    Release,
    WantlistItem,
)
from collections_app.models.connection import DiscogsConnection, PendingAuthorisation, Preferences
from collections_app.models.imports import ImportPass, ImportPassQuerySet

__all__ = [
    "ApiGate",
    "ApiMinute",
    "Capability",
    "CollectionField",
    "CollectionInstance",
    "CollectionInstanceQuerySet",
    "Decision",
    "DiscogsConnection",
    "Folder",
    "GradeEdit",
    "ImportPass",
    "ImportPassQuerySet",
    "OwnValue",
    "PendingAuthorisation",
    "Preferences",
    "PriceDecision",
    "Release",
    "WantlistItem",
]
