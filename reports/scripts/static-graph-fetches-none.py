# A static graph gives None for an empty result
# PaddlePaddle 2.4.2 on the CPU, CPython 3.10 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.4.2 "numpy<1.24" "protobuf<=3.20.3" "setuptools<80"
#           Linux without libcudart.so.10.2: nox -s cpu-2.4.2 mends it
# Expected: [] (float32, shape [0])
# Instead:  None (object, shape [])
# Upstream: https://github.com/PaddlePaddle/Paddle/pull/51735
import numpy as np
import paddle

paddle.set_device("cpu")
x = np.array([1.0], "float32")
mask = np.array([False])

paddle.enable_static()
with paddle.static.program_guard(paddle.static.Program()):
    arrays = {"x": x, "mask": mask}
    given = [paddle.static.data(n, [None] * a.ndim, str(a.dtype)) for n, a in arrays.items()]
    selected = paddle.masked_select(*given)
    (actual,) = paddle.static.Executor().run(feed=arrays, fetch_list=[selected])
assert actual is not None
expected = x[mask]
np.testing.assert_array_equal(actual, expected)
