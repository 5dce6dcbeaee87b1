"""Sound from nothing: signal processing, tones, drums, nature, effects, speech, soundfonts."""
