# Without setuptools, paddle cannot be imported
# PaddlePaddle 2.6.1 on the CPU, CPython 3.12 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.6.1
# Expected: paddle is imported
# Instead:  exit status 1, ModuleNotFoundError: No module named 'setuptools'
# Upstream: https://github.com/PaddlePaddle/Paddle/issues/73449
import paddle
