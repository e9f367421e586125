# where loses the sign of -0.0 and the payload of NaN
# PaddlePaddle 2.6.2 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==2.6.2 "numpy<2" "setuptools<80"
# Expected: [[-0.]] (float32, shape [1, 1])
# Instead:  [[0.]] (float32, shape [1, 1])
# Upstream: https://github.com/PaddlePaddle/Paddle/pull/69556
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([[-0.0]], "float32")
mask = np.array([True])

for a, b in ((x, np.flip(x).copy()), (np.flip(x).copy(), x)):
    actual = paddle.where(*map(paddle.to_tensor, (mask, a, b))).numpy()
    expected = np.where(mask, a, b)
    np.testing.assert_array_equal(actual, expected)
