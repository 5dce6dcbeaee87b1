"""Money: what services charge and what work would cost (`prices`), and what was used of them
(`ledger`).
"""
