"""These start whole installations and kill them: `make test-processes`, not `make test`."""

import os

collect_ignore_glob = [] if os.environ.get("EVENSTOCK_TEST_PROCESSES") else ["test_*.py"]
