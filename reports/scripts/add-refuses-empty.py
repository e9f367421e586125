# Adding an empty tensor to one of another shape raises
# PaddlePaddle 2.6.2 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==2.6.2 "numpy<2" "setuptools<80"
# Expected: an answer
# Instead:  RuntimeError: (PreconditionNotMet) The meta data must be valid when call the mutable
#           data function.
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v2.6.2/python/paddle/tensor/search.py
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.zeros([0], "float32")
mask = np.zeros([0], "bool")

actual = paddle.masked_fill(paddle.to_tensor(x), paddle.to_tensor(mask), 77).numpy()
expected = np.where(mask, np.array(77, x.dtype), x)
np.testing.assert_array_equal(actual, expected)
