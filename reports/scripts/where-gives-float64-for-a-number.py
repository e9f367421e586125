# where(mask, x, 0.5) gives float64 for an x of float32
# PaddlePaddle 3.1.1 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==3.1.1 "setuptools<80"
# Expected: [1.] (float32, shape [1])
# Instead:  [1.] (float64, shape [1])
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v2.6.2/python/paddle/tensor/search.py
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1.0], "float32")
mask = np.array([True])

for a, b in ((x, 0.1), (0.1, x)):
    one, other = (paddle.to_tensor(v) if v is x else v for v in (a, b))
    actual = paddle.where(paddle.to_tensor(mask), one, other).numpy()
    expected = np.where(mask, np.asarray(a, x.dtype), np.asarray(b, x.dtype))
    np.testing.assert_array_equal(actual, expected)
    assert actual.dtype == expected.dtype, actual.dtype
