# x[mask] = values gives x the gradient from above once more
# PaddlePaddle 2.2.0 on the CPU, CPython 3.9 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.2.0 "numpy<1.24" "protobuf<=3.20.3" "setuptools<80"
#           Linux without _dl_sym@GLIBC_PRIVATE: nox -s cpu-2.2.0 mends it
# Expected: [0., 2.] (float32, shape [2])
# Instead:  [1., 4.] (float32, shape [2])
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v2.2.0/python/paddle/fluid/variable_index.py
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1.0, 2.0], "float32")
mask = np.array([True, False])

leaf = paddle.to_tensor(x, stop_gradient=False)
value = paddle.to_tensor(np.array([77], x.dtype), stop_gradient=False)
y = leaf.clone()
y[paddle.to_tensor(mask)] = value
y.backward(paddle.to_tensor(x))
actual, expected = value.grad.numpy(), x[mask].sum(keepdims=True)
np.testing.assert_array_equal(actual, expected)
actual, expected = leaf.grad.numpy(), x.copy()
expected[mask] = 0
np.testing.assert_array_equal(actual, expected)
