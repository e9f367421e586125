# The backward pass of a product of empty tensors raises
# PaddlePaddle 2.5.2 on the CPU, CPython 3.10 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.5.2 "numpy<2" "setuptools<80"
# Expected: an answer
# Instead:  SystemError: (Fatal) Unable to fill empty grad inputs due to empty GradSlotMeta
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v2.5.2/paddle/fluid/eager/utils.cc
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1.0], "float32")
mask = np.array([False])

leaf, weights = paddle.to_tensor(x, stop_gradient=False), np.flip(x[mask]).copy()
selected = paddle.masked_select(leaf, paddle.to_tensor(mask))
(selected * paddle.to_tensor(weights)).sum().backward()
actual, expected = leaf.grad.numpy(), np.zeros_like(x)
expected[mask] = weights
np.testing.assert_array_equal(actual, expected)
