"""Vector stores: one specification for every implementation, and a loopback turbopuffer."""
