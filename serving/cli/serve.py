"""`moodsearch serve`: the API and the search page."""

import logging
import threading
import time
from typing import Final

from resources.backends import Backends
from resources.settings import load_settings
from serving.api.server import serve
from serving.upkeep import Upkeep

CHECK_SECONDS: Final = 2

logger = logging.getLogger(__name__)


def run(host: str, port: int) -> int:
    with Backends(load_settings()) as backends:
        watcher = threading.Thread(target=_keep_the_database_running, args=(backends,), daemon=True)
        watcher.start()
        serve(backends, host, port)
    return 0


def _keep_the_database_running(backends: Backends) -> None:
    """An embedded server that was killed is started again."""
    upkeep = Upkeep(backends.ensure_running, logger.warning)
    while True:
        time.sleep(CHECK_SECONDS)
        upkeep()
