# No cross entropy on the CPU is greater than 64
# PaddlePaddle 3.3.1 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==3.3.1 "setuptools<80"
# Expected: [[69.75240681]] (float64, shape [1, 1])
# Instead:  [[64.]] (float64, shape [1, 1])
# Upstream: https://github.com/PaddlePaddle/Paddle/issues/20994
import numpy as np
import paddle
from paddle.nn.functional import cross_entropy

paddle.set_device("cpu")
logits = np.array([[0.39050803, 1.7215149, 0.822107, 70.0, -0.6107616, 1.1671529, -0.4993023,
    3.1341841, 3.7093022, -0.9324679, 2.3338003, 0.23115936, 0.54435647, 3.404773, -3.4317114,
    -3.3029656, -3.8382528]], "float32")
loss = cross_entropy(paddle.to_tensor(logits), paddle.to_tensor([1]), reduction="none")
below = logits.max() - logits.astype("float64")
np.testing.assert_allclose(loss.numpy().item(), below[0, 1] + np.log(np.exp(-below).sum()), 1e-5)
