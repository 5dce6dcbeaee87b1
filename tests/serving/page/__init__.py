"""The search page in a real browser, over the real API. Needs the system's Chromium."""
