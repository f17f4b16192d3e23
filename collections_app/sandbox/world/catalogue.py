"""The made-up catalogue: the facts of one release from (seed, id), stored nowhere. Pure."""

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from collections_app.sandbox.world import names
from collections_app.sandbox.world.noise import hash64

MAX_RELEASE_ID = 10_000_000
_ODD_SHARE = 80  # one title in this many is an odd one


@dataclass(frozen=True, slots=True)
class Artist:
    """A credit: `name` may end in " (2)", `anv` is the name as printed or "", `join` leads to the next."""

    id: int
    name: str
    anv: str = ""
    join: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    id: int
    name: str
    catno: str


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    qty: int
    descriptions: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    position: str
    title: str
    duration: str


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """The facts of a release, which never change. `year` 0, `country` "" and `master_id` 0 mean unknown or none."""

    id: int
    title: str
    artists: tuple[Artist, ...]
    labels: tuple[Label, ...]
    formats: tuple[Format, ...]
    genres: tuple[str, ...]
    styles: tuple[str, ...]
    year: int
    country: str
    master_id: int
    tracklist: tuple[Track, ...]
    notes: str


@lru_cache(maxsize=8_192)
def release_facts(seed: int, release_id: int) -> ReleaseFacts:
    """The facts of a release; KeyError outside 1…10,000,000."""
    if not 1 <= release_id <= MAX_RELEASE_ID:
        raise KeyError(release_id)
    rng = Random(hash64(seed, 100, release_id))
    genres = _genres(rng)
    formats = _formats(rng)
    year = 0 if rng.random() < 0.05 else min(2026, int(rng.triangular(1955, 2026, 1998)))
    return ReleaseFacts(
        id=release_id,
        title=odd_title(seed, release_id) or _title(rng),
        artists=_artists(rng, seed),
        labels=tuple(_label(rng, seed) for _ in range(2 if rng.random() < 0.1 else 1)),
        formats=formats,
        genres=genres,
        styles=_styles(rng, genres),
        year=year,
        country="" if rng.random() < 0.04 else rng.choice(names.COUNTRIES),
        master_id=0 if rng.random() < 0.22 else 50_000 + rng.randrange(2_000_000),
        tracklist=_tracklist(rng, formats[0]),
        notes=rng.choice(names.NOTES),
    )


def odd_title(seed: int, release_id: int) -> str | None:
    """The odd title of this release if it is one of the few that have one."""
    draw = hash64(seed, 101, release_id)
    if draw % _ODD_SHARE:
        return None
    return names.ODD_TITLES[draw // _ODD_SHARE % len(names.ODD_TITLES)]


@lru_cache(maxsize=8_192)
def artist_name(seed: int, artist_id: int) -> str:
    """The name of an artist, sometimes with Discogs' disambiguation suffix."""
    rng = Random(hash64(seed, 102, artist_id))
    pick = rng.randrange(6)
    noun, adjective, surname = rng.choice(names.NOUN), rng.choice(names.ADJECTIVE), rng.choice(names.SURNAME)
    name = (
        f"{rng.choice(names.FIRST)} {surname}",
        f"{rng.choice(names.FIRST)} {surname} {rng.choice(('Trio', 'Quartet', 'Ensemble', 'Orchestra'))}",
        f"The {adjective} {noun}s",
        f"{noun} & {rng.choice(names.NOUN)} Union",
        "".join(rng.sample(names.SYLLABLE, 3)).title(),
        f"{adjective} {surname}",
    )[pick]
    return f"{name} ({rng.randrange(2, 9)})" if rng.random() < 0.08 else name


def _artists(rng: Random, seed: int) -> tuple[Artist, ...]:
    if rng.random() < 0.03:
        return (Artist(id=194, name="Various"),)
    count = rng.choices((1, 2, 3), weights=(86, 11, 3))[0]
    ids = [1_000 + rng.randrange(1_500) for _ in range(count)]
    joins = [rng.choice(("&", ",", "feat.", "Vs.")) for _ in ids[1:]] + [""]
    return tuple(_credit(rng, seed, id_, join) for id_, join in zip(ids, joins, strict=True))


def _credit(rng: Random, seed: int, artist_id: int, join: str) -> Artist:
    name = artist_name(seed, artist_id)
    anv = name.split(" (")[0].upper() if rng.random() < 0.06 else ""
    return Artist(id=artist_id, name=name, anv=anv, join=join)


def _label(rng: Random, seed: int) -> Label:
    label_id = 500 + rng.randrange(160)
    word = names.LABEL_WORD[label_id % len(names.LABEL_WORD)]
    end = names.LABEL_END[hash64(seed, 103, label_id) % len(names.LABEL_END)]
    prefix = "".join(part[0] for part in f"{word} {end}".split() if part[0].isalpha()).upper()
    catno = "none" if rng.random() < 0.03 else f"{prefix} {rng.randrange(1, 400):03d}"
    return Label(id=label_id, name=f"{word} {end}".strip(), catno=catno)


def _formats(rng: Random) -> tuple[Format, ...]:
    weights = [weight for *_, weight in names.FORMATS]
    name, qty, descriptions, _ = rng.choices(names.FORMATS, weights=weights)[0]
    text = rng.choice(names.FORMAT_TEXTS)
    main = Format(name=name, qty=qty, descriptions=descriptions, text=text)
    if name == "Vinyl" and rng.random() < 0.04:
        return (main, Format(name="CD", qty=1, descriptions=("Album",)))
    return (main,)


def _genres(rng: Random) -> tuple[str, ...]:
    known = tuple(names.STYLES)
    first = rng.choices(known, weights=names.GENRE_WEIGHTS)[0]
    second = rng.choice(known)
    return (first, second) if rng.random() < 0.2 and second != first else (first,)


def _styles(rng: Random, genres: tuple[str, ...]) -> tuple[str, ...]:
    pool = [style for genre in genres for style in names.STYLES[genre]]
    return tuple(rng.sample(pool, min(len(pool), rng.choice((0, 1, 1, 2, 2, 3)))))


def _title(rng: Random) -> str:
    adjective, noun, other = rng.choice(names.ADJECTIVE), rng.choice(names.NOUN), rng.choice(names.NOUN)
    return rng.choice(
        (
            f"{adjective} {noun}",
            f"The {noun} Sessions",
            f"{noun} / {other}",
            f"{adjective} {noun} EP",
            f"Live At {rng.choice(names.PLACE)}",
            f"Letters From {rng.choice(names.PLACE)}",
            f"{noun}, {noun}, {other}",
            f"{adjective} Hours",
            f"{noun} No. {rng.randrange(2, 40)}",
            noun,
        )
    )


def _tracklist(rng: Random, main: Format) -> tuple[Track, ...]:
    count = 2 if "Single" in main.descriptions else rng.randrange(4, 13)
    sides = "ABCDEF" if main.name != "CD" else ""
    per_side = -(-count // (2 * main.qty)) if sides else count
    return tuple(
        Track(
            position=f"{sides[n // per_side]}{n % per_side + 1}" if sides else str(n + 1),
            title=_title(rng),
            duration="" if rng.random() < 0.2 else f"{rng.randrange(2, 9)}:{rng.randrange(60):02d}",
        )
        for n in range(count)
    )
