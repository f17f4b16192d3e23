"""Labels of marks never collide, wherever the marks are and however wide the bar is."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from pricing.pages.markbar import CHARACTER, MIN_WIDTH, placed

shares = st.floats(0, 1) | st.sampled_from([0, 0.001, 0.2, 0.4999, 0.5, 0.5001, 0.8, 0.999, 1])
widths = st.floats(MIN_WIDTH, 1_200)
ours = st.tuples(shares, shares).map(lambda found: list(zip(("Listings", "By grade"), found, strict=True)))
theirs = st.tuples(shares, shares, shares).map(
    lambda found: list(zip(("Minimum", "Median", "Maximum"), sorted(found), strict=True))
)


@given(texts=ours | theirs, width=widths)
def test_labels_and_lines_never_collide(texts, width):
    labels = placed(texts)
    assert [(label.text, label.share) for label in labels] == texts
    for label in labels:
        low, high = extent(label, width)
        assert low >= -1e-6
        assert high <= width + 1e-6
    for first, second in combinations(labels, 2):
        near, far = sorted((first, second), key=lambda label: label.lane)
        begins, ends = extent(near, width)
        if near.lane == far.lane:
            assert extent(far, width)[1] <= begins + 1e-6 or ends <= extent(far, width)[0] + 1e-6
        assert not begins + 1e-6 < far.share * width < ends - 1e-6


def extent(label, width):
    """Where the text begins and ends."""
    at, size = label.share * width + label.dx, CHARACTER * len(label.text)
    return (at - size, at) if label.ends_here else (at, at + size)


def test_labels_use_as_few_lanes_as_fit():
    assert [label.lane for label in placed([("Minimum", 0.0), ("Maximum", 1.0)])] == [0, 0]
    assert {label.lane for label in placed([("Minimum", 0.5), ("Maximum", 0.51)])} == {0}
    assert {label.lane for label in placed([("Minimum", 0.1), ("Maximum", 0.11)])} == {0, 1}


def test_bar_without_marks_has_no_label():
    assert placed([]) == []
