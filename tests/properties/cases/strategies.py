"""Selections, and the strategies that draw them: each says what it draws and how it shrinks.

A selection is drawn by its structure (a shape, a dtype and words of arrays.py), never element by
element, so that a case of half a million elements costs what a case of four does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Callable

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from properties.oracle.arrays import PATTERNS, ArrayView, literal, mask_of, values, view

Shape = tuple[int, ...]
FLOATS = ("float32", "float64")
OFFERED_EVERYWHERE = (*FLOATS, "int32", "int64")
OFFERED_BY_SOME = ("float16", "bfloat16", "int16", "complex64")
SEEDS = st.integers(0, 2**32 - 1)  # of `numpy.random.RandomState`
ONE_IN_THREE = st.sampled_from([False, False, True])
SMALL = 64  # arrays up to this many elements are spelled out in scripts
LARGE = (2**18, 2**20, 2**22)  # elements: 2**18 fill the CUDA kernel's grid
# shapes of a few rows, of widths that are no multiples of a vector load
ROWS = st.tuples(st.integers(1, 8), st.sampled_from([1, 3, 5, 1023, 1025, 1635]))


@dataclass(frozen=True)
class Selection:
    """An array `x` and a `mask`, named by the words of arrays.py: the inputs of a case."""

    shape: tuple[int, ...]
    dtype: str
    fill: str = "count"
    pattern: str = "all"
    seed: int = 0
    mask_shape: tuple[int, ...] | None = None  # None: the shape of x
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def x(self) -> np.ndarray:
        return values(self.shape, self.dtype, self.fill, self.seed)

    @property
    def mask(self) -> np.ndarray:
        return mask_of(self._mask_shape, self.pattern, self.seed)

    @property
    def arrays(self) -> dict[str, Any]:
        return {"x": self.x, "mask": self.mask}

    @property
    def _mask_shape(self) -> tuple[int, ...]:
        return self.shape if self.mask_shape is None else self.mask_shape

    def __str__(self) -> str:
        mask = f"mask {self.pattern}"
        if self.mask_shape is not None:
            mask += f" of shape {list(self.mask_shape)}"
        return f"x {self.dtype} {list(self.shape)} filled {self.fill}, {mask}, seed {self.seed}"

    def code(self) -> str:
        """Lines that make `x` and `mask` with the same bytes."""
        x = f"values({self.shape}, {self.dtype!r}, {self.fill!r}, {self.seed})"
        mask = f"mask_of({self._mask_shape}, {self.pattern!r}, {self.seed})"
        if self.x.size <= SMALL and self.mask.size <= SMALL:
            x, mask = literal(self.x), literal(self.mask)
        return f"x, mask = (\n    {x},\n    {mask},\n)"


def examples(most: int | None, values: int = 1) -> settings:
    """How many a property draws: as the profile says or, where each costs much, `most`.

    That is of 100: a profile of fewer draws as many fewer, but one at least. The simplest is always
    among them. A property of several values shares the profile's examples among up to five of them,
    ten each at least, as `quick` draws: most of a release's code is the same for each.
    """
    default: Any = settings.default
    given = default.max_examples
    if most is None:
        return settings(max_examples=max(given // min(values, 5), min(given, 10)))
    return settings(max_examples=max(1, most * min(given, 100) // 100))


def shapes(max_side: int = 7) -> st.SearchStrategy[Shape]:
    """Shapes of 1 to 5 dimensions without a zero. Shrinks to `(1,)`."""
    return npst.array_shapes(min_dims=1, max_dims=5, min_side=1, max_side=max_side)


@st.composite
def zero_size_shapes(draw: st.DrawFn) -> Shape:
    """Shapes of 1 to 5 dimensions, at least one of them zero. Shrinks to `(0,)`."""
    shape = draw(npst.array_shapes(min_dims=1, max_dims=5, min_side=0, max_side=5))
    axis = draw(st.integers(0, len(shape) - 1))
    return (*shape[:axis], 0, *shape[axis + 1 :])


@st.composite
def shapes_around(draw: st.DrawFn, size: int) -> Shape:
    """Shapes of one element more, the same, or one less than `size`. Shrinks to `(size + 1,)`."""
    total = size + draw(st.sampled_from([1, 0, -1]))
    rows = draw(st.sampled_from([1] + [n for n in (2, 3, 5, 64) if total % n == 0]))
    return draw(st.sampled_from([(total,), (rows, total // rows), (total // rows, 1, rows)]))


def selections(
    shape: st.SearchStrategy[Shape] | None = None,
    dtypes: Sequence[str] = OFFERED_EVERYWHERE,
    fills: Sequence[str] = ("count", "bits"),
    patterns: Sequence[str] = PATTERNS,
    mask_shape: Shape | None = None,
    **options: st.SearchStrategy[Any],
) -> st.SearchStrategy[Selection]:
    """An array and a mask of the same shape, one of `shapes()`, unless said otherwise.

    Shrinks to the first dtype, fill and pattern, with a small shape and seed 0: one element that
    is selected.
    """
    return st.builds(
        Selection,
        shape=shapes() if shape is None else shape,
        dtype=st.sampled_from(dtypes),
        fill=st.sampled_from(fills),
        pattern=st.sampled_from(patterns),
        seed=SEEDS,
        mask_shape=st.just(mask_shape),
        options=st.fixed_dictionaries(options),
    )


def large_selections(
    size: int, dtypes: Sequence[str] = OFFERED_EVERYWHERE
) -> st.SearchStrategy[Selection]:
    """Numbered elements, as many as `size` or one more or less. Shrinks to a mask of half of them.

    In every dtype that is offered everywhere the numbers differ, up to 2**24.
    """
    patterns = ("half", "all but first", "last", "dense", "block edges")
    return selections(shapes_around(size), dtypes, ["count"], patterns)


def ppyoloe_selections(
    shapes: Sequence[Shape] = ((8, 8400, 68), (8, 8400, 4), (8, 8400)),
    dtypes: Sequence[str] = ("float32",),
    mask_shape: Shape | None = None,
) -> st.SearchStrategy[Selection]:
    """What PP-YOLOE selects from in a batch of 8 images of 640 pixels: 20,000 of 67,200 anchors.

    640 pixels have 80**2 + 40**2 + 20**2 = 8,400 anchors, each with 4 * 17 logits of distances, 4
    sides of a box, a score and a label.
    """
    shape = st.sampled_from(shapes)
    return selections(shape, dtypes, ["count"], ["anchors"], mask_shape)


def mixed_selections(
    shape: st.SearchStrategy[Shape] | None = None,
    dtypes: Sequence[str] = OFFERED_EVERYWHERE,
    fills: Sequence[str] = ("count", "bits"),
) -> st.SearchStrategy[Selection]:
    """Selections of which the mask chooses something and leaves something out.

    Shrinks to two elements, the first of them chosen.
    """
    patterns = ("first", *(name for name in PATTERNS if name not in ("all", "none", "first")))
    several = (shapes() if shape is None else shape).filter(lambda sides: np.prod(sides) > 1)
    return selections(several, dtypes, fills, patterns).map(choosing_some)


@st.composite
def leading_selections(
    draw: st.DrawFn,
    dtypes: Sequence[str] = OFFERED_EVERYWHERE,
    fills: Sequence[str] = ("count", "bits"),
) -> Selection:
    """A mask over one or more of x's leading axes, but not all. Shrinks to `(2, 1)` and `(2,)`.

    The mask chooses something and leaves something out.
    """
    shape = draw(npst.array_shapes(min_dims=2, max_dims=5, min_side=1, max_side=7))
    axes = draw(st.integers(1, len(shape) - 1))
    selection = draw(mixed_selections(st.just((max(2, shape[0]), *shape[1:])), dtypes, fills))
    return choosing_some(replace(selection, mask_shape=selection.shape[:axes]))


def choosing_some(selection: Selection) -> Selection:
    """The selection, by its first element alone where its mask is True or False everywhere."""
    mask = selection.mask
    mixed = mask.any() and not mask.all()
    return selection if mixed else replace(selection, pattern="first")


@st.composite
def broadcast_selections(
    draw: st.DrawFn, dtypes: Sequence[str] = OFFERED_EVERYWHERE, fills: Sequence[str] = ("count",)
) -> Selection:
    """Shapes of x and mask that differ and broadcast together. Shrinks to `(1,)` and `(2,)`."""
    pairs = npst.mutually_broadcastable_shapes(num_shapes=2, min_dims=1, max_dims=4, max_side=5)
    pair = pairs.filter(lambda both: both.input_shapes[0] != both.input_shapes[1])
    shape, mask_shape = draw(pair).input_shapes
    return draw(selections(st.just(shape), dtypes, fills, mask_shape=mask_shape))


@st.composite
def unfitting_selections(draw: st.DrawFn) -> Selection:
    """Shapes of x and mask that do not broadcast together. Shrinks to `(2,)` and `(3,)`."""
    shape = draw(npst.array_shapes(min_dims=1, max_dims=4, min_side=2, max_side=5))
    axis = draw(st.integers(0, len(shape) - 1))
    other = draw(st.integers(2, 6).filter(lambda side: side != shape[axis]))
    mask_shape = draw(st.sampled_from([shape[axis:], shape]))
    place = len(mask_shape) - (len(shape) - axis)
    mask_shape = (*mask_shape[:place], other, *mask_shape[place + 1 :])
    return draw(selections(st.just(shape), fills=["count"], mask_shape=mask_shape))


@st.composite
def view_selections(
    draw: st.DrawFn,
    /,
    drawn: Callable[..., st.SearchStrategy[Selection]] = selections,
    **given: Sequence[str],
) -> Selection:
    """Selections of `viewed_shapes`, seen as views. Shrinks to views of the whole, in its order.

    More than 60 of 100 such views are stored in another order than their own.
    """
    selection = draw(drawn(viewed_shapes(), **given))
    anyhow = views(selection.shape)
    turned = anyhow.filter(lambda seen: stored_in_another_order(selection.shape, seen))
    return replace(selection, options={"seen": draw(anyhow | turned | turned)})


def stored_in_another_order(shape: Shape, seen: ArrayView) -> bool:
    """Whether the strides of the view matter: its next element may stand before the last one."""
    places = view(np.arange(np.prod(shape)).reshape(shape), seen)
    return bool((np.diff(places.reshape(-1)) < 0).any())


@st.composite
def viewed_shapes(draw: st.DrawFn) -> Shape:
    """Shapes of 2 to 5 dimensions, of which two at least are 2 or more. Shrinks to `(2, 2)`."""
    sides = draw(st.lists(st.integers(2, 6), min_size=2, max_size=2))
    sides += draw(st.lists(st.integers(1, 4), max_size=3))
    return tuple(draw(st.permutations(sides)))


@st.composite
def views(draw: st.DrawFn, shape: Shape) -> ArrayView:
    """A permutation of the axes, then a slice of every axis, never empty.

    Shrinks to the axes in their order and to whole slices.
    """
    permutation = draw(st.permutations(range(len(shape))))
    index = tuple(draw(slices(shape[axis])) for axis in permutation)
    return ArrayView(tuple(permutation), index)


@st.composite
def slices(draw: st.DrawFn, side: int) -> slice:
    """Of an axis of `side` elements the whole or, one time in three, a part; either way round.

    A part takes at least one element, at steps of 1 to 3. Shrinks to the whole, forwards.
    """
    backwards, in_part = draw(st.booleans()), draw(ONE_IN_THREE)
    if not in_part:
        return slice(None, None, -1 if backwards else None)
    start = draw(st.integers(0, side - 1))
    stop, step = draw(st.integers(start + 1, side)), draw(st.integers(1, 3))
    return (
        slice(stop - 1, start - 1 if start else None, -step)
        if backwards
        else slice(start, stop, step)
    )
