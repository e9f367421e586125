# nonzero of a tensor without elements has the dtype of the tensor
# PaddlePaddle 3.1.0 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==3.1.0 "setuptools<80"
# Expected: [] (int64, shape [0, 1])
# Instead:  [] (float32, shape [0, 1])
# Upstream: https://github.com/PaddlePaddle/Paddle/pull/74057
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.zeros([0], "float32")
mask = np.zeros([0], "bool")

array = np.where(mask, x, np.zeros([], x.dtype))
actual, expected = paddle.nonzero(paddle.to_tensor(array)).numpy(), np.argwhere(array)
np.testing.assert_array_equal(actual, expected)
assert actual.dtype == expected.dtype, actual.dtype
