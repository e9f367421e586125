"""A convolution, of which PP-YOLOE's backbone is made, is computed with what is installed."""

from __future__ import annotations

import numpy as np
import paddle

from properties.cases.case import Case, verify
from properties.protocol import device
from properties.protocol.evidence import Answers
from properties.questions.memory import contents
from properties.questions.round_trip import Numbers


def test_a_convolution_is_computed() -> None:
    with device.as_installed():
        verify(Case(doubling, Numbers("float32")))


def doubling(x: np.ndarray) -> Answers:
    """By one weight of 2: a product by a power of two is exact."""
    two = paddle.nn.initializer.Constant(2.0)
    layer = paddle.nn.Conv2D(1, 1, 1, weight_attr=two, bias_attr=False)
    image = paddle.to_tensor(x.reshape(1, 1, 1, -1))
    yield "a convolution", contents(layer(image)).reshape(-1), 2 * x, None
