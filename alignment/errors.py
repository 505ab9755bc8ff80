"""What can go wrong with an alignment as a whole. Same shape as a connector's errors: what happened, what to do next."""

from connectors.errors import ConnectorError


class AlignmentFileError(ConnectorError):
    """The file can't be used as a whole; nothing of it was applied."""

    code = "alignment_file"


class AlignmentChangedError(ConnectorError):
    """What was looked at is not how things are any more; nothing was applied."""

    code = "alignment_changed"
