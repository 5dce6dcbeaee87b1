"""What a composer decides before any sound exists: chords, voice leading, grooves, forms.

Nothing here synthesises; ``rhythm`` only places finished sounds on a canvas.
"""
