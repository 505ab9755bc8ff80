"""What a setting is, besides a value of some type: marks on the fields of the kinds' pydantic models. Each is asked for in one
place, so that a kind says it once and every way of changing a connection keeps to it."""

from enum import Enum

from pydantic import BaseModel
from pydantic.fields import FieldInfo


class Mark(Enum):
    """`url: Annotated[str, Mark.ADDRESS] = Field(…)`."""

    ADDRESS = "address"  # a web address that secrets are sent to (connectors/settings/origins.py)
    AUTHORITY = "authority"  # a file with the authority that vouches for that address
    FOLDER = "folder"  # a folder of this machine (connectors/settings/folders.py); so is an authority's file
    MADE = "made"  # a secret that we make where nobody names one: forgotten rather than asked for


def marked(model: type[BaseModel], *marks: Mark) -> list[str]:
    """Result: the names of the fields that carry one of these marks, in the model's order."""
    return [name for name, info in model.model_fields.items() if any(mark in info.metadata for mark in marks)]


def field_label(name: str, info: FieldInfo) -> str:
    """Result: what people call a field."""
    return info.title or name.replace("_", " ").capitalize()
