# Reading by a mask of one element raises
# PaddlePaddle 2.2.2 on the CPU, CPython 3.9 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.2.2 "numpy<1.24" "protobuf<=3.20.3" "setuptools<80"
#           Linux without _dl_sym@GLIBC_PRIVATE: nox -s cpu-2.2.2 mends it
# Expected: an answer
# Instead:  ValueError: (InvalidArgument) The dtype of Tensor in list must be int32 or int64, but
#           received: 0
# Upstream: https://github.com/PaddlePaddle/Paddle/pull/40829
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([0], "int64")
mask = np.array([True])

actual = paddle.to_tensor(x)[paddle.to_tensor(mask)].numpy()
expected = x[mask]
np.testing.assert_array_equal(actual, expected)
