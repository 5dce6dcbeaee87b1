"""A backfill in a process of its own, to be killed, that notes how much its model embeds."""

import sys
from pathlib import Path

from assets.block_run import NoProgress
from pipelines.backfill import backfill, plan
from resources.backends import Backends
from resources.settings import load_settings
from tests.pipelines.noting_backends import NotingBackends

if __name__ == "__main__":
    settings = load_settings()
    with Backends(settings) as backends:
        noting = NotingBackends(settings, Path(sys.argv[1]))
        backends.__dict__["embedding_backends"] = noting
        backends.__dict__["local_model"] = noting.local_model
        result = backfill(backends, plan(backends), progress=NoProgress())
    sys.exit(1 if result.errors else 0)
