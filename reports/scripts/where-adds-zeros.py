# where loses the sign of -0.0 and the payload of NaN
# PaddlePaddle 2.6.2 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==2.6.2 "numpy<2" "setuptools<80"
# Expected: ['0x80800000', '0xff800001']
# Instead:  ['0x80800000', '0xffc00001']
# Upstream: https://github.com/PaddlePaddle/Paddle/pull/69556
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([0x80800000, 0xff800001], "uint32").view("float32")
mask = np.array([True])

for a, b in ((x, np.flip(x).copy()), (np.flip(x).copy(), x)):
    actual = paddle.where(*map(paddle.to_tensor, (mask, a, b))).numpy()
    expected = np.where(mask, a, b)
    np.testing.assert_array_equal(actual.view("uint32"), expected.view("uint32"))
