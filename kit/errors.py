"""Errors that people are told: what happened, and what to do next."""

from kit.storable import storable


class ToldError(Exception):
    """Something can't be done, and a person should read why.

    `code` is a stable machine word, `message` what happened, `next_step` what the reader should do about it.
    """

    code = "error"

    def __init__(self, message: str, *, next_step: str = "", code: str = "") -> None:
        self.message = storable(message)  # what a system said of itself is written down
        self.next_step = next_step
        self.code = storable(code) or type(self).code
        super().__init__(f"{self.message} {next_step}".strip())


class FileError(ToldError):
    """The file can't be used as a whole; nothing of it was applied."""

    code = "alignment_file"
