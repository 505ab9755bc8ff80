"""A pretend till: what it knows (`shelf`), its HTTP interface (`api`) and its drop folder (`export`, `imports`)."""

from sandbox.till.api import TillApp
from sandbox.till.shelf import Till

__all__ = ["Till", "TillApp"]
