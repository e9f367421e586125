# where rounds an integer of more than 53 bits
# PaddlePaddle 2.6.2 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==2.6.2 "numpy<2" "setuptools<80"
# Expected: [9007199254740993] (int64, shape [1])
# Instead:  [9007199254740992] (int64, shape [1])
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v2.6.2/python/paddle/tensor/search.py
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1], "int64")
mask = np.array([True])

for a, b in ((x, 9007199254740993), (9007199254740993, x)):
    one, other = (paddle.to_tensor(v) if v is x else v for v in (a, b))
    actual = paddle.where(paddle.to_tensor(mask), one, other).numpy()
    expected = np.where(mask, np.asarray(a, x.dtype), np.asarray(b, x.dtype))
    np.testing.assert_array_equal(actual, expected)
