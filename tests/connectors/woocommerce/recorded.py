"""What a real WooCommerce answered. `10.2` and `10.5` are its versions; names begin as in the recordings' folder."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "recordings" / "woocommerce"


def recording(name: str, version: str = "10.2") -> Any:
    """The whole recording: `{request, response}`, or a list of deliveries."""
    return json.loads((FOLDER / version / f"{name}.json").read_text())


def body(name: str, version: str = "10.2") -> Any:
    """The reply's body, its rows without the notes of the recorder."""
    found = recording(name, version)["response"]["body"]
    if isinstance(found, dict) and isinstance(found.get("update"), list):
        return {**found, "update": [row for row in found["update"] if "id" in row]}
    return [row for row in found if "_recording_note" not in row] if isinstance(found, list) else found
