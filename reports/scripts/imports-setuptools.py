# Without setuptools, paddle cannot be imported
# PaddlePaddle 3.2.2 on the CPU, CPython 3.13
# Install:  python -m pip install paddlepaddle==3.2.2
# Expected: paddle is imported
# Instead:  exit status 1, ModuleNotFoundError: No module named 'setuptools'
# Upstream: https://github.com/PaddlePaddle/Paddle/issues/73449
import paddle
