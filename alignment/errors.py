"""What can go wrong with an alignment as a whole. Same shape as a connector's errors: what happened, what to do next."""

from kit.errors import ToldError


class AlignmentChangedError(ToldError):
    """What was looked at is not how things are any more; nothing was applied."""

    code = "alignment_changed"
