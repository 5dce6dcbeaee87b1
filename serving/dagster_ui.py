"""`python -m serving.dagster_ui`: Dagster's webserver with the arguments of `dagster-webserver`,
which answers to its own names and its own pages alone. By itself it answers everybody who reaches
its port, and whoever is answered can launch runs.

Dagster offers no way to add middleware from outside, so the public function that makes its
application is replaced here by one that adds some. tests/serving/test_dagster_ui.py notices when an
update no longer calls it.
"""

import argparse
from typing import Any

from dagster_webserver import cli
from dagster_webserver.app import create_app_from_workspace_process_context
from starlette.applications import Starlette
from starlette.middleware.trustedhost import TrustedHostMiddleware

from serving.web.hosts import OwnPagesOnly, allowed_hosts


def main() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-h", "--host", default=cli.DEFAULT_WEBSERVER_HOST)
    host = parser.parse_known_args()[0].host

    def create_guarded(*arguments: Any, **named: Any) -> Starlette:
        app = create_app_from_workspace_process_context(*arguments, **named)
        app.add_middleware(OwnPagesOnly, acting_path="/graphql")
        app.add_middleware(
            TrustedHostMiddleware, allowed_hosts=allowed_hosts(host), www_redirect=False
        )
        return app

    vars(cli)["create_app_from_workspace_process_context"] = create_guarded
    webserver: Any = cli.main
    webserver()


if __name__ == "__main__":
    main()
