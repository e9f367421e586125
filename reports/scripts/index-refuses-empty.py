# Reading a tensor without elements by a mask raises, or gives an element of garbage
# PaddlePaddle 2.2.2 on the CPU, CPython 3.9 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.2.2 "numpy<1.24" "protobuf<=3.20.3" "setuptools<80"
#           Linux without _dl_sym@GLIBC_PRIVATE: nox -s cpu-2.2.2 mends it
# Expected: [] (float32, shape [0])
# Instead:  [-1.3327127e+13] (float32, shape [1])
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v2.2.2/python/paddle/fluid/variable_index.py
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.zeros([0, 0], "float32")
mask = np.zeros([0, 0], "bool")

actual = paddle.to_tensor(x)[paddle.to_tensor(mask)].numpy()
expected = x[mask]
np.testing.assert_array_equal(actual, expected)
