# x[mask] = values gives x the gradient from above once more
# PaddlePaddle 2.2.0 on the CPU, CPython 3.9 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.2.0 "numpy<1.24" "protobuf<=3.20.3" "setuptools<80"
#           Linux without _dl_sym@GLIBC_PRIVATE: nox -s cpu-2.2.0
# Expected: [3., 0., 0.] (float32, shape [3])
# Instead:  [6., 2., 1.] (float32, shape [3])
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v2.2.0/python/paddle/fluid/variable_index.py
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1.0, 2.0, 3.0], "float32")
mask = np.array([False, True, True])

upstream = np.flip(x).copy()
leaf = paddle.to_tensor(x, stop_gradient=False)
values = paddle.to_tensor(x[mask], stop_gradient=False)
y = leaf.clone()
y[paddle.to_tensor(mask)] = values
y.backward(paddle.to_tensor(upstream))
for_x = upstream.copy()
for_x[mask] = 0
np.testing.assert_array_equal(leaf.grad.numpy(), for_x)
actual, expected = values.grad.numpy(), upstream[mask]
np.testing.assert_array_equal(actual, expected)
