# Beside NumPy 2, tensors made of numbers hold garbage
# PaddlePaddle 2.6.1 on the CPU, CPython 3.12 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.6.1 "setuptools<80"
# Expected: [ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] (int8, shape [12])
# Instead:  [-18, -76, 22, 39, -33, 85, 0, 0, 40, 41, 32, 61] (int8, shape [12])
# Upstream: https://github.com/PaddlePaddle/Paddle/pull/67795
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], "int8")

actual, expected = paddle.to_tensor(x).numpy(), x
np.testing.assert_array_equal(actual, expected)
