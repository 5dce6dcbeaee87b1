"""When it runs: definitions, jobs, sensors, schedules, housekeeping, and backfills in this process.

What is computed is in `assets`. Nothing here imports `serving`.
"""
