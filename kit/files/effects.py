"""What becomes of a file's rows."""

from enum import StrEnum


class Effect(StrEnum):
    """What becomes of a row."""

    CREATE = "create"
    CHANGE = "change"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"  # it contradicts another row, or what a person decided: a person decides again
    ERROR = "error"  # it can't be read, or names something that isn't there


PROBLEMS = (Effect.CONFLICT, Effect.ERROR)
TO_DO = (Effect.CREATE, Effect.CHANGE)
