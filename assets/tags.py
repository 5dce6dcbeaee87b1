"""Names of the tags that runs carry."""

from typing import Final

PROCESS_TAG: Final = "moodsearch/process"
"""Which process works on a run (`resources.machine.processes`)."""
