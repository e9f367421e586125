# x[isnan(x)] = 0 leaves the NaN in place
# PaddlePaddle 2.5.2 on the CPU, CPython 3.10 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.5.2 "numpy<2" "setuptools<80"
# Expected: [77., 2.] (float32, shape [2])
# Instead:  [nan, 2.] (float32, shape [2])
# Upstream: https://github.com/PaddlePaddle/Paddle/pull/35133
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([np.nan, 2.0], "float32")
mask = np.array([True, False])

actual = paddle.to_tensor(x)
actual[paddle.to_tensor(mask)] = 77
actual, expected = actual.numpy(), x.copy()
expected[mask] = 77
np.testing.assert_array_equal(actual, expected)
