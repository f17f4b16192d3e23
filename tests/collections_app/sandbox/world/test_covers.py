"""The generated cover art of the sandbox Discogs."""

from collections_app.sandbox.world.covers import cover_svg


def test_covers_are_deterministic_and_differ() -> None:
    art = {cover_svg(1, n) for n in range(1, 60)}

    assert len(art) == 59
    assert cover_svg(1, 5) == cover_svg(1, 5)
    assert 'width="150"' in cover_svg(1, 5, side=150)
