# Denormal numbers count as zero, in nonzero and in where with shapes that differ
# PaddlePaddle 2.3.2 on the CPU, CPython 3.10 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.3.2 "numpy<1.24" "protobuf<=3.20.3" "setuptools<80"
#           Linux without _dl_sym@GLIBC_PRIVATE: nox -s cpu-2.3.2 mends it
# Expected: [[0]] (int64, shape [1, 1])
# Instead:  [] (int64, shape [0, 1])
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v2.3.2/paddle/fluid/imperative/tracer.cc
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1e-45], "float32")
mask = np.array([True])

array = np.where(mask, x, np.zeros([], x.dtype))
actual, expected = paddle.nonzero(paddle.to_tensor(array)).numpy(), np.argwhere(array)
np.testing.assert_array_equal(actual, expected)
