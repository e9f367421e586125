# The backward pass of a sum over nothing kills the process
# PaddlePaddle 2.5.2 on the CPU, CPython 3.10 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.5.2 "numpy<2" "setuptools<80"
# Expected: an answer
# Instead:  the process died: SIGSEGV
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v2.5.2/paddle/phi/kernels/cpu/masked_select_grad_kernel.cc
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1.0], "float32")
mask = np.array([False])

leaf = paddle.to_tensor(x, stop_gradient=False)
paddle.masked_select(leaf, paddle.to_tensor(mask)).sum().backward()
actual, expected = leaf.grad.numpy(), mask.astype(x.dtype)
np.testing.assert_array_equal(actual, expected)
