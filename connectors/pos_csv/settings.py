"""What a shop may set for its CSV till. Only `folder` is required; everything else has a safe default."""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.pos_csv.reading.numbers import NumberFormat
from connectors.pos_csv.reading.presets import PresetName, Role
from connectors.settings.marks import Mark
from kit.zones import zone_is_known

Encoding = Literal["utf-8", "utf-16", "cp1252", "latin-1", "cp1250", "cp1253", "cp1254"]
NumberWriting = Literal["auto", "1,234.50", "1.234,50", "1 234,50", "1'234.50"]  # each NumberFormat, for a form to choose from
Percent = Annotated[int, Field(ge=0, le=100)]
NAME_TIME = (
    r"(?<!\d)(?P<year>20\d\d)[-_.]?(?P<month>\d\d)[-_.]?(?P<day>\d\d)[T_ .-]{0,3}"
    r"(?P<hour>\d\d)[-_:.h]?(?P<minute>\d\d)(?:[-_:.]?(?P<second>\d\d))?(?P<utc>Z)?(?!\d)"
)


class PosCsvSettings(BaseModel):
    """Settings of one CSV till. Unknown names are refused, so a typing mistake can't be silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Annotated[str, Mark.FOLDER] = Field(min_length=1, description="Folder the till drops its exports into.")
    pattern: str = Field("*.csv", min_length=1, description="Which files are exports, by name.")
    timezone: str = Field("UTC", description="Time zone of times in file names and columns.")

    preset: PresetName = Field("generic", description="Which till wrote the file; generic knows usual column names.")
    columns: dict[Role, str] = Field(default_factory=dict, description='Column names, {"sku": "Item #"}; "" = not there.')
    outlet_columns: tuple[str, ...] = Field((), description="Patterns of per-outlet quantity columns, with a group o.")
    untracked: tuple[str, ...] | None = Field(None, description="Quantity cells that mean “not counted”; default: preset's.")

    encoding: Encoding = Field("utf-8", description="How the file's letters are stored; a byte order mark wins.")
    delimiter: Literal["auto", ",", ";", "\t", "|"] = Field("auto", description="What separates columns.")
    number_format: NumberWriting = Field("auto", description="How the file writes numbers; auto: as its own numbers tell.")
    skip_lines: int = Field(0, ge=0, le=100, description="Lines above the header.")
    final_newline_required: bool = Field(default=True, description="A file whose last line has no end is taken as cut off.")

    file_is_complete: bool = Field(default=True, description="Each file shows every item, so an absent one is missing.")
    on_bad_rows: Literal["apply_good", "refuse_file"] = Field("apply_good", description="What bad rows do to the rest.")
    duplicates: Literal["conflict", "sum", "last"] = Field("conflict", description="Two rows for one SKU that differ.")

    max_shrink_percent: Percent = Field(20, description="Hold a file with more than this share of items gone.")
    max_zeroed_percent: Percent = Field(20, description="Hold a file that empties more than this share of shelves.")
    guard_floor: int = Field(10, ge=0, description="Changes of up to this many items never hold a file.")

    time_pattern: str = Field(NAME_TIME, description="Where a file's name says when it was exported.")
    time_column: str = Field("", description="Column whose latest time is the export's; only if the till fills it so.")
    time_format: str = Field("", description="Format of times in that column, %d/%m/%Y %H:%M; empty: ISO.")

    stable_seconds: float = Field(2, ge=0, le=3600, description="How long a file must lie unchanged.")
    wait_for_done: bool = Field(default=False, description="Take a file only once NAME.done lies beside it.")
    keep_days: int = Field(90, ge=0, le=3650, description="Days to keep files that were read or refused; 0: for ever.")
    vanished_means: Literal["unknown", "imported"] = Field(
        "unknown", description="An adjustments file that is simply gone: ask, or take it as imported (tills that delete it)."
    )

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, name: str) -> str:
        if not zone_is_known(name):
            raise ValueError(f"There is no time zone “{name}”. Use a name such as Europe/Paris or America/New_York.")
        return name

    @field_validator("pattern")
    @classmethod
    def _pattern_is_a_name(cls, pattern: str) -> str:
        if "/" in pattern or "\\" in pattern or pattern.startswith("."):
            raise ValueError("The pattern is for file names inside the folder: no slashes, no leading dot.")
        return pattern

    @field_validator("outlet_columns")
    @classmethod
    def _outlet_columns_name_the_outlet(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            if "o" not in _compiled(pattern).groupindex:
                raise ValueError(f"“{pattern}” must hold the outlet's name in a group: Stock (?P<o>.+)")
        return patterns

    @field_validator("time_pattern")
    @classmethod
    def _time_pattern_names_its_parts(cls, pattern: str) -> str:
        lacking = {"year", "month", "day", "hour", "minute"} - set(_compiled(pattern).groupindex)
        if lacking:
            raise ValueError(f"The time pattern lacks the groups {', '.join(sorted(lacking))}.")
        return pattern

    @property
    def numbers(self) -> NumberFormat | None:
        """How numbers are written; None: the file tells."""
        return None if self.number_format == "auto" else NumberFormat(self.number_format)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class NoCredentials(BaseModel):
    """A folder has no key."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"“{pattern}” is not a valid pattern: {error}.") from error
