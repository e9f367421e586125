# paddle.sum refuses an empty tensor
# PaddlePaddle 2.6.2 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==2.6.2 "numpy<2" "setuptools<80"
# Expected: an answer
# Instead:  ValueError: (InvalidArgument) Tensor need be reduced must not empty.
# Upstream: https://github.com/PaddlePaddle/Paddle/issues/64419
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1.0], "float32")
mask = np.array([False])

leaf = paddle.to_tensor(x, stop_gradient=False)
paddle.masked_select(leaf, paddle.to_tensor(mask)).sum().backward()
actual, expected = leaf.grad.numpy(), mask.astype(x.dtype)
np.testing.assert_array_equal(actual, expected)
