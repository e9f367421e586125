# cross_entropy of no rows raises
# PaddlePaddle 3.1.0 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==3.1.0 "setuptools<80"
# Expected: an answer
# Instead:  ValueError: (InvalidArgument) The size of axis should be larger than 0, but received
#           SizeToAxis of softmax is 0.
# Upstream: https://github.com/PaddlePaddle/Paddle/pull/73880
import paddle
from paddle.nn.functional import cross_entropy

paddle.set_device("cpu")
logits, labels = paddle.zeros([0, 1, 2], "float32"), paddle.zeros([0, 1], "int64")
logits.stop_gradient = False
loss = cross_entropy(logits, labels, reduction="sum")
loss.sum().backward()
print(loss, logits.grad)
