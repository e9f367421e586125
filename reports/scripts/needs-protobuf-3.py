# Beside protobuf 4 and newer, paddle cannot be imported
# PaddlePaddle 2.3.0 on the CPU, CPython 3.10 (on PyPI as paddlepaddle-gpu alone; no GPU is needed)
# Install:  python -m pip install paddlepaddle-gpu==2.3.0
#           Linux without _dl_sym@GLIBC_PRIVATE: nox -s fresh-2.3.0 mends it
# Expected: paddle is imported
# Instead:  exit status 1, TypeError: Descriptors cannot be created directly.
# Upstream: https://github.com/PaddlePaddle/Paddle/issues/43050
import paddle
