"""`python -m tests.simulation --runs 200 --seed 0`: random worlds over the product's own code, and how many went wrong."""

import argparse
import logging
import os
import sys


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="worlds")
    parser.add_argument("--seed", type=int, default=0, help="of the first world")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes, each with a database of its own")
    parser.add_argument("--story", action="store_true", help="tell the whole life of each world that went wrong")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["DATABASE_URL"] = "sqlite://:memory:"
    logging.disable(logging.CRITICAL)
    from tests.simulation.report import report

    return report(range(options.seed, options.seed + options.runs), jobs=options.jobs, tell=options.story)


if __name__ == "__main__":
    sys.exit(main())
