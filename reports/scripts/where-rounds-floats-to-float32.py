# where rounds a float to float32 beside an x of float64
# PaddlePaddle 3.3.1 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==3.3.1 "setuptools<80"
# Expected: ['0x3fb999999999999a']
# Instead:  ['0x3fb99999a0000000']
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v3.3.1/python/paddle/tensor/search.py
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1.0], "float64")
mask = np.array([True])

for a, b in ((x, 0.1), (0.1, x)):
    one, other = (paddle.to_tensor(v) if v is x else v for v in (a, b))
    actual = paddle.where(paddle.to_tensor(mask), one, other).numpy()
    expected = np.where(mask, np.asarray(a, x.dtype), np.asarray(b, x.dtype))
    np.testing.assert_array_equal(actual.view("uint64"), expected.view("uint64"))
