# where with a number of Python raises for most dtypes
# PaddlePaddle 3.3.1 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==3.3.1 "setuptools<80"
# Expected: an answer
# Instead:  TypeError: (InvalidType) Type promotion only support calculations between floating-point
#           numbers and between complex and real numbers. But got different data type x: int32, y:
#           int64.
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v2.5.2/python/paddle/tensor/search.py
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1], "int32")
mask = np.array([True])

for a, b in ((x, 77), (77, x)):
    one, other = (paddle.to_tensor(v) if v is x else v for v in (a, b))
    actual = paddle.where(paddle.to_tensor(mask), one, other).numpy()
    expected = np.where(mask, np.asarray(a, x.dtype), np.asarray(b, x.dtype))
    np.testing.assert_array_equal(actual, expected)
