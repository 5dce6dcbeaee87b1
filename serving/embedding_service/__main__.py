"""`python -m serving.embedding_service`: the service on this machine."""

import argparse
import contextlib
import sys

import uvicorn

from resources.errors import BackendError, UserError
from resources.settings import load_settings
from serving.embedding_service.addresses import is_public
from serving.embedding_service.app import create_embedding_service
from serving.embedding_service.limits import Limits
from serving.embedding_service.model import open_model
from serving.web.connections import limited_config


def main() -> int:
    """Answer until told to stop. Returns 1 when a setting is wrong or the model cannot
    be fetched."""
    parser = argparse.ArgumentParser(prog="python -m serving.embedding_service")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument(
        "--workers", type=int, default=Limits.workers, help="requests that compute at once"
    )
    parser.add_argument(
        "--allow-private-addresses",
        action="store_true",
        help="let audio_url lead to this machine and its network; for trials only",
    )
    options = parser.parse_args()
    try:
        model = open_model(load_settings())
    except (UserError, BackendError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    service = create_embedding_service(
        model,
        Limits(workers=options.workers),
        may_reach=(lambda _: True) if options.allow_private_addresses else is_public,
    )
    server = uvicorn.Server(limited_config(service, host=options.host, port=options.port))
    # uvicorn raises the signal again after a clean stop.
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
