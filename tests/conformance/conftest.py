"""Failures in the comparisons show what differs."""

import pytest

pytest.register_assert_rewrite("tests.conformance.compare")
