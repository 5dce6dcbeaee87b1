"""`moodsearch serve`: the API and the search page."""

from resources.backends import Backends
from resources.settings import load_settings
from serving.api.server import serve


def run(host: str, port: int) -> int:
    with Backends(load_settings()) as backends:
        serve(backends, host, port)
    return 0
