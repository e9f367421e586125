"""What the strategies draw, and what they shrink to."""

from __future__ import annotations

from typing import Callable

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from properties.cases.strategies import (
    Selection,
    broadcast_selections,
    examples,
    leading_selections,
    mixed_selections,
    ppyoloe_selections,
    selections,
    shapes,
    shapes_around,
    slices,
    unfitting_selections,
    view_selections,
    zero_size_shapes,
)
from properties.oracle.arrays import ArrayView, view


def anything(_: object) -> bool:
    return True


def test_a_selection_shrinks_to_one_element_that_is_selected() -> None:
    assert find(selections(), anything) == Selection((1,), "float32", "count", "all", 0)


def test_a_selection_shrinks_to_the_fewest_elements_that_fail() -> None:
    found = find(selections(), lambda case: case.mask.sum() >= 3)
    assert np.prod(found.shape) == 3


@pytest.mark.parametrize("size", [4, 1024, 262144])
@given(data=st.data())
def test_shapes_around_a_size_hold_it_or_one_more_or_less(size: int, data: st.DataObject) -> None:
    assert abs(int(np.prod(data.draw(shapes_around(size)))) - size) <= 1


@given(zero_size_shapes())
def test_zero_size_shapes_hold_no_element(shape: tuple[int, ...]) -> None:
    assert np.prod(shape) == 0


@given(shapes())
def test_shapes_have_one_to_five_dimensions_without_a_zero(shape: tuple[int, ...]) -> None:
    assert 1 <= len(shape) <= 5
    assert 0 not in shape


@given(broadcast_selections())
def test_broadcast_selections_have_two_shapes_that_fit(selection: Selection) -> None:
    assert selection.shape != selection.mask_shape
    np.broadcast_shapes(selection.x.shape, selection.mask.shape)


@given(unfitting_selections())
def test_unfitting_selections_have_two_shapes_that_do_not_fit(selection: Selection) -> None:
    with pytest.raises(ValueError, match="shape mismatch"):
        np.broadcast_shapes(selection.x.shape, selection.mask.shape)


@given(view_selections())
def test_a_view_leaves_elements_to_select(selection: Selection) -> None:
    assert view(selection.x, selection.options["seen"]).size > 0


@pytest.mark.parametrize("drawn", [selections, mixed_selections])
def test_of_most_views_the_strides_matter(
    drawn: Callable[..., st.SearchStrategy[Selection]],
) -> None:
    matter = []

    @settings(max_examples=300, derandomize=True, database=None)
    @given(view_selections(drawn))
    def draw_one(selection: Selection) -> None:
        whole = np.arange(np.prod(selection.shape)).reshape(selection.shape)
        places = view(whole, selection.options["seen"]).reshape(-1)
        matter.append(bool((np.diff(places) < 0).any()))

    draw_one()
    assert np.mean(matter) > 0.6


def test_a_viewed_selection_shrinks_to_a_view_of_the_whole() -> None:
    found = find(view_selections(), anything)
    assert (found.shape, found.options["seen"]) == ((2, 2), ArrayView((0, 1), (slice(None),) * 2))


def test_a_slice_shrinks_to_the_whole_axis() -> None:
    assert find(slices(5), anything) == slice(None)


@given(side=st.integers(1, 7), data=st.data())
def test_a_slice_takes_an_element_at_least(side: int, data: st.DataObject) -> None:
    assert len(range(side)[data.draw(slices(side))]) > 0


@given(selections())
def test_a_case_is_one_short_line(selection: Selection) -> None:
    line = str(selection)
    assert "\n" not in line
    assert len(line) < 120


@given(selections(shapes_around(1024), ["float16", "bfloat16", "complex64"]))
def test_a_large_case_is_made_again_by_its_code(selection: Selection) -> None:
    from properties.oracle import arrays

    scope = {"values": arrays.values, "mask_of": arrays.mask_of}
    exec(selection.code(), scope)
    made = [np.asarray(scope[name]).tobytes() for name in ("x", "mask")]
    assert made == [selection.x.tobytes(), selection.mask.tobytes()]


def test_a_mixed_selection_shrinks_to_two_elements() -> None:
    assert find(mixed_selections(), anything) == Selection((2,), "float32", "count", "first", 0)


@given(mixed_selections() | leading_selections())
def test_a_mixed_mask_is_neither_all_true_nor_all_false(selection: Selection) -> None:
    assert 0 < selection.mask.sum() < selection.mask.size


@given(leading_selections())
def test_a_leading_mask_has_the_first_sides_of_x_but_not_all(selection: Selection) -> None:
    shape = selection.mask.shape
    assert 0 < len(shape) < selection.x.ndim
    assert selection.x.shape[: len(shape)] == shape


@given(ppyoloe_selections())
@settings(max_examples=5)
def test_what_ppyoloe_selects_is_whole_anchors(selection: Selection) -> None:
    mask = selection.mask.reshape(8, 8400, -1)
    assert (mask == mask[:, :, :1]).all()
    assert 18_000 < mask[:, :, 0].sum() < 22_000


@pytest.mark.parametrize(("profile", "drawn"), [(1000, 4), (100, 4), (50, 2), (10, 1)])
def test_a_profile_of_fewer_examples_scales_the_most(profile: int, drawn: int) -> None:
    settings.register_profile("of this test", max_examples=profile)
    settings.load_profile("of this test")
    try:
        assert examples(4).max_examples == drawn
    finally:
        settings.load_profile("harness")
