"""Training of the offline text-audio model: generate clips, train, evaluate, export.

Nothing here is installed with the product, and the product imports nothing from here.
"""
