"""A short script for a case in a record, as a person would write it: plain paddle and NumPy.

It is made from the case's words, so it needs NumPy and no Paddle. What is due is said by NumPy in
the script itself. On a release that is right it ends with exit status 0. How each question is asked
stands in `short_scripts.toml`.
"""

from __future__ import annotations

import ast
import re
import textwrap
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import tomllib

from properties.cases.regressions import read_regressions
from properties.oracle.arrays import denormals, mask_of, reverse, values
from properties.oracle.box_loss import DflInputs
from properties.oracle.loss_arrays import confident_inputs, dfl_inputs

WIDTH = 100
MOST = 64  # elements that are written out
SELECTION = re.compile(
    r"x (\w+) \[([\d, ]*)\] filled (\w+), mask ([\w ]+?)(?: of shape \[([\d, ]*)\])?, seed (\d+)"
)
CONTEXT = re.compile(r"(.*, seed \d+), operator (.+?)(?:, axis (\d+)|, sign (\S+))?")
THRESHOLDS = {"==": 3, "!=": 5, "<": 4, "<=": 3}  # of the comparison that makes a mask
NUMBERS = re.compile(r"x (\w+) \[(\d+)\] filled count")
LABELS = re.compile(
    r"(dfl_inputs\(.+\)), (label|target) (\S+?)(?:, label_dtype (int32|int64))?, place (\d+)"
)
CONFIDENT = re.compile(r"confident_inputs\(.+\)")
NOTHING = re.compile(r"dtype (\w+), classes (\d+), sides (\d+), reduction (\w+)")
PUBLISHED = re.compile(r"([\w-]+), published in \S+, call boolean index")
TEMPLATES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def script_of(case: str, expected: str, actual: str) -> str:
    """The lines below the head of the script; '' where the case is of no form that is known here.

    `case`, `expected` and `actual` are the words of a record's evidence.
    """
    question, _, about = case.partition(": ")
    about, _, number = about.partition(", number ")
    if case.startswith("pip install "):
        return "import paddle\n"
    if question == "finite_steps":
        known = "unsupported operand type(s) for +" in actual
        return whole(TEMPLATES[question]["lines"]) if known else ""
    if found := LABELS.fullmatch(about):
        return whole(of_label(*found.groups()))
    if CONFIDENT.fullmatch(about):
        return whole(of_confident(about))
    if found := NOTHING.fullmatch(about):
        return whole(of_nothing(*found.groups()))
    if found := PUBLISHED.fullmatch(about):
        question = "reading_alike"
    if found := CONTEXT.fullmatch(about):
        asked = in_context(question, compare(expected, actual), *found.groups())
        return asked and whole(asked)
    arrays = arrays_of(question, about)
    if question not in TEMPLATES or not arrays or max(a.size for a in arrays.values()) > MOST:
        return ""
    asked = asking(question, arrays, compare(expected, actual))
    return whole(code_of_all(arrays) + asked.replace("NUMBER", number))


def whole(body: str) -> str:
    """The program around a body, on the CPU. An array that is too long goes on below."""
    head = "import numpy as np\n" if "np." in body else ""
    head += "import paddle\n"
    head += "from paddle.nn.functional import cross_entropy\n" if "cross_entropy" in body else ""
    text = f'{head}\npaddle.set_device("cpu")\n{body.strip()}\n'
    filled = (
        textwrap.fill(line, WIDTH, subsequent_indent="    ", break_on_hyphens=False)
        if len(line) > WIDTH and "[" in line
        else line
        for line in text.splitlines()
    )
    return "".join(f"{line}\n" for line in filled)


def asking(question: str, arrays: dict[str, np.ndarray], comparison: str) -> str:
    """The template's lines for each of its masks that is another array, with the comparison."""
    lines = re.sub(
        r"^( *)COMPARE$",
        partial(indented, comparison),
        TEMPLATES[question]["lines"],
        flags=re.MULTILINE,
    )
    if (mask := arrays.get("mask")) is None:
        return f"\n{lines}"
    made = {"mask": mask, "~mask": ~mask}
    made |= {"np.flip(mask)": reverse(mask), "~np.flip(mask)": reverse(~mask)}
    wanted = TEMPLATES[question].get("masks", ["mask"])
    names = sorted({made[name].tobytes(): name for name in wanted[::-1]}.values(), key=wanted.index)
    if len(names) == 1:
        return "\n" + lines.replace("MASK", "mask")
    loop = f"\nfor chosen in ({', '.join(names)}):\n"
    return loop + textwrap.indent(lines.replace("MASK", "chosen"), "    ")


def in_context(
    question: str, comparison: str, about: str, operator: str, axis: str | None, sign: str | None
) -> str:
    """The lines for an operator in a context; '' where the arrays are too large."""
    arrays = arrays_of(question, about)
    if not arrays or question not in TEMPLATES["contexts"]:
        return ""
    context: dict[str, str] = TEMPLATES["contexts"][question]
    called = TEMPLATES["operators"][operator]
    words = {**TEMPLATES["kinds"][called["kind"]], "GRADIENT": context.get("gradient", "")}
    words |= {"AXIS": str(axis), "SIGN": f"{sign} {THRESHOLDS.get(str(sign))}"}
    lines = context["lines"]
    if words["GRADIENT"] and "UPSTREAM" in words:
        lines += TEMPLATES["contexts"]["gradient"]["lines"].lstrip()
    for name, text in {"MADE": called["made"], "COMPARE": comparison, **words}.items():
        block = re.compile(rf"^( *){name}$", re.MULTILINE)
        lines = block.sub(partial(indented, text), lines).replace(name, text)
    return code_of_all(arrays) + lines.replace("VALUE", context.get("value", "77"))


def indented(text: str, found: re.Match[str]) -> str:
    return textwrap.indent(text, found[1])


def compare(expected: str, actual: str) -> str:
    """The lines that compare what the record says differs: the values, the bits, or the dtype."""
    if bits := re.match(r"\[*'0x([0-9a-f]+)'", expected):
        seen = f'.view("uint{4 * len(bits[1])}")'
        return f"np.testing.assert_array_equal(actual{seen}, expected{seen})"
    found = {dtype for text in (expected, actual) for dtype in re.findall(r"\((\w+), shape", text)}
    same = "np.testing.assert_array_equal(actual, expected)"
    differ = len(found - {"object"}) == 2
    return f"{same}\nassert actual.dtype == expected.dtype, actual.dtype" if differ else same


def arrays_of(question: str, about: str) -> dict[str, np.ndarray]:
    """The arrays that the words name: {} where they are too large, or of another form."""
    if found := NUMBERS.fullmatch(about):
        return (
            {"x": values((int(found[2]),), found[1], "count", 0)} if int(found[2]) <= MOST else {}
        )
    if found := PUBLISHED.fullmatch(about):
        (told,) = (case for case in read_regressions() if case.name == found[1])
        return {name: told.arrays[name] for name in ("x", "mask")}
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
    if question == "indices_of_denormals":
        x = denormals(shape, x.dtype)
    return {"x": x, "mask": mask}


def of_label(call: str, kind: str, given: str, label_dtype: str | None, place: str) -> str:
    """The cross entropy, or the DFL of one side, of a label or a target that is out of range."""
    inputs = inputs_of(call)
    low, high = inputs.reg_range
    logits = inputs.logits.reshape(-1, high - low)[int(place)][None]
    lines: str = TEMPLATES[kind]["lines"]
    lines = lines.replace("GIVEN", given).replace("LABELS", str(label_dtype))
    return code_of_all({"logits": logits}) + lines.replace(" - LOW", f" - {low}" if low else "")


def of_confident(call: str) -> str:
    """The cross entropy of one prediction that is sure of a wrong bin."""
    inputs = inputs_of(call)
    label = int(np.floor(inputs.targets[0, 0])) - inputs.reg_range[0]
    lines: str = TEMPLATES["confident"]["lines"]
    return code_of_all({"logits": inputs.logits[0, :1]}) + lines.replace("LABEL", str(label))


def of_nothing(dtype: str, classes: str, sides: str, reduction: str) -> str:
    """The cross entropy of no rows."""
    lines: str = TEMPLATES["nothing"]["lines"]
    words = {"SIDES": sides, "CLASSES": classes, "DTYPE": dtype, "REDUCTION": reduction}
    for word, given in words.items():
        lines = lines.replace(word, given)
    return lines


def inputs_of(call: str) -> DflInputs:
    """The inputs that a case names by this call."""
    parsed: Any = ast.parse(call, mode="eval").body
    words = {word.arg: ast.literal_eval(word.value) for word in parsed.keywords}
    return confident_inputs(**words) if "height" in words else dfl_inputs(**words)


def code_of_all(arrays: dict[str, np.ndarray]) -> str:
    return "".join(f"{name} = {code_of(array)}\n" for name, array in arrays.items())


def code_of(array: np.ndarray) -> str:
    """An expression that makes the array again, byte for byte."""
    name = array.dtype.name
    if not array.size:
        return f'np.zeros({list(array.shape)}, "{name}")'
    listed = array.tolist()
    if array.dtype.kind == "f":  # as few digits as the dtype needs
        listed = np.array([float(str(v)) for v in array.ravel()]).reshape(array.shape).tolist()
    if array.dtype.kind != "c" or np.isfinite(array).all():
        text = re.sub(r"\b(nan|inf)\b", r"np.\1", str(listed))
        read = np.array(eval(text, {"np": np}), array.dtype)  # text that was made a line above
        if read.tobytes() == array.tobytes():
            return f"np.array({text})" if name == "bool" else f'np.array({text}, "{name}")'
    size = min(array.itemsize, 8)
    raw = str(array.view(f"uint{8 * size}").tolist())
    bits = re.sub(r"\d+", lambda found: f"0x{int(found[0]):0{2 * size}x}", raw)
    return f'np.array({bits}, "uint{8 * size}").view("{name}")'
