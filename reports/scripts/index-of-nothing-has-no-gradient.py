# x[mask] of nothing passes no gradient back
# PaddlePaddle 2.5.2 on the CPU, CPython 3.10 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.5.2 "numpy<2" "setuptools<80"
# Expected: an answer
# Instead:  AssertionError: no gradient reached x
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v2.5.2/python/paddle/fluid/variable_index.py
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1.0, 2.0], "float32")
mask = np.array([False, False])

leaf = paddle.to_tensor(x, stop_gradient=False)
(leaf[paddle.to_tensor(mask)] * 3).sum().backward()
assert leaf.grad is not None, "no gradient reached x"
actual, expected = leaf.grad.numpy(), 3 * mask.astype(x.dtype)
np.testing.assert_array_equal(actual, expected)
