"""`moodsearch serve`: the API and the search page."""

import logging
import threading
import time
from typing import Final

from resources.backends import Backends
from resources.errors import MoodSearchError
from resources.settings import load_settings
from serving.api.server import serve

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
    while True:
        time.sleep(CHECK_SECONDS)
        try:
            backends.ensure_running()
        except MoodSearchError:
            logger.exception("the embedded database does not start")
