"""Notes for the staff of a till that reads files: one text file each in `outbound/notes/`, for whoever looks there."""

from datetime import UTC, datetime
from pathlib import Path

from connectors.contract import TillNote
from connectors.errors import RetryableError
from connectors.pos_csv.files import DropFolder, write_durably
from kit.files.cells import cell_safe


def note_write(folder: DropFolder, note: TillNote, now: datetime) -> Path:
    """Result: the note's file. The same operation id again writes nothing. Raises ConfigError and RetryableError."""
    folder.require()
    place = folder.inside("outbound", "notes")
    try:
        place.mkdir(parents=True, exist_ok=True)
        for known in place.glob(f"note_*_{note.operation_id}.txt"):
            return known
        path = place / f"note_{now.astimezone(UTC):%Y%m%dT%H%M%SZ}_{note.operation_id}.txt"
        hidden = place / f".{path.name}.tmp"
        write_durably(hidden, "\r\n".join([*map(cell_safe, (note.title, "", *note.lines)), ""]).encode())
        hidden.rename(path)
    except OSError as error:
        raise RetryableError(
            f"The note could not be written: {error.strerror or error}.", next_step="Check the folder and its disk."
        ) from error
    return path
