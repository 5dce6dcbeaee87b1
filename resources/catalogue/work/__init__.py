"""What is to be done and what was done: blocks, pending tracks, locks, records, generations."""
