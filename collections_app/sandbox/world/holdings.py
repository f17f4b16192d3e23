"""Users of the sandbox and their collections. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import islice, zip_longest
from random import Random

MEDIA_GRADES = {
    "Mint (M)": 4,
    "Near Mint (NM or M-)": 25,
    "Very Good Plus (VG+)": 40,
    "Very Good (VG)": 18,
    "Good Plus (G+)": 6,
    "Good (G)": 4,
    "Fair (F)": 2,
    "Poor (P)": 1,
}
SLEEVE_GRADES = {**MEDIA_GRADES, "Generic": 4, "Not Graded": 3, "No Cover": 2}
FREE_NOTES = (
    "Bought at the Saturday market",
    "small tear on the spine; plays fine",
    "Geschenk von Oma 🎁",
    '=1+1 <b>signed</b> on the "back"',
    "see [r=12] for the other pressing",
    "Needs a new inner sleeve\nand a clean",
)
DEFAULT_FOLDERS = {1: "Uncategorized"}


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the collection's notes; `options` only for a drop-down."""

    id: int
    name: str
    public: bool
    options: tuple[str, ...] = ()


DEFAULT_FIELDS = (
    Field(1, "Media Condition", True, tuple(MEDIA_GRADES)),
    Field(2, "Sleeve Condition", True, tuple(SLEEVE_GRADES)),
    Field(3, "Notes", False),
)
PAID_FIELD = Field(4, "Paid", False)


@dataclass(frozen=True, slots=True)
class Copy:
    """One owned copy. `notes` maps field id to text; {} means that the row has no `notes` key."""

    instance_id: int
    release_id: int
    folder_id: int
    rating: int
    date_added: datetime
    notes: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Want:
    release_id: int
    date_added: datetime
    rating: int = 0
    notes: str = ""


@dataclass(frozen=True, slots=True)
class SandboxUser:
    """A Discogs user. `curr_abbr` may be ""; without a `seller_currency` price suggestions are 404."""

    id: int
    username: str
    token: str | None
    curr_abbr: str = "USD"
    seller_currency: str | None = None
    private: bool = False
    folders: dict[int, str] = field(default_factory=lambda: dict(DEFAULT_FOLDERS))
    fields: tuple[Field, ...] = DEFAULT_FIELDS
    copies: tuple[Copy, ...] = ()
    wants: tuple[Want, ...] = ()

    def folder_counts(self) -> dict[int, int]:
        """Copies by folder id, 0 being all."""
        counts = {0: len(self.copies), **dict.fromkeys(self.folders, 0)}
        for copy in self.copies:
            counts[copy.folder_id] += 1
        return counts


def with_notes(copies: tuple[Copy, ...], notes: Iterable[Mapping[int, str] | None]) -> tuple[Copy, ...]:
    """The copies with other notes by field id, one entry for each of the first copies; None leaves one unchanged."""
    given = zip_longest(copies, islice(notes, len(copies)))
    return tuple(
        copy if of_copy is None else replace(copy, notes=_by_number(of_copy)) for copy, of_copy in given
    )


def edited(
    user: SandboxUser,
    copy: Copy,
    *,
    folder_id: int | None = None,
    rating: int | None = None,
    notes: Mapping[int, str] | None = None,
) -> Copy:
    """The changed copy. KeyError for a folder or field that the user does not have."""
    known, edits = {field.id for field in user.fields}, _by_number(notes or {})
    folder = copy.folder_id if folder_id is None else folder_id
    if folder not in user.folders or not edits.keys() <= known:
        raise KeyError(folder if folder not in user.folders else sorted(edits.keys() - known))
    kept = {number: text for number, text in {**copy.notes, **edits}.items() if text}
    return replace(copy, folder_id=folder, rating=copy.rating if rating is None else rating, notes=kept)


def _by_number(notes: Mapping[int, str]) -> dict[int, str]:
    # In JSON all keys are texts.
    return {int(number): text for number, text in notes.items()}


def pacific(moment: datetime) -> datetime:
    """The same moment with the offset that Discogs prints (−07:00 in summer, −08:00 in winter)."""
    summer_from = _sunday(moment.year, 3, 2) + timedelta(hours=10)
    summer_to = _sunday(moment.year, 11, 1) + timedelta(hours=9)
    hours = -7 if summer_from <= moment < summer_to else -8
    return moment.astimezone(timezone(timedelta(hours=hours)))


def _sunday(year: int, month: int, nth: int) -> datetime:
    first = datetime(year, month, 1, tzinfo=UTC)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))


def random_datetime(rng: Random, before: date, days: int) -> datetime:
    """A moment in the `days` before the given day, to the second."""
    end = datetime(before.year, before.month, before.day, tzinfo=UTC)
    return pacific(end - timedelta(seconds=rng.randrange(1, days * 86_400)))


def day_start(day: date) -> datetime:
    """Midnight UTC of a day, with the Pacific offset."""
    return pacific(datetime(day.year, day.month, day.day, tzinfo=UTC))


def plain_copies(
    rng: Random, release_ids: Iterable[int], *, first_instance: int, before: date, folders: dict[int, str]
) -> tuple[Copy, ...]:
    """Graded copies of the given releases, added over the three years before a day; a tenth have no notes."""
    ids = list(folders)
    return tuple(
        Copy(
            instance_id=first_instance + n,
            release_id=release_id,
            folder_id=rng.choice(ids),
            rating=rng.choice((0, 0, 0, 3, 4, 5)),
            date_added=random_datetime(rng, before, 3 * 365),
            notes={} if rng.random() < 0.1 else _grades(rng),
        )
        for n, release_id in enumerate(release_ids)
    )


def plain_wants(rng: Random, release_ids: Iterable[int], *, before: date) -> tuple[Want, ...]:
    """Wants of the given releases, added over the seven hundred days before a day."""
    return tuple(Want(release_id, random_datetime(rng, before, 700)) for release_id in release_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPlan:
    """What a new user has.

    `release_ids` are the releases owned (repeats are copies). Without them the user owns `count` distinct, existing
    releases drawn from those of the world, and from beyond if these are too few. `fields` are names of columns after
    the three of Discogs, such as "Paid" (4). `notes` replace those of the first copies; None leaves a copy's own.
    """

    release_ids: Iterable[int] | None = None
    count: int = 0
    wants: Iterable[int] = ()
    curr_abbr: str = "USD"
    seller_currency: str | None = None
    private: bool = False
    folders: Iterable[str] = ()
    fields: Iterable[str] = ()
    notes: Iterable[Mapping[int, str] | None] = ()

    def apply(
        self, user: SandboxUser, rng: Random, ids: Iterable[int], *, first_instance: int, before: date
    ) -> SandboxUser:
        """The user with copies of these releases and everything else that is planned."""
        folders = {**DEFAULT_FOLDERS, **dict(enumerate(self.folders, start=2))}
        own = (Field(n, name, False) for n, name in enumerate(self.fields, start=len(DEFAULT_FIELDS) + 1))
        copies = plain_copies(rng, ids, first_instance=first_instance, before=before, folders=folders)
        return replace(
            user,
            curr_abbr=self.curr_abbr,
            seller_currency=self.seller_currency,
            private=self.private,
            folders=folders,
            fields=(*DEFAULT_FIELDS, *own),
            copies=with_notes(copies, self.notes),
            wants=plain_wants(rng, self.wants, before=before),
        )


def _grades(rng: Random) -> dict[int, str]:
    media = rng.choices(list(MEDIA_GRADES), weights=list(MEDIA_GRADES.values()))[0]
    sleeve = rng.choices(list(SLEEVE_GRADES), weights=list(SLEEVE_GRADES.values()))[0]
    notes = {1: media if rng.random() > 0.01 else "VG++ (own scale)"}
    if rng.random() < 0.9:
        notes[2] = sleeve
    if rng.random() < 0.15:
        notes[3] = rng.choice(FREE_NOTES)
    return notes


def with_paid(rng: Random, copy: Copy, worth: float) -> Copy:
    """The copy with its "Paid" note, written the way owners write it; `worth` in the owner's currency."""
    amount = max(1.0, worth * rng.uniform(0.4, 1.1))
    texts = (f"€{amount:.2f}", f"{amount:.0f}", f"USD {amount:.0f}", f"{amount:.2f}".replace(".", ","))
    text = "about 10?" if rng.random() < 0.04 else rng.choices(texts, weights=(60, 20, 8, 12))[0]
    return replace(copy, notes={**copy.notes, PAID_FIELD.id: text})
