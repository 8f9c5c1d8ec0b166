"""What holds for all tests."""

import logging
import os

from httpx import _config
from hypothesis import settings

# How fast the machine is decides nothing: what speed is promised, scripts in `benchmarks/` measure.
settings.register_profile("tessera", deadline=None)
settings.load_profile("tessera")
UPSTREAMS = ("PROFILES", "LISTS", "CATALOGUE", "FLAGS", "CARTS", "ASSIGNMENTS", "EVENTS")
os.environ |= {
    "TESSERA_SERVER__BUDGET_MS": "60000",
    "TESSERA_REDIS__DEADLINE_MS": "10000",
    **{f"TESSERA_{upstream}__DEADLINE_MS": "30000" for upstream in UPSTREAMS},
    **{f"TESSERA_{service}__CONNECT_MS": "30000" for service in UPSTREAMS[:4]},
}

# What tests ask with is no part of what they look at, and waits for as long as it takes.
logging.getLogger("httpx").setLevel(logging.WARNING)
_config.DEFAULT_TIMEOUT_CONFIG.read = _config.DEFAULT_TIMEOUT_CONFIG.connect = 60.0
