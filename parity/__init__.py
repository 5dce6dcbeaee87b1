"""Proof that CLAP in this repository is transformers' CLAP: golden vectors for the default tests,
and the same comparison live at full size.

Nothing that runs imports it, and only `signals` can be imported without PyTorch and transformers.
`make parity` installs them into an environment of their own.
"""
