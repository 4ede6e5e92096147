"""CLO Desktop: the portfolio manager's cockpit for collateralized loan obligations."""

from clo_desktop import kernel_cache

__version__ = "0.3.0"

kernel_cache.install()  # whatever imports numba later finds our cache of kernels
