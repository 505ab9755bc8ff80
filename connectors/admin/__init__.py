"""Connections and what was asked of them, in the admin."""

from connectors.admin.calls import ApiCallAdmin
from connectors.admin.connections import ConnectionAdmin

__all__ = ["ApiCallAdmin", "ConnectionAdmin"]
