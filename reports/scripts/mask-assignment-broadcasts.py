# x[mask] = values repeats the values instead of writing one after the other
# PaddlePaddle 2.6.2 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==2.6.2 "numpy<2" "setuptools<80"
# Expected: [[4., 2.], [2., 4.]] (float32, shape [2, 2])
# Instead:  [[4., 2.], [4., 4.]] (float32, shape [2, 2])
# Upstream: https://github.com/PaddlePaddle/Paddle/pull/69480
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
mask = np.array([[True, False], [True, False]])

for chosen in (mask, ~mask):
    values = np.flip(x)[chosen]
    actual = paddle.to_tensor(x)
    actual[paddle.to_tensor(chosen)] = paddle.to_tensor(values)
    actual, expected = actual.numpy(), x.copy()
    expected[chosen] = values
    np.testing.assert_array_equal(actual, expected)
