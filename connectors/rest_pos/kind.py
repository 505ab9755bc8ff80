"""The kind `rest_pos`: a till with the HTTP interface of docs/pos-api.yaml."""

from connectors.contract import Capabilities, Kind, Side
from connectors.rest_pos.settings import RestPosCredentials, RestPosSettings
from connectors.rest_pos.till import RestPosTill

KIND = Kind(
    name="rest_pos",
    label="Till by POS API",
    capabilities=Capabilities(side=Side.POS, takes_prices=True, notes=True),
    settings=RestPosSettings,
    credentials=RestPosCredentials,
    build=RestPosTill,
)
