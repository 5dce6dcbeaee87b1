"""Who asks: semantic search, the HTTP API and its page, and the command line.

`search` answers a query, `tokens` knows users, `health` says what is reachable; `api`, `cli` and
`demo` present them. Nothing here decides what is pending or writes the index: that is `assets`.
"""
