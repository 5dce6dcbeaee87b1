"""Composes and synthesises the music of the demo (`serving/demo`), by this package alone.

`score` decides notes, `synthesis` makes sounds, `styles` puts both together, `render` writes the
files that ship. No recordings and no trained models belong here. Nothing here may use the code that
makes the clips to train with (`training/compose`, `training/synthesis`): the trained model is
evaluated on this music.
"""
