"""What the system costs: time, throughput and memory of each stage, measured on this machine.

`python -m bench` runs every stage in a fresh process over a real PostgreSQL, real audio files that
are made here, and the code that production runs. Nothing in the product imports this package.
"""
