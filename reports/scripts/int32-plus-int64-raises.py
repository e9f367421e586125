# Adding tensors of int32 and int64 raises a bare TypeError
# PaddlePaddle 3.1.0 on the CPU, CPython 3.10
# Install:  python -m pip install paddlepaddle==3.1.0 "setuptools<80"
# Expected: an answer
# Instead:  TypeError: unsupported operand type(s) for +: 'Tensor' and 'Tensor'
# Upstream: https://github.com/PaddlePaddle/Paddle/blob/v3.1.0/paddle/phi/common/type_promotion.h
import paddle

paddle.set_device("cpu")
int32, int64 = paddle.to_tensor([1], "int32"), paddle.to_tensor([2], "int64")
try:
    print(int32 + int64)
except TypeError as error:
    assert "promotion" in str(error), error  # later releases refuse it, and say why
