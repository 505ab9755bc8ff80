"""Uploaded files between preview and confirmation. They stay on the server, under a name made by us, and belong to
the session and person that uploaded them; the browser only ever holds the name."""

import re
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from kit.errors import FileError

KEEP = timedelta(hours=2)
ALIGNMENT = "alignment"  # what the file is: each session keeps one of a sort
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file and the choices made with it. `name` is the person's own file name, only for showing."""

    token: str
    name: str
    pos_id: int
    store_id: int
    encoding: str
    user_id: int
    sort: str = ALIGNMENT

    @property
    def path(self) -> Path:
        return _folder() / f"{self.token}.csv"


def upload_keep(
    *,
    content: bytes,
    name: str,
    encoding: str,
    user_id: int,
    session: SessionBase,
    now: datetime,
    pos_id: int = 0,
    store_id: int = 0,
    sort: str = ALIGNMENT,
) -> Upload:
    """Keep a file for this session, in place of its last one; files that nobody confirmed in time are deleted."""
    uploads_expire(now=now)
    previous = _from_session(session, sort)
    if previous:
        upload_drop(upload=previous, session=session)
    upload = Upload(secrets.token_hex(16), name[:200], pos_id, store_id, encoding, user_id, sort)
    upload.path.touch(mode=0o600, exist_ok=False)
    upload.path.write_bytes(content)
    session[_key(sort)] = asdict(upload)
    return upload


def upload_get(*, token: str, user_id: int, session: SessionBase, sort: str = ALIGNMENT) -> tuple[Upload, bytes]:
    """Result: the session's upload of that name, and its content. Raises FileError where there is none any more, or
    where it is another person's."""
    upload = _from_session(session, sort)
    if upload and upload.token == token and upload.user_id == user_id:
        try:
            return upload, upload.path.read_bytes()
        except FileNotFoundError:
            pass
    raise FileError(
        "This upload is not there any more.", next_step="Upload the file again; nothing was applied.", code="upload_gone"
    )


def upload_drop(*, upload: Upload, session: SessionBase) -> None:
    """Forget a file; once it is gone that is no error."""
    upload.path.unlink(missing_ok=True)
    session.pop(_key(upload.sort), None)


def uploads_expire(*, now: datetime) -> int:
    """Delete files older than KEEP. Result: how many."""
    expired = [path for path in _folder().glob("*.csv") if path.stat().st_mtime < (now - KEEP).timestamp()]
    for path in expired:
        path.unlink(missing_ok=True)
    return len(expired)


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _key(sort: str) -> str:
    return f"{sort}_upload"


def _from_session(session: SessionBase, sort: str) -> Upload | None:
    kept: Any = session.get(_key(sort))
    return Upload(**kept) if kept and _TOKEN.fullmatch(kept["token"]) else None
