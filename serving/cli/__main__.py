"""`python -m serving.cli`: the same as `moodsearch`."""

from serving.cli import main

main()
