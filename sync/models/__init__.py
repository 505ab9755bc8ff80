from sync.models.conflict import SyncConflict
from sync.models.event import HookHealth, InboundEvent, WakeUp
from sync.models.feed import TillFeed
from sync.models.log import SyncLog
from sync.models.order import Order, OrderLine
from sync.models.policy import SyncPolicy
from sync.models.price import PricePolicy, PriceReview, PriceWrite, TillPrice
from sync.models.put_off import PutOff
from sync.models.run import PlannedChange, RunProblem, SyncRun
from sync.models.set_aside import SetAside
from sync.models.state import SyncState
from sync.models.write import OutboundWrite

__all__ = [
    "HookHealth",
    "InboundEvent",
    "Order",
    "OrderLine",
    "OutboundWrite",
    "PlannedChange",
    "PricePolicy",
    "PriceReview",
    "PriceWrite",
    "PutOff",
    "RunProblem",
    "SetAside",
    "SyncConflict",
    "SyncLog",
    "SyncPolicy",
    "SyncRun",
    "SyncState",
    "TillFeed",
    "TillPrice",
    "WakeUp",
]
