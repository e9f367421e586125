# x[mask] = v raises where x has nine axes
# PaddlePaddle 3.0.0 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==3.0.0 "setuptools<80"
# Expected: an answer
# Instead:  ValueError: (InvalidArgument) The number of elements (9) of 'shape' for must not be
#           greater than 8.
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v3.0.0/paddle/phi/infermeta/unary.cc
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([[[[[[[[[1.0, 2.0]]]]]]]]], "float32")
mask = np.array([[[[[[[[[True, False]]]]]]]]])
t, m = paddle.to_tensor(x, stop_gradient=False), paddle.to_tensor(mask)
y = t if t.stop_gradient else t.clone()
y[m] = 77
actual, expected = y.numpy(), np.where(mask, np.array(77, x.dtype), x)
np.testing.assert_array_equal(actual, expected)
upstream = np.arange(1, x.size + 1).reshape(x.shape).astype(x.dtype)
y.backward(paddle.to_tensor(upstream))
actual, expected = t.grad.numpy(), np.zeros_like(x)
expected += upstream * ~mask
np.testing.assert_array_equal(actual, expected)
