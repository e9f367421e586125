# On Windows a GPU build makes no convolution on the CPU without cuDNN
# PaddlePaddle 2.6.1 on the CPU, CPython 3.10 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.6.1 "numpy<2" "setuptools<80"
# Expected: an answer
# Instead:  RuntimeError: (PreconditionNotMet) The third-party dynamic library (cudnn64_8.dll) that
#           Paddle depends on is not configured correctly. (error code is 126) Suggestions: 1. Check
#           if the third-party dynamic library (e.g. CUDA, CUDNN) is installed correctly and its
#           version is matched with ...
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v2.6.1/paddle/phi/backends/dynload/dynamic_loader.cc
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0], "float32")

two = paddle.nn.initializer.Constant(2.0)
layer = paddle.nn.Conv2D(1, 1, 1, weight_attr=two, bias_attr=False)
actual = layer(paddle.to_tensor(x.reshape(1, 1, 1, -1))).numpy().reshape(-1)
expected = 2 * x
np.testing.assert_array_equal(actual, expected)
