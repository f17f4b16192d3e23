"""Refresh order: errors of the users' totals, replayed with the product's estimator, weights, threshold and order."""

import os
import statistics
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import django

from tests.benchmarks.market import CALMER, FIRST, WILDER, Temper
from tests.benchmarks.table import Row, at_most, fact

SEEDS = (1, 2, 3)
MAX_OLDEST = 26  # days


@dataclass(frozen=True)
class Scene:
    """A market, its users, and how many of the releases a day's requests can read."""

    name: str
    users: int
    share: float
    bound: float | None  # of the error, relative to round-robin
    temper: Temper = FIRST
    against_before: bool = True


SCENES = (
    Scene("30 users, a fifth a day", 30, 0.2, 0.25),
    Scene("30 users, a tenth a day", 30, 0.1, 0.35),
    Scene("200 users, a fifth a day", 200, 0.2, 0.25),
    Scene("one user, a fifth a day", 1, 0.2, 0.6, against_before=False),
    Scene("30 users, a fifth, calmer market", 30, 0.2, None, CALMER),
    Scene("30 users, a fifth, wilder market", 30, 0.2, None, WILDER),
)


@dataclass(frozen=True)
class Figures:
    """Root mean square of the relative errors for each policy, and the age of the oldest reading in days."""

    round_robin: float
    before: float
    product: float
    told_the_truth: float
    oldest_days: float


def run() -> list[Row]:
    worlds = [(scene, seed) for scene in SCENES for seed in SEEDS]
    with ProcessPoolExecutor(max_workers=os.cpu_count(), mp_context=get_context("spawn")) as pool:
        figures = list(pool.map(_measured, worlds))
    rows = []
    for number, scene in enumerate(SCENES):
        rows += _rows(scene, figures[number * len(SEEDS) : (number + 1) * len(SEEDS)])
    return rows


def _rows(scene: Scene, figures: list[Figures]) -> list[Row]:
    """Means over the seeds."""
    ratio = statistics.mean(each.product / each.round_robin for each in figures)
    before = statistics.mean(each.product / each.before for each in figures)
    truth = statistics.mean(each.product / each.told_the_truth for each in figures)
    name = scene.name
    return [
        fact(f"{name}: error with round-robin", statistics.mean(each.round_robin for each in figures), "%"),
        at_most(f"{name}: error / round-robin", ratio, scene.bound)
        if scene.bound
        else fact(f"{name}: error / round-robin", ratio),
        at_most(f"{name}: error / the order before", before, 0.6)
        if scene.against_before
        else fact(f"{name}: error / the order before", before),
        at_most(f"{name}: error / the rule told the true variance", truth, 1.25),
        at_most(f"{name}: oldest reading", max(each.oldest_days for each in figures), MAX_OLDEST, "days"),
    ]


def _measured(world: tuple[Scene, int]) -> Figures:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    # Models need a configured Django.
    from tests.benchmarks import replay
    from tests.benchmarks.market import Market, made_collections

    scene, seed = world

    def outcome(policy: "replay.Policy") -> "replay.Outcome":
        market = Market(scene.temper, seed=seed)
        collections = made_collections(market, users=scene.users, seed=seed)
        return replay.replay(replay.Site(market, collections), policy, share=scene.share)

    product = outcome(replay.Product())
    return Figures(
        round_robin=outcome(replay.RoundRobin()).rmse,
        before=outcome(replay.Before()).rmse,
        product=product.rmse,
        told_the_truth=outcome(replay.ToldTheTruth()).rmse,
        oldest_days=product.oldest_days,
    )
