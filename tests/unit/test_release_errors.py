"""Which errors say "not offered": the words are those of the releases, without their stacks."""

from __future__ import annotations

import pytest
from properties.protocol.release_errors import in_one_line, says_not_offered

HINT = "\n  [Hint: Expected kernel_iter != kernels.end().] (at ../paddle/phi/kernel_factory.cc:199)"


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (
            "(NotFound) Operator masked_select does not have kernel for "
            "data_type[::paddle::platform::complex<float>]:data_layout[ANY_LAYOUT]",
            "Operator masked_select does not have kernel for "
            "data_type[::paddle::platform::complex<float>]",
        ),
        (
            "(NotFound) Operator elementwise_sub does not have kernel for {data_type[bool]; "
            "data_layout[Undefined(AnyLayout)]; place[Place(cpu)]; library_type[PLAIN]}.",
            "Operator elementwise_sub does not have kernel for {data_type[bool]",
        ),
        (
            "UnimplementedError: There are no kernels which are registered in the masked_select "
            "operator.",
            "There are no kernels which are registered in the masked_select operator",
        ),
        (
            "(NotFound) The kernel with key (CPU, NCHW, int8) of kernel `masked_select` "
            "is not registered.",
            "The kernel with key (CPU, NCHW, int8) of kernel `masked_select` is not registered",
        ),
        (
            "(NotFound) The kernel with key (CPU, Undefined(AnyLayout), bool) of kernel "
            "`masked_select` is not registered. Selected wrong DataType `bool`.",
            "The kernel with key (CPU, Undefined(AnyLayout), bool) of kernel `masked_select` "
            "is not registered",
        ),
        (
            "The data type of 'x' in paddle.tensor.search.mask_select must be ['float16', "
            "'int32'], but received int8.",
            "The data type of 'x' in paddle.tensor.search.mask_select must be ['float16', "
            "'int32'], but received int8",
        ),
    ],
    ids=["2.2", "2.3, operator by operator", "2.3", "2.4", "2.5", "3.0 static"],
)
def test_a_missing_kernel_is_not_offered(raised: str, said: str) -> None:
    assert says_not_offered(RuntimeError(raised + HINT)) == said


@pytest.mark.parametrize(
    "raised",
    [
        "(OutOfRange) label value should >= 0 when label value is not ignore_index",
        "Target -1 is out of lower bound.",
        "(External) CUDA error(716), misaligned address.",
        "(InvalidArgument) The dim size of input and mask in OP(masked_selected) must be equal",
        "(PreconditionNotMet) The size of tensor x (3) must match the size of tensor y (2)",
    ],
)
def test_an_error_where_an_answer_was_due_is_not_that(raised: str) -> None:
    assert says_not_offered(ValueError(raised + HINT)) is None


def test_a_propertys_own_patterns_are_tried_too() -> None:
    error = ValueError("(InvalidArgument) The dim size must be equal, but got (2, 3)")
    assert says_not_offered(error, ["The dim size must be equal"]) == "The dim size must be equal"


def test_the_stack_and_the_origin_are_left_out() -> None:
    raised = (
        'In user code:\n\n    File "somewhere/search.py", line 9, in masked_select\n'
        "      helper.append_op(\n\n    InvalidArgumentError: shapes differ." + HINT
    )
    assert in_one_line(ValueError(raised)) == "InvalidArgumentError: shapes differ."


def test_an_error_without_words_is_called_by_its_name() -> None:
    assert in_one_line(KeyError()) == "KeyError"
