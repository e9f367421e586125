# The float64 gradient of values written through a mask is garbage
# PaddlePaddle 3.3.1 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==3.3.1 "setuptools<80"
# Expected: [2., 1.] (float64, shape [2])
# Instead:  [0.00000000e+000, 5.29980882e-315] (float64, shape [2])
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v3.3.1/paddle/phi/kernels/cpu/index_elementwise_put_grad_kernel.cc
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1.0, 2.0, 3.0], "float64")
mask = np.array([False, True, True])

upstream = np.flip(x).copy()
leaf = paddle.to_tensor(x, stop_gradient=False)
values = paddle.to_tensor(x[mask], stop_gradient=False)
y = leaf.clone()
y[paddle.to_tensor(mask)] = values
y.backward(paddle.to_tensor(upstream))
actual, expected = values.grad.numpy(), upstream[mask]
np.testing.assert_array_equal(actual, expected)
actual, expected = leaf.grad.numpy(), upstream.copy()
expected[mask] = 0
np.testing.assert_array_equal(actual, expected)
