"""The settings of docker-compose.yml, with clocks that agree to the second: everything here runs on one machine."""

from datetime import timedelta

from config.settings.production import *  # noqa: F403
from config.settings.production import DATA_DIR

STATIC_ROOT = DATA_DIR / "static"  # the image collects them while it is built

EVENSTOCK_LIMITS = {
    "till_skew": timedelta(seconds=2),  # an export's name is rounded down to whole seconds
    "store_skew": timedelta(seconds=2),
    "second_look": timedelta(seconds=4),
}
