"""What holds for all tests."""

from hypothesis import settings

# How fast the machine is decides nothing: what speed is promised, scripts in `benchmarks/` measure.
settings.register_profile("tessera", deadline=None)
settings.load_profile("tessera")
