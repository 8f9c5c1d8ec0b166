"""What holds for all tests."""

import logging

from hypothesis import settings

# How fast the machine is decides nothing: what speed is promised, scripts in `benchmarks/` measure.
settings.register_profile("tessera", deadline=None)
settings.load_profile("tessera")

# What tests ask with is no part of what they look at.
logging.getLogger("httpx").setLevel(logging.WARNING)
