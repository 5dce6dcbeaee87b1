"""Audio files: what they are (`probe`, `tags`), which parts of them are heard (`windows`) and those
parts as samples (`decode`).

A file is what its bytes say, never what its name says. Everything is read through FFmpeg (PyAV)
under the guards of `source`; a file that cannot be used raises `TrackError` with a reason for
people, a source that cannot be read raises its own error. No model, no storage, no network here.
"""
