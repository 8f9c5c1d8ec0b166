"""The pytest plugin: lets the suite's assertions say what they compared (docs.pytest.org, "Assertion Rewriting")."""

import pytest

pytest.register_assert_rewrite("tessera.contracts")
