"""Runs, pairs and writes, in the admin."""

from sync.admin.conflicts.lists import SyncConflictAdmin
from sync.admin.events import HookHealthAdmin, InboundEventAdmin
from sync.admin.feeds import TillFeedAdmin
from sync.admin.log import RunProblemAdmin, SyncLogAdmin
from sync.admin.orders import OrderAdmin
from sync.admin.policies import SyncPolicyAdmin
from sync.admin.prices import PricePolicyAdmin, PriceReviewAdmin, PriceWriteAdmin, TillPriceAdmin
from sync.admin.put_offs import PutOffAdmin
from sync.admin.runs.lists import SyncRunAdmin
from sync.admin.states import SyncStateAdmin
from sync.admin.writes import OutboundWriteAdmin

__all__ = [
    "HookHealthAdmin",
    "InboundEventAdmin",
    "OrderAdmin",
    "OutboundWriteAdmin",
    "PricePolicyAdmin",
    "PriceReviewAdmin",
    "PriceWriteAdmin",
    "PutOffAdmin",
    "RunProblemAdmin",
    "SyncConflictAdmin",
    "SyncLogAdmin",
    "SyncPolicyAdmin",
    "SyncRunAdmin",
    "SyncStateAdmin",
    "TillFeedAdmin",
    "TillPriceAdmin",
]
