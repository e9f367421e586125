# where lets NaN and infinities of the side that was not chosen into the result
# PaddlePaddle 2.2.2 on the CPU, CPython 3.9 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.2.2 "numpy<1.24" "protobuf<=3.20.3" "setuptools<80"
#           Linux without _dl_sym@GLIBC_PRIVATE: nox -s cpu-2.2.2 mends it
# Expected: [-1.1754944e-38, nan] (float32, shape [2])
# Instead:  [nan, nan] (float32, shape [2])
# Upstream: https://github.com/PaddlePaddle/Paddle/issues/42751
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([0x80800000, 0xff800001], "uint32").view("float32")
mask = np.array([True])

for a, b in ((x, np.flip(x).copy()), (np.flip(x).copy(), x)):
    actual = paddle.where(*map(paddle.to_tensor, (mask, a, b))).numpy()
    expected = np.where(mask, a, b)
    np.testing.assert_array_equal(actual, expected)
