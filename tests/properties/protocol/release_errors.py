"""What a release's errors say: which of them mean "not offered", and all of them in one line."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Each matches the sentence to be quoted. Seen in 2.2.2-3.3.1; a wrong answer raises none of them.
NOT_OFFERED = (
    r"Operator \w+ does not have kernel for \{?data_type\[[\w:<>]+\]",
    r"The kernel with key \([^`]*\) of kernel `\w+` is not registered",
    r"There are no kernels which are registered in the \w+ operator",
    r"The data type of '\w+' in \S+ must be \[[^]]*\], but received \w+(?:\.\w+)*",
)
# Each of these is said to a few properties alone, which hand it to `verify`.
NO_BROADCAST = (  # before 2.6
    r"The dim size of input and mask in OP\(masked_selected\) must be equal",
)
NO_INTEGER_ASSIGNMENT = (  # 2.2
    r"Only support float and double tensor for bool index, but received \S+\w",
)
NO_MASK_ALONE = (r"where\(\) missing 2 required positional arguments: 'x' and 'y'",)  # 2.2
NO_NUMBER = (r"'(float|int)' object has no attribute 'shape'",)  # where of 2.2
NO_INDICES_WITHOUT_AXES = (r"Input\(Condition\) should have number of dimension at least 1",)
NO_HALF_ON_CPU = (r"float16 can only be used on GPU or NPU( or MLU)? place",)  # 2.2 and 2.3
NO_INT32_LABELS = (
    r"Tensor holds the wrong type, it holds int, but desires to be int64_t",  # 2.2
    r"Type promotion only support calculations .* x: int64, y: int32",  # from 3.0, in a training
)
NO_CONTEXT = (  # an operator in a context: test_contexts.py
    *NO_MASK_ALONE,
    *NO_INTEGER_ASSIGNMENT,
    # Second gradients, before 3.1.1.
    r"The Op \w+ doesn't have any grad ?op",
    r"The 0-th input does not appear in the backward graph",
    r"The rank of input should be less than 7",  # x[mask] = v, before 2.6
    r"The number of elements \(\d+\) of 'shape' for \S* ?must not be greater than 6",  # in 2.6
    r"In static mode, the __setitem__ \([^)]*\) should not be used",  # 2.5 and 2.6
)
STACK = r'In user code:.* (?=\w+Error: )|File "[^"]*", line \d+, in \S+'
ORIGIN = r"\s*\[(?:Hint|operator <).*|\s*\(at \S+:\d+\).*"


def says_not_offered(error: BaseException, patterns: Sequence[str] = ()) -> str | None:
    """The release's own words where they say "not offered", in one line; else None.

    `patterns` are tried besides NOT_OFFERED.
    """
    text = in_one_line(error)
    for pattern in (*NOT_OFFERED, *patterns):
        found = re.search(pattern, text)
        if found:
            return found.group()
    return text if isinstance(error, NotImplementedError) else None


def in_one_line(error: BaseException) -> str:
    """The error's message, without the call stack before it and the C++ origin behind it."""
    text = printable(" ".join(str(error).split()))
    return re.sub(ORIGIN, "", re.sub(STACK, "", text)).strip() or type(error).__name__


def printable(text: str) -> str:
    """The text without what no file in UTF-8 can hold: half of a pair of surrogates."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
