"""A made-up NVIDIA driver: a GPU build's host half runs on it, and its kernels do not."""
