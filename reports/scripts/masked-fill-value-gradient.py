# A value that is written through a mask gets the gradient 0
# PaddlePaddle 3.3.1 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==3.3.1 "setuptools<80"
# Expected: 1. (float32, shape [])
# Instead:  0. (float32, shape [])
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v3.3.1/paddle/phi/kernels/cpu/masked_fill_grad_kernel.cc
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1.0], "float32")
mask = np.array([True])

for x_is_constant in (True, False):
    tensor = paddle.to_tensor(x, stop_gradient=x_is_constant)
    value = paddle.to_tensor(np.array(77, x.dtype), stop_gradient=False)
    y = paddle.masked_fill(tensor, paddle.to_tensor(mask), value)
    y.backward(paddle.to_tensor(x))
    actual, expected = value.grad.numpy(), x[mask].sum()
    np.testing.assert_array_equal(actual, expected)
