"""What can go wrong with an outside system, as types. Every error says what happened and what to do next.

The type decides what the engine does: retry later, ask the owner, quarantine one item, or look before
doing anything else. The text is for a shop owner: no jargon, no secrets, at most a short snippet of what the system said.
"""

from kit.errors import ToldError


class ConnectorError(ToldError):
    """An outside system, or a file from it, could not be used."""

    code = "connector_error"


class ConfigError(ConnectorError):
    """Trying again won't help until a person changes a setting: wrong key, wrong address, missing permission."""

    code = "config"


class UnreadableError(ConfigError):
    """One thing that a system showed can't be read: which, and which field of it. It is set aside; the others count."""

    code = "field_odd"


class RetryableError(ConnectorError):
    """The request surely had no effect and may be sent again after `retry_after` seconds (None: our own backoff)."""

    code = "retryable"

    def __init__(self, message: str, *, next_step: str = "", code: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, next_step=next_step, code=code)
        self.retry_after = retry_after


class RejectedError(ConnectorError):
    """The system understood and refused this one item. Sending the same again gets the same answer."""

    code = "rejected"


class UnknownOutcomeError(ConnectorError):
    """A write was sent and no answer tells whether it took effect (ledger.md §6): look before anything else."""

    code = "unknown_outcome"


class PartialReadError(ConnectorError):
    """A walk saw fewer or other rows than the system says it has. Nothing of it may be used (ledger.md §8)."""

    code = "partial_read"


class FeedError(ConnectorError):
    """A till's file can't be used as a whole: wrong header, wrong encoding, cut off. The file is kept."""

    code = "feed"
