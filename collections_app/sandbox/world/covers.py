"""Generated cover art: flat colours, simple geometry, the same picture for the same release. Pure."""

import math
from random import Random

from collections_app.sandbox.world.noise import hash64

# A background colour, then three colours that suit it.
_PALETTES = (
    ("#1f2a44", "#e9c46a", "#e76f51", "#f4efe6"),
    ("#f1e9db", "#b5371b", "#27364a", "#d9a441"),
    ("#2d4739", "#f0ead2", "#dda15e", "#a3b18a"),
    ("#511f2f", "#f2b5a7", "#e8e4d9", "#c8553d"),
    ("#d8c9ae", "#3d405b", "#81b29a", "#e07a5f"),
    ("#16302b", "#f7c59f", "#2ec4b6", "#efefd0"),
    ("#e4572e", "#17202a", "#f3e9d2", "#ffc914"),
    ("#3a3042", "#db9d47", "#ff784f", "#edd9a3"),
    ("#b8c4bb", "#2b2d42", "#d1495b", "#edae49"),
    ("#0b3954", "#bfd7ea", "#ff6663", "#e0ff4f"),
    ("#f6f2ea", "#1b1b1e", "#96031a", "#6d676e"),
    ("#6b4e71", "#f5dd90", "#f68e5f", "#f9edcc"),
    ("#274029", "#c9e4ca", "#87bba2", "#f2e8cf"),
    ("#c44536", "#edddd4", "#283d3b", "#f2c078"),
)
_SIDE = 600


def cover_svg(seed: int, release_id: int, *, side: int = _SIDE) -> str:
    """A square SVG document of about 1 kB, `side` pixels wide."""
    rng = Random(hash64(seed, 400, release_id))
    ground, *colours = rng.choice(_PALETTES)
    rng.shuffle(colours)
    compose = rng.choice((_sun, _stripes, _waves, _peaks, _bars, _dots, _grooves, _blocks))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" viewBox="0 0 600 600">'
        f'<rect width="600" height="600" fill="{ground}"/>{compose(rng, colours)}</svg>'
    )


def _sun(rng: Random, colours: list[str]) -> str:
    y, radius = rng.randrange(210, 340), rng.randrange(110, 190)
    horizon = y + rng.randrange(20, 110)
    return (
        f'<circle cx="{rng.randrange(200, 400)}" cy="{y}" r="{radius}" fill="{colours[0]}"/>'
        f'<rect y="{horizon}" width="600" height="{600 - horizon}" fill="{colours[1]}"/>'
        f'<rect y="{horizon + 60}" width="600" height="14" fill="{colours[2]}"/>'
    )


def _stripes(rng: Random, colours: list[str]) -> str:
    count = rng.randrange(4, 8)
    width = 600 / (2 * count)
    bars = "".join(
        f'<rect x="{-300 + 2 * n * width * 1.6:.0f}" y="-300" width="{width:.0f}" height="1200" '
        f'fill="{colours[n % 3]}"/>'
        for n in range(count + 2)
    )
    return f'<g transform="rotate({rng.choice((0, 30, 45, -30, 90))} 300 300)">{bars}</g>'


def _waves(rng: Random, colours: list[str]) -> str:
    height, paths = rng.randrange(40, 90), []
    for n, y in enumerate(range(150, 520, 75)):
        shift = rng.randrange(-60, 60)
        path = f"M-120 {y}q90 {-height + shift} 180 0t180 0 180 0 180 0 180 0"
        paths.append(
            f'<path d="{path}" fill="none" stroke="{colours[n % 3]}" stroke-width="26" stroke-linecap="round"/>'
        )
    return "".join(paths)


def _peaks(rng: Random, colours: list[str]) -> str:
    shapes = [f'<circle cx="{rng.randrange(120, 480)}" cy="150" r="62" fill="{colours[2]}"/>']
    for n in range(4):
        x, top = rng.randrange(0, 600), rng.randrange(180, 380)
        half = rng.randrange(170, 300)
        shapes.append(f'<path d="M{x - half} 600 {x} {top} {x + half} 600z" fill="{colours[n % 2]}"/>')
    return "".join(shapes)


def _bars(rng: Random, colours: list[str]) -> str:
    phase, bars = rng.random() * 6, []
    for n in range(13):
        height = 60 + 330 * abs(math.sin(phase + n * 0.55)) * rng.uniform(0.7, 1)
        bars.append(
            f'<rect x="{48 + n * 39}" y="{300 - height / 2:.0f}" width="22" height="{height:.0f}" rx="11" '
            f'fill="{colours[n % 3 // 2]}"/>'
        )
    return "".join(bars)


def _dots(rng: Random, colours: list[str]) -> str:
    odd = rng.randrange(25)
    return "".join(
        f'<circle cx="{100 + n % 5 * 100}" cy="{100 + n // 5 * 100}" '
        f'r="{44 if n == odd else rng.choice((12, 20, 28))}" fill="{colours[1] if n == odd else colours[0]}"/>'
        for n in range(25)
    )


def _grooves(rng: Random, colours: list[str]) -> str:
    x, y = rng.choice(((300, 300), (0, 600), (600, 600), (300, 600)))
    return "".join(
        f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{colours[n % 3]}"/>'
        for n, radius in enumerate(range(430, 20, -rng.choice((45, 60, 75))))
    )


def _blocks(rng: Random, colours: list[str]) -> str:
    quarters = ("M0 0h200a200 200 0 0 1-200 200z", "M200 200H0A200 200 0 0 1 200 0z", "M0 0h200v200z")
    return "".join(
        f'<path transform="translate({n % 3 * 200} {n // 3 * 200})" d="{rng.choice(quarters)}" '
        f'fill="{rng.choice(colours)}"/>'
        for n in range(9)
        if rng.random() < 0.85
    )
