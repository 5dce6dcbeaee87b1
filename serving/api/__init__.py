"""The HTTP API and its page: `app` puts together what the routes' modules offer, `server` runs it.

Routes translate between HTTP and the modules of `serving`; nothing is computed here.
"""
