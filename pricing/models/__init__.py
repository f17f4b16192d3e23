"""The models of prices and of the engine: snapshots, latest prices, jobs, runs, daily values, heartbeats, alerts."""

from pricing.models.health import HealthAlert, WorkerHeartbeat
from pricing.models.prices import (
    CollectionValue,
    DiscogsRange,
    Doubt,
    EarlierPrice,
    ExchangeRate,
    MarketDay,
    MarketReading,
    MarketStat,
    NearMintPrice,
    PriceBaseline,
    PriceSnapshot,
    ReleasePrice,
    priced_has_amount,
)
from pricing.models.sources import SourceAttempt
from pricing.models.uncertainty import Calibration, MarketClass, OwnerTotal, WeightPass
from pricing.models.work import PriceJob, PriceJobQuerySet, RunItem, SyncRun, SyncRunQuerySet, ValueRequest

__all__ = [
    "Calibration",
    "CollectionValue",
    "DiscogsRange",
    "Doubt",
    "EarlierPrice",
    "ExchangeRate",
    "HealthAlert",
    "MarketClass",
    "MarketDay",
    "MarketReading",
    "MarketStat",
    "NearMintPrice",
    "OwnerTotal",
    "PriceBaseline",
    "PriceJob",
    "PriceJobQuerySet",
    "PriceSnapshot",
    "ReleasePrice",
    "RunItem",
    "SourceAttempt",
    "SyncRun",
    "SyncRunQuerySet",
    "ValueRequest",
    "WeightPass",
    "WorkerHeartbeat",
    "priced_has_amount",
]
