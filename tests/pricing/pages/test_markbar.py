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
    assert {label.lane for label in labels} == set(range(len(texts)))  # so no two texts are beside each other
    for label in labels:
        at, size = label.share * width, CHARACTER * len(label.text)
        low, high = (at - size + label.dx, at + label.dx) if label.ends_here else (at, at + size + label.dx)
        assert low >= -1e-6
        assert high <= width + 1e-6
    for first, second in combinations(labels, 2):
        near, far = sorted((first, second), key=lambda label: label.lane)
        at, line = near.share * width, far.share * width
        size = CHARACTER * len(near.text)
        begins, ends = (at - size, at) if near.ends_here else (at, at + size)
        assert not begins + 1e-6 < line < ends - 1e-6


def test_bar_without_marks_has_no_label():
    assert placed([]) == []
