"""HTTP towards outside systems: clients, retries, rate limits."""
