# x[mask] of nothing has the wrong shape
# PaddlePaddle 2.4.2 on the CPU, CPython 3.10 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.4.2 "numpy<1.24" "protobuf<=3.20.3" "setuptools<80"
#           Linux without libcudart.so.10.2: nox -s cpu-2.4.2 mends it
# Expected: [] (float32, shape [0])
# Instead:  [] (float32, shape [0, 0])
# Upstream: https://github.com/PaddlePaddle/Paddle/pull/51046
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.zeros([0, 0], "float32")
mask = np.zeros([0, 0], "bool")

actual = paddle.to_tensor(x)[paddle.to_tensor(mask)].numpy()
expected = x[mask]
np.testing.assert_array_equal(actual, expected)
