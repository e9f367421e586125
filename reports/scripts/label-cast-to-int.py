# cross_entropy takes a label of 2**32 and more for a class
# PaddlePaddle 3.3.1 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==3.3.1 "setuptools<80"
# Expected: an error
# Instead:  a loss, and no error
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v3.3.1/paddle/phi/kernels/funcs/cross_entropy.cc
import numpy as np
import paddle
from paddle.nn.functional import cross_entropy

paddle.set_device("cpu")
logits = np.array([[0.39050803, 1.7215149, 0.822107, 0.35906547, -0.6107616, 1.1671529, -0.4993023,
    3.1341841, 3.7093022, -0.9324679, 2.3338003, 0.23115936, 0.54435647, 3.404773, -3.4317114,
    -3.3029656, -3.8382528]], "float32")
label = paddle.to_tensor(np.array([-9223372036854775808], "int64"))
try:
    loss = cross_entropy(paddle.to_tensor(logits), label, reduction="none")
except (ValueError, IndexError) as error:
    print("refused, as is right:", error)
else:
    raise SystemExit(f"no error, but a loss of {loss.numpy()}")
