"""The kind `pos_csv`: a till known only by the files it drops into a folder and takes out of another."""

from connectors.contract import Capabilities, Context, Kind, Side
from connectors.pos_csv.settings import NoCredentials, PosCsvSettings
from connectors.pos_csv.till import PosCsvTill


def build(context: Context) -> PosCsvTill:
    """Result: the till of that folder, ready to use; nothing is touched yet."""
    return PosCsvTill(context)


KIND = Kind(
    name="pos_csv",
    label="Till by CSV files",
    capabilities=Capabilities(side=Side.POS, takes_prices=True, files=True, notes=True),
    settings=PosCsvSettings,
    credentials=NoCredentials,
    build=build,
)
