"""Money: what services charge (`prices`), what work would cost (`estimate`), and what this process
has used of them (`ledger`), in `measures`. Kept in the catalogue: `resources/costs/usage.py`.
"""
