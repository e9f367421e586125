"""A short script for a case in a record, as a person would write it: plain paddle and NumPy.

It is made from the case's words, so it needs NumPy and no Paddle. What is due is said by NumPy in
the script itself. On a release that is right it ends with exit status 0.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from properties.cases.regressions import read_regressions
from properties.oracle.arrays import mask_of, reverse, values
from properties.oracle.loss_arrays import dfl_inputs

WIDTH = 100
MOST = 64  # elements that are written out
SELECTION = re.compile(
    r"x (\w+) \[([\d, ]*)\] filled (\w+), mask ([\w ]+?)(?: of shape \[([\d, ]*)\])?, seed (\d+)"
)
NUMBERS = re.compile(r"x (\w+) \[(\d+)\] filled count")
LABELS = re.compile(
    r"dfl_inputs\((.+)\), (label|target) (\S+?)(?:, label_dtype (int32|int64))?, place (\d+)"
)
PUBLISHED = re.compile(r"([\w-]+), published in \S+, call ([\w ]+)")


class Body(NamedTuple):
    """The lines that ask: of `x` and MASK, which stands for each of `masks` in turn.

    They make `actual` and `expected`, which are then compared.
    """

    lines: str
    masks: Sequence[str] = ("mask",)


BOTH = ("mask", "~mask")
EACH_WAY = ("mask", "np.flip(mask)")
EVERY = (*BOTH, "np.flip(mask)", "~np.flip(mask)")
READING = Body("""
actual = paddle.to_tensor(x)[paddle.to_tensor(MASK)].numpy()
expected = x[MASK]
""")
WRITING = """
actual = paddle.to_tensor(x)
actual[paddle.to_tensor(MASK)] = VALUE
actual = actual.numpy()
expected = x.copy()
expected[MASK] = value
"""
WRITING_GRADIENT = """
leaf = paddle.to_tensor(x, stop_gradient=False)
values = paddle.to_tensor(WRITTEN, stop_gradient=False)
y = leaf.clone()
y[paddle.to_tensor(MASK)] = values
y.backward(paddle.to_tensor(upstream))
for_x = upstream.copy()
for_x[MASK] = 0
np.testing.assert_array_equal(leaf.grad.numpy(), for_x)
"""
FILLED = """
actual = paddle.masked_fill(paddle.to_tensor(x), paddle.to_tensor(MASK), VALUE).numpy()
expected = np.where(MASK, value, x)
"""
BODIES = {
    "there_and_back": Body("\nactual = paddle.to_tensor(x).numpy()\nexpected = x\n"),
    "reading_alike": READING,
    "boolean index": READING,  # the call of a published case
    "masked_select": Body("""
actual = paddle.masked_select(paddle.to_tensor(x), paddle.to_tensor(MASK)).numpy()
expected = x[MASK]
"""),
    "assigning_elements": Body(
        "\nvalue = np.flip(x)[MASK]" + WRITING.replace("VALUE", "paddle.to_tensor(value)"), EVERY
    ),
    "assigning_an_element": Body(
        "\nvalue = x.reshape(-1)[-1:].copy()" + WRITING.replace("VALUE", "paddle.to_tensor(value)")
    ),
    "assigning_over_nan": Body("\nvalue = 77" + WRITING.replace("VALUE", "value")),
    "assigning_gradient": Body(
        "\nupstream = np.flip(x).copy()"
        + WRITING_GRADIENT.replace("WRITTEN", "x[MASK]")
        + "actual, expected = values.grad.numpy(), upstream[MASK]\n"
    ),
    "assigning_gradient_of_one": Body(
        "\nupstream = x"
        + WRITING_GRADIENT.replace("WRITTEN", "np.array([77], x.dtype)")
        + "actual, expected = values.grad.numpy(), upstream[MASK].sum(keepdims=True)\n"
    ),
    "choosing": Body(
        """
for a, b in ((x, np.flip(x).copy()), (np.flip(x).copy(), x)):
    actual = paddle.where(*map(paddle.to_tensor, (MASK, a, b))).numpy()
    expected = np.where(MASK, a, b)
    COMPARE
""",
        EACH_WAY,
    ),
    "filling": Body("\nvalue = np.array(77, x.dtype)" + FILLED.replace("VALUE", "77"), BOTH),
    "filling_with_an_element": Body(
        "\nvalue = x.reshape(-1)[-1:].reshape([])\nelement = paddle.to_tensor(value)"
        + FILLED.replace("VALUE", "element"),
        EVERY,
    ),
    "filling_gradient_by_value": Body("""
for x_is_constant in (True, False):
    tensor = paddle.to_tensor(x, stop_gradient=x_is_constant)
    value = paddle.to_tensor(np.array(77, x.dtype), stop_gradient=False)
    y = paddle.masked_fill(tensor, paddle.to_tensor(MASK), value)
    y.backward(paddle.to_tensor(x))
    actual, expected = value.grad.numpy(), x[MASK].sum()
    COMPARE
"""),
    "gradient_of_sum": Body("""
leaf = paddle.to_tensor(x, stop_gradient=False)
paddle.masked_select(leaf, paddle.to_tensor(MASK)).sum().backward()
actual, expected = leaf.grad.numpy(), MASK.astype(x.dtype)
"""),
    "indices": Body(
        """
array = np.where(MASK, x, np.zeros([], x.dtype))
actual, expected = paddle.nonzero(paddle.to_tensor(array)).numpy(), np.argwhere(array)
""",
        EACH_WAY,
    ),
    "static_program": Body(
        """
paddle.enable_static()
with paddle.static.program_guard(paddle.static.Program()):
    arrays = {"x": x, "mask": MASK}
    given = [paddle.static.data(n, [None] * a.ndim, str(a.dtype)) for n, a in arrays.items()]
    selected = paddle.masked_select(*given)
    (actual,) = paddle.static.Executor().run(feed=arrays, fetch_list=[selected])
assert actual is not None
expected = x[MASK]
""",
        EACH_WAY,
    ),
}
ENTROPY = "cross_entropy(logits, {}, reduction='none')"
LABEL = f"""
label = paddle.to_tensor(np.array([GIVEN], "int64"))
try:
    loss = {ENTROPY.format("label")}
"""
TARGET = f"""
target = paddle.to_tensor(np.array([GIVEN], DTYPE))
label = target.floor().astype(LABELS) - LOW  # as in the DFL of PP-YOLOE: the bin below
share = target - target.floor()  # of the bin above
try:
    loss = {ENTROPY.format("label")} * (1 - share)
    loss += {ENTROPY.format("label + 1")} * share
"""
REFUSED = """except (ValueError, IndexError) as error:
    print("refused, as is right:", error)
else:
    assert not np.isfinite(loss.numpy()).all(), f"no error, but a loss of {loss.numpy()}"
"""
INT32_PLUS_INT64 = """
int32, int64 = paddle.to_tensor([1], "int32"), paddle.to_tensor([2], "int64")
try:
    print(int32 + int64)
except TypeError as error:
    assert "promotion" in str(error), error  # later releases refuse it, and say why
"""


def script_of(case: str, expected: str, actual: str) -> str:
    """The lines below the head of the script; '' where the case is of no form that is known here.

    `case`, `expected` and `actual` are the words of a record's evidence.
    """
    question, _, about = case.partition(": ")
    if case.startswith("pip install "):
        return "import paddle\n"
    if question == "finite_steps" and "unsupported operand type(s) for +" in actual:
        return f'import paddle\n\npaddle.set_device("cpu")\n{INT32_PLUS_INT64.lstrip()}'
    if found := LABELS.fullmatch(about):
        return whole(label_body(*found.groups()))
    arrays = arrays_of(question, about)
    if published := PUBLISHED.fullmatch(about):
        question = published[2]
    if question not in BODIES or not arrays or any(array.size > MOST for array in arrays.values()):
        return ""
    made = "".join(f"{name} = {code_of(array)}\n" for name, array in arrays.items())
    return whole(made + asking(BODIES[question], arrays.get("mask"), compare(expected, actual)))


def whole(body: str) -> str:
    """The program around a body, on the CPU; each line as wide as a page."""
    entropy = "from paddle.nn.functional import cross_entropy\n" if "cross_entropy" in body else ""
    head = f"import numpy as np\nimport paddle\n{entropy}\npaddle.set_device('cpu')\n"
    text = f"{head}{body.strip()}\n"
    return "".join(f"{fold(line)}\n" for line in text.replace("'", '"').splitlines())


def fold(line: str) -> str:
    """The line, broken between the elements of its array where it is too long."""
    if len(line) <= WIDTH or "[" not in line:
        return line
    return textwrap.fill(line, WIDTH, subsequent_indent="    ", break_on_hyphens=False)


def asking(body: Body, mask: np.ndarray | None, comparison: str) -> str:
    """The body for each of its masks that is another array, and the comparison."""
    lines = body.lines if "COMPARE" in body.lines else f"{body.lines}COMPARE\n"
    lines = re.sub(r"^( *)COMPARE$", lambda m: textwrap.indent(comparison, m[1]), lines, flags=re.M)
    if mask is None:
        return lines
    made = {"mask": mask, "~mask": ~mask}
    made |= {"np.flip(mask)": reverse(mask), "~np.flip(mask)": reverse(~mask)}
    different = {made[name].tobytes(): name for name in reversed(body.masks)}
    names = [name for name in body.masks if name in different.values()]
    if len(names) == 1:
        return lines.replace("MASK", names[0])
    loop = f"\nfor chosen in ({', '.join(names)}):\n"
    return loop + textwrap.indent(lines.replace("MASK", "chosen").lstrip(), "    ")


def compare(expected: str, actual: str) -> str:
    """The lines that compare what the record says differs: the values, the bits, or the dtype."""
    dtypes = [re.search(r"\((\w+), shape", words) for words in (expected, actual)]
    if bits := re.match(r"\[*'0x([0-9a-f]+)'", expected):
        seen = f'.view("uint{4 * len(bits[1])}")'
        return f"np.testing.assert_array_equal(actual{seen}, expected{seen})"
    lines = ["np.testing.assert_array_equal(actual, expected)"]
    if len({found[1] for found in dtypes if found} - {"object"}) == 2:
        lines.append("assert actual.dtype == expected.dtype, actual.dtype")
    return "\n".join(lines)


def arrays_of(question: str, about: str) -> dict[str, np.ndarray]:
    """The arrays that the words name: {} where they are too large, or of another form."""
    if found := NUMBERS.fullmatch(about):
        return (
            {"x": values((int(found[2]),), found[1], "count", 0)} if int(found[2]) <= MOST else {}
        )
    if found := PUBLISHED.fullmatch(about):
        (told,) = (case for case in read_regressions() if case.name == found[1])
        return {name: array for name, array in told.arrays.items() if name != "right"}
    if not (found := SELECTION.fullmatch(about)):
        return {}
    dtype, sides, fill, pattern, mask_sides, seed = found.groups()
    shape = tuple(map(int, re.findall(r"\d+", sides)))
    mask_shape = shape if mask_sides is None else tuple(map(int, re.findall(r"\d+", mask_sides)))
    if prod(shape) > MOST or prod(mask_shape) > MOST:
        return {}
    x, mask = values(shape, dtype, fill, int(seed)), mask_of(mask_shape, pattern, int(seed))
    if question == "assigning_over_nan":  # what x holds there, as the question has it
        x[mask] = np.resize(np.array([np.nan, np.inf, -np.inf, 1e30], dtype), mask.sum())
    return {"x": x, "mask": mask}


def label_body(words: str, kind: str, given: str, label_dtype: str | None, place: str) -> str:
    """A cross entropy, or the DFL of one side, of the label or target that is out of range."""
    call: Any = ast.parse(f"dfl_inputs({words})", mode="eval").body
    inputs = dfl_inputs(**{word.arg: ast.literal_eval(word.value) for word in call.keywords})
    (low, high), dtype = inputs.reg_range, str(inputs.logits.dtype)
    logits = inputs.logits.reshape(-1, high - low)[int(place)][None]
    lines = (LABEL if kind == "label" else TARGET).replace("GIVEN", given)
    lines = lines.replace("DTYPE", repr(dtype)).replace("LABELS", repr(label_dtype))
    lines = lines.replace(" - LOW", f" - {low}" if low else "")
    return f"logits = paddle.to_tensor({code_of(logits)}){lines}{REFUSED}"


def code_of(array: np.ndarray) -> str:
    """An expression that makes the array again, byte for byte."""
    if not array.size:
        return f"np.zeros({list(array.shape)}, {array.dtype.name!r})"
    listed = array.tolist()
    if array.dtype.kind == "f":  # as few digits as the dtype needs
        listed = np.array([float(str(v)) for v in array.ravel()]).reshape(array.shape).tolist()
    if array.dtype.kind != "c" or np.isfinite(array).all():
        text = re.sub(r"\b(nan|inf)\b", r"np.\1", str(listed))
        read = np.array(eval(text, {"np": np}), array.dtype)  # text that was made a line above
        if read.tobytes() == array.tobytes():
            dtype = "" if array.dtype == bool else f", {array.dtype.name!r}"
            return f"np.array({text}{dtype})"
    raw = f"uint{8 * min(array.itemsize, 8)}"
    width = 2 + 2 * min(array.itemsize, 8)
    bits = re.sub(r"\d+", lambda m: f"{int(m[0]):#0{width}x}", str(array.view(raw).tolist()))
    return f"np.array({bits}, {raw!r}).view({array.dtype.name!r})"
