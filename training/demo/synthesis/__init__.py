"""Sound sources and effects written in numpy: arrays in, arrays out.

Nothing here knows a style, a chord or a file format. Signals are float32; mono is ``(n,)`` and
stereo ``(2, n)``; pitch is in hertz, time in seconds, decay times are the seconds to fall by 60 dB.
"""
