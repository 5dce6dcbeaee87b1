"""Electronic and designed sounds: beeps, lasers, risers, glitches, scratches, static."""

from __future__ import annotations

import numpy as np

from training.synthesis import air, drums, dsp, nature, resonant, signals, speech
from training.synthesis.dsp import (
    CLIP_SAMPLES,
    RATE,
    Wave,
    add_at,
    biquad,
    coloured_noise,
    decay_curve,
    noise,
    normalise,
    samples,
    sweep,
    timeline,
)

Rng = np.random.Generator


def _tone(hz: float, length: int, square: bool = False) -> Wave:
    wave = sweep(np.full(length, hz, np.float32))
    return np.sign(wave) if square else wave


def beep(rng: Rng) -> Wave:
    """One or more steady electronic tones."""
    length = samples(rng.uniform(0.05, 0.5))
    fade = dsp.envelope(length, 0.003, 1, 1, 0.01)
    wave = _tone(rng.uniform(400, 4_000), length, rng.random() < 0.3) * fade
    out = np.zeros(samples(rng.uniform(0.3, 2)), np.float32)
    for k in range(int(rng.integers(1, 5))):
        add_at(out, wave, k * rng.uniform(0.15, 0.5))
    return normalise(out)


def _bent_tone(rng: Rng) -> Wave:
    """A tone that falls or rises at once and then stays, or turns back; plain, dull or buzzing."""
    length = samples(air.log_uniform(rng, 0.04, 0.8))
    time, stay = np.arange(length) / RATE, air.log_uniform(rng, 80, 2_500)
    knots = np.array([0, rng.uniform(0.05, 0.4), rng.uniform(0.45, 0.8), 1]) * length / RATE
    octaves = np.array([rng.uniform(-1.2, 2.2), rng.choice([0, rng.uniform(-1, 1)]), 0, 0])
    phase = np.cumsum(stay * 2 ** np.interp(time, knots, octaves)) / RATE
    wave, tilt = np.zeros(length), rng.uniform(0.2, 3)
    for part in range(1, int(rng.integers(2, 14))):
        wave += part**-tilt * rng.uniform(0.3, 1) * np.sin(2 * np.pi * part * phase)
    if rng.random() < 0.3:
        wave = np.sin(2 * np.pi * phase + rng.uniform(0.5, 6) * np.sin(
            2 * np.pi * phase * rng.choice([0.5, 1.5, 2, 3.4])))  # fmt: skip
    wave = biquad(wave.astype(np.float32), "lowpass", air.log_uniform(rng, 400, 10_000), 1)
    wave = wave * decay_curve(length, length / RATE / rng.uniform(1, 8))
    wave = wave * dsp.envelope(length, air.log_uniform(rng, 0.0005, 0.02), 1, 1, 0.003)
    if rng.random() < 0.5:
        add_at(wave, noise(rng, 60) * decay_curve(60, 0.0005), 0, rng.uniform(0, 0.6))
    return normalise(wave)


def _bloop(rng: Rng) -> Wave:
    """A round low tone that drops or jumps to its pitch and dies away."""
    length = samples(air.log_uniform(rng, 0.1, 0.9))
    time, stay = np.arange(length) / RATE, air.log_uniform(rng, 70, 700)
    bend = rng.uniform(-1, 2.5) * np.maximum(0, 1 - time / air.log_uniform(rng, 0.01, 0.15))
    phase, wave = np.cumsum(stay * 2**bend) / RATE, np.zeros(length)
    for part in range(1, int(rng.integers(2, 9))):
        wave += part ** -rng.uniform(1, 3.5) * np.sin(2 * np.pi * part * phase)
    wave = wave * decay_curve(length, length / RATE / rng.uniform(1, 7))
    attack = air.log_uniform(rng, 0.0005, 0.02)
    return normalise((wave * dsp.envelope(length, attack, 1, 1, 0.005)).astype(np.float32))


def _tick(rng: Rng) -> Wave:
    """A few waves of a tone, or of two, gone in some milliseconds."""
    length = samples(air.log_uniform(rng, 0.012, 0.1))
    wave, hz = np.zeros(length), air.log_uniform(rng, 250, 7_000)
    for ratio in (1, *rng.uniform(0.4, 4, int(rng.integers(0, 3)))):
        path = hz * ratio * (1 + rng.uniform(-0.3, 1.5) * decay_curve(length, 0.002))
        tone = sweep(path.astype(np.float32)) * rng.uniform(0.1, 1)
        wave += tone * decay_curve(length, air.log_uniform(rng, 0.0008, 0.015))
    return normalise(wave.astype(np.float32))


def blip(rng: Rng) -> Wave:
    """A very short electronic sound: a bending tone, a click that rings, a bleep or two."""
    if rng.random() < 0.6:
        return (_bent_tone, _bent_tone, _bloop, _tick)[rng.integers(4)](rng)
    length = samples(float(np.exp(rng.uniform(np.log(0.015), np.log(0.3)))))
    kind = rng.integers(5)
    hz, time = float(np.exp(rng.uniform(np.log(150), np.log(6_000)))), np.arange(length) / RATE
    if kind <= 1:
        bend = np.geomspace(1, rng.choice([0.25, 0.5, 1, 1, 1.6, 3]), length)
        wave = sweep((min(hz, 3_500) * bend).astype(np.float32))
    elif kind == 2:  # two operators of frequency modulation
        depth = rng.uniform(0.5, 8) * np.exp(-time / rng.uniform(0.005, 0.1))
        wave = np.sin(2 * np.pi * hz * time + depth * np.sin(2 * np.pi * hz * rng.uniform(
            0.3, 4) * time)).astype(np.float32)  # fmt: skip
    elif kind == 3:  # a click that a narrow filter lets ring
        click = noise(rng, length) * decay_curve(length, rng.uniform(0.0005, 0.004))
        wave = biquad(click, "bandpass", (hz * 0.85, hz * rng.uniform(1.1, 2)))
    else:
        wave = np.sign(_tone(hz / 2, length)) * rng.uniform(0.3, 1)
    wave = wave * decay_curve(length, rng.uniform(0.004, 0.12))
    if rng.random() < 0.3:
        wave = dsp.drive(wave, rng.uniform(2, 10))
    wave = normalise(wave.astype(np.float32))
    if rng.random() < 0.25:  # a second one, or a few
        out = dsp.silence(length / RATE + rng.uniform(0.05, 0.5))
        for start in np.arange(0, len(out) / RATE, rng.uniform(0.03, 0.2)):
            add_at(out, dsp.pitch_shift(wave, rng.choice([1, 1, 0.75, 1.33, 2])), start)
        wave = out
    return wave


def ping(rng: Rng) -> Wave:
    """A pure high tone that dies away, as of a sonar; dry or in a room."""
    wave = dsp.silence(rng.uniform(0.15, 2))
    tone = _tone(float(np.exp(rng.uniform(np.log(500), np.log(5_000)))), len(wave))
    wave = tone * decay_curve(len(wave), len(wave) / RATE / rng.uniform(2, 6))
    if rng.random() < 0.4:
        wave = dsp.reverb(normalise(wave), rng, rng.uniform(0.3, 3), rng.uniform(0.1, 0.5))
    return normalise(wave)


def laser(rng: Rng) -> Wave:
    """Science-fiction zap: a fast falling sweep."""
    length = samples(rng.uniform(0.15, 0.7))
    fall = np.exp(-np.linspace(0, rng.uniform(2, 5), length, dtype=np.float32))
    wave = sweep(rng.uniform(1_500, 7_000) * fall + rng.uniform(50, 300))
    if rng.random() < 0.4:
        wave = np.sign(wave)
    return normalise(wave * np.linspace(1, 0, length, dtype=np.float32))


def riser(rng: Rng) -> Wave:
    """Rising sweep of noise or tone (build-up)."""
    length = samples(rng.uniform(1.5, 8))
    rise = np.linspace(0, 1, length, dtype=np.float32)
    tone = sweep(80 * 40**rise)
    top = rng.uniform(3_000, 9_000)

    def gain(hz: np.ndarray, t: np.ndarray) -> np.ndarray:
        centre = 150 * (top / 150) ** (t * RATE / length)
        return np.exp(-(np.log((hz + 20) / centre) ** 2) / 0.2)

    air = normalise(dsp.spectral_gain(noise(rng, length), gain))
    mix = rng.uniform(0, 1)
    return normalise((mix * air + (1 - mix) * 0.6 * tone) * (0.1 + rise))


def falling(rng: Rng) -> Wave:
    """Falling sweep (drop, downlifter)."""
    return riser(rng)[::-1].copy()


def whoosh(rng: Rng) -> Wave:
    """Something rushing past: a moved filter, a fly-by, a swing, a brush, a sound backwards."""
    return air.movement(rng) if rng.random() < 0.65 else _moved_filter(rng)


def _moved_filter(rng: Rng) -> Wave:
    """Noise or a dragged tone under a filter that rises and falls."""
    length = samples(float(np.exp(rng.uniform(np.log(0.2), np.log(4)))))
    seconds = length / RATE
    centre = float(np.exp(rng.uniform(np.log(150), np.log(4_000))))
    width, octaves = rng.uniform(0.15, 0.9), rng.uniform(-1, 2.5)
    peak = rng.uniform(0.15, 0.85)

    def gain(hz: np.ndarray, t: np.ndarray) -> np.ndarray:
        nearness = np.exp(-(((t / seconds - peak) / 0.35) ** 2))
        moving = centre * 2 ** (octaves * nearness)
        return np.exp(-(np.log((hz + 20) / moving) ** 2) / (2 * width**2))

    source = coloured_noise(rng, length, rng.uniform(0, 1.5))
    if rng.random() < 0.25:
        path = rng.uniform(60, 400) * 2 ** (rng.uniform(0, 1.5) * np.linspace(1, -1, length))
        saw = np.cumsum(path) / RATE % 1 - 0.5
        source = 0.6 * source + rng.uniform(0.2, 1) * saw.astype(np.float32)
    frame = 1024 if length > 4_096 else 256
    wave = dsp.spectral_gain(source, gain, frame)
    top = int(length * peak)
    swell = np.concatenate([np.linspace(0, 1, top), np.linspace(1, 0, length - top)])
    wave = normalise(wave * swell.astype(np.float32) ** rng.uniform(0.7, 3.5))
    if rng.random() < 0.2:  # a swing there and back
        wave = np.concatenate([wave, 0.7 * wave[::-1]])
    if rng.random() < 0.4:
        tail = np.concatenate([wave, dsp.silence(rng.uniform(0.3, 2))])
        wave = dsp.reverb(tail, rng, rng.uniform(0.4, 3), rng.uniform(0.2, 0.6))
    return normalise(wave)


def swish(rng: Rng) -> Wave:
    """A short stroke of air or of a brush: one swell of noise, sometimes there and back."""
    if rng.random() < 0.5:
        make = (air.dark_swish, air.dark_swish, air.brush, air.swing, air.cloth)[rng.integers(5)]
        return normalise(make(rng)[: samples(rng.uniform(0.2, 0.9))])
    strokes = []
    for _ in range(1 if rng.random() < 0.7 else 2):
        length = samples(rng.uniform(0.06, 0.6))
        low = float(np.exp(rng.uniform(np.log(200), np.log(4_000))))
        wave = biquad(noise(rng, length), "bandpass", (low, low * rng.uniform(1.8, 8)), 1)
        peak = rng.uniform(0.1, 0.8)
        position = np.linspace(0, 1, length)
        swell = np.minimum(position / peak, (1 - position) / (1 - peak))
        strokes.append(normalise(wave * swell ** rng.uniform(0.6, 2.5)) * rng.uniform(0.5, 1))
    return normalise(np.concatenate(strokes).astype(np.float32))


def static(rng: Rng) -> Wave:
    """Radio static, hiss, white or pink noise."""
    wave = coloured_noise(rng, CLIP_SAMPLES, rng.uniform(0, 1.2))
    if rng.random() < 0.5:
        wave = biquad(wave, "bandpass", (rng.uniform(100, 1_500), rng.uniform(3_000, 10_000)))
    if rng.random() < 0.3:
        wave = wave * (nature.wander(rng, 8) > 0.3)
    return normalise(wave)


def harsh_noise(rng: Rng) -> Wave:
    """Harsh noise music: saturated, modulated, screaming."""
    time = timeline(10)
    wave = noise(rng, CLIP_SAMPLES) * rng.uniform(0.2, 1)
    for _ in range(int(rng.integers(0, 5))):
        path = rng.uniform(60, 3_000) * (1 + nature.wander(rng, rng.uniform(0.5, 15)))
        wave = wave + np.sign(sweep(path)) * rng.uniform(0.2, 1)
    if rng.random() < 0.5:
        wave = wave * (0.3 + (np.sin(2 * np.pi * rng.uniform(3, 40) * time) > 0))
    if rng.random() < 0.5:
        low, high = rng.uniform(50, 600), rng.uniform(2_500, 10_000)
        wave = biquad(wave, "bandpass", (low, high))
    if rng.random() < 0.4:
        wave = dsp.crush(normalise(wave), int(rng.integers(2, 5)), int(rng.integers(1, 12)))
    wave = dsp.drive(wave * (0.4 + nature.wander(rng, rng.uniform(0.5, 6))), rng.uniform(3, 30))
    return normalise(dsp.random_equaliser(wave, rng, 12))


def hum(rng: Rng) -> Wave:
    """Mains hum or buzz: many harmonics of a low tone."""
    time, base = timeline(10), rng.choice([50, 60, 100, 120]) * rng.uniform(0.95, 1.05)
    tilt = rng.uniform(0.2, 1.5)
    out = sum(
        rng.uniform(0.2, 1) * k**-tilt * np.sin(2 * np.pi * base * k * time) for k in range(1, 25)
    )
    return normalise((out * (0.7 + 0.3 * nature.wander(rng, 1))).astype(np.float32))


def glitch(rng: Rng) -> Wave:
    """Glitch: cuts, stutters, clicks and crushed bits, a machine's data, a disc that skips."""
    if rng.random() < 0.25:
        return signals.broken(rng)
    if rng.random() < 0.15:
        return _skipping_disc(rng)
    out = np.zeros(samples(rng.uniform(0.4, 4)), np.float32)
    makers = (beep, blip, laser, static, harsh_noise)
    sources = [makers[rng.integers(5)](rng) for _ in range(int(rng.integers(2, 8)))]
    seconds = len(out) / RATE
    for _ in range(int(rng.integers(3, 14) * max(1, seconds / 2))):
        source = sources[rng.integers(len(sources))]
        first = int(rng.integers(0, max(1, len(source) // 2)))
        piece = source[first : first + samples(rng.uniform(0.005, 0.08))]
        start, gap = rng.uniform(0, seconds), rng.uniform(0.01, 0.08)
        for k in range(int(rng.integers(1, 9))):
            add_at(out, piece, start + k * gap, rng.uniform(0.3, 1))
    return normalise(dsp.crush(normalise(out), int(rng.integers(3, 9)), int(rng.integers(1, 8))))


def _skipping_disc(rng: Rng) -> Wave:
    """A player that hangs: pieces of a recording repeated, dropped and jumped over."""
    source, out = _record(rng), []
    for _ in range(int(rng.integers(3, 14))):
        first = int(rng.integers(0, max(1, len(source) - 600)))
        piece = source[first : first + samples(rng.uniform(0.01, 0.16))]
        piece = piece * rng.choice([0, 1, 1, 1])
        out.append(np.tile(piece, int(rng.integers(1, 9))))
        out.append(0.5 * noise(rng, int(rng.integers(1, 40))))
    return normalise(np.concatenate(out)[: samples(rng.uniform(0.4, 4))].astype(np.float32))


def _record(rng: Rng) -> Wave:
    """A second or two of what a disc jockey would scratch: a voice, drums, a stab, a tone."""
    kind = rng.integers(4)
    if kind == 0:
        source = speech.speak(rng)
    elif kind == 1:
        source = np.zeros(samples(1.2), np.float32)
        for at in np.arange(0, 1.2, rng.uniform(0.1, 0.3)):
            hit = (drums.snare, drums.kick, drums.hihat)[rng.integers(3)](rng)
            add_at(source, hit, float(at))
    elif kind == 2:
        length = samples(1.2)
        source = sum(
            np.sign(_tone(hz, length)) for hz in rng.uniform(110, 500, int(rng.integers(1, 5)))
        )
        source = source * decay_curve(length, rng.uniform(0.2, 2))
    else:
        source = coloured_noise(rng, samples(1.2), rng.uniform(0.3, 1.5))
    return normalise(np.asarray(source, np.float32)) + 0.02 * noise(rng, len(source))


def record_surface(rng: Rng) -> Wave:
    """A record's groove with nothing on it: rumble, hiss, clicks and pops, once a turn or not."""
    length = CLIP_SAMPLES if rng.random() < 0.6 else samples(rng.uniform(1, 9))
    turn = 60 / rng.choice([33.3, 45, 78])
    time = np.arange(length) / RATE
    wave = coloured_noise(rng, length, rng.uniform(0.5, 1.5)) * 10 ** rng.uniform(-1.8, -0.2)
    wave = wave * (1 + rng.uniform(0, 0.5) * np.sin(2 * np.pi * time / turn + rng.uniform(0, 6)))
    rumble = normalise(biquad(noise(rng, length), "lowpass", rng.uniform(25, 150)))
    wave = wave + rng.uniform(0, 0.6) * rumble * (0.4 + nature.wander(rng, 1, length))
    clicks = np.zeros(length, np.float32)
    for rate, loud in ((air.log_uniform(rng, 3, 300), 0.15), (air.log_uniform(rng, 0.3, 20), 1)):
        places = rng.integers(0, length, 1 + int(rate * length / RATE))
        clicks[places] += loud * rng.standard_normal(len(places)) ** 3
    if rng.random() < 0.4:  # a scar across the groove
        places = np.arange(rng.uniform(0, turn) * RATE, length, turn * RATE).astype(int)
        clicks[places] += rng.choice([-1, 1]) * rng.uniform(1, 6)
    tail = noise(rng, samples(0.004)) * decay_curve(samples(0.004), rng.uniform(0.0001, 0.001))
    clicks = np.convolve(clicks, tail)[:length].astype(np.float32)
    wave = wave + rng.uniform(0.1, 1) * normalise(np.clip(clicks, -3, 3))
    wave = biquad(wave.astype(np.float32), "lowpass", air.log_uniform(rng, 1_200, 11_000), 1)
    if rng.random() < 0.2:
        add_at(wave, normalise(signals.thump(rng)), rng.uniform(0, 0.5), rng.uniform(0.2, 1))
    return normalise(wave)


def _figure(rng: Rng) -> list[tuple[float, float, bool]]:
    """A scratch that is learned: strokes of (samples of record per sample, seconds, heard)."""
    beat, speed = rng.uniform(0.08, 0.3), rng.uniform(0.7, 3)
    baby = [(speed, beat, True), (-speed, beat, True)]
    forward = [(speed, beat, True), (-2 * speed, beat / 2, False)]
    chirp = [(speed, beat / 2, True), (-speed, beat / 2, True), (0.01, beat / 2, False)]
    cuts = [(speed, beat / 4, k % 2 == 0) for k in range(8)]
    scribble = [(speed * (1, -1)[k % 2], beat / 4, True) for k in range(8)]
    backspin = [(-rng.uniform(4, 12), rng.uniform(0.3, 1.2), True)]
    figures = (baby, forward, chirp, cuts, scribble, backspin)
    return [stroke for _ in range(int(rng.integers(1, 5))) for stroke in figures[rng.integers(6)]]


def _figures(rng: Rng) -> Wave:
    """Learned scratches on one sound, over the groove's noise."""
    source, position, strokes = _record(rng), 0.0, []
    position = rng.uniform(0.1, 0.6) * len(source)
    for speed, seconds, heard in _figure(rng):
        length = samples(seconds)
        course = speed * np.sin(np.linspace(0.05, np.pi, length)) ** rng.uniform(0.2, 1)
        path = position + np.cumsum(course)
        position = float(path[-1])
        piece = np.interp(path % (len(source) - 1), np.arange(len(source)), source)
        strokes.append(piece * heard * np.minimum(1, 2 * np.abs(course)))
    wave = normalise(np.concatenate(strokes).astype(np.float32))[:CLIP_SAMPLES]
    if rng.random() < 0.5:
        wave = wave + rng.uniform(0.02, 0.3) * np.resize(record_surface(rng), len(wave))
    low = air.log_uniform(rng, 60, 500)
    return normalise(biquad(wave, "bandpass", (low, air.log_uniform(rng, 2_500, 10_500)), 1))


def scratch(rng: Rng) -> Wave:
    """Turntable scratch: a record pushed back and forth by hand, the fader cutting."""
    if rng.random() < 0.5:
        return _figures(rng)
    source = _record(rng)
    moves = int(rng.integers(2, 14))
    strokes, direction, position = [], 1.0, rng.uniform(0.1, 0.5) * len(source)
    for _ in range(moves):
        length = samples(float(np.exp(rng.uniform(np.log(0.05), np.log(0.4)))))
        top = rng.uniform(0.5, 4) * direction
        speed = top * np.sin(np.linspace(0, np.pi, length)) ** rng.uniform(0.4, 1.2)
        path = position + np.cumsum(speed)
        position = float(path[-1])
        audible = rng.random() < 0.85
        level = np.minimum(1, np.abs(speed) * 1.5) * audible
        index = np.abs(path) % (len(source) - 1)
        strokes.append(np.interp(index, np.arange(len(source)), source) * level)
        direction = -direction
    wave = np.concatenate(strokes).astype(np.float32)
    if rng.random() < 0.4:
        click = noise(rng, len(wave)) * (rng.random(len(wave)) < 0.002)
        wave = wave + 0.5 * biquad(click.astype(np.float32), "highpass", 800)
    return normalise(biquad(wave, "bandpass", (rng.uniform(80, 350), rng.uniform(4_000, 10_500))))


def rewind(rng: Rng) -> Wave:
    """A record or tape rewound or stopped: fast garble sweeping up or down."""
    length = samples(rng.uniform(0.5, 2))
    source = coloured_noise(rng, samples(2), 0.6)
    for _ in range(12):
        add_at(source, blip(rng), rng.uniform(0, 2))
    ramp = np.linspace(*rng.permutation([0.2, rng.uniform(3, 7)]), length)
    position = np.cumsum(ramp) % (len(source) - 1)
    wave = np.interp(position, np.arange(len(source)), source).astype(np.float32)
    return normalise(biquad(wave, "bandpass", (300, 8_000)))


def _bell_ringer(rng: Rng, seconds: float) -> Wave:
    """Two small gongs struck in turn by a clapper."""
    out = dsp.silence(seconds)
    rate, on, gongs = rng.uniform(16, 28), rng.uniform(0.3, 2.0), rng.uniform(700, 2_400, 2)
    ratios = resonant.mode_ratios(rng)
    rings = [resonant.ring(rng, float(hz), ratios, rng.uniform(0.05, 0.4), 0.8) for hz in gongs]
    pause = rng.uniform(0.2, 2)
    for k in range(int(seconds * rate)):
        time = k / rate
        if time % (on + pause) < on:
            add_at(out, rings[k % 2], time, rng.uniform(0.7, 1))
    return out


def _warbler(rng: Rng, seconds: float) -> Wave:
    """An electronic ringer: two to four tones in quick turn, or a little tune."""
    time = np.arange(samples(seconds)) / RATE
    tones = rng.uniform(500, 2_800, int(rng.integers(2, 5)))
    rate = rng.uniform(8, 30) if rng.random() < 0.7 else rng.uniform(3, 8)
    hz = tones[(time * rate).astype(int) % len(tones)].astype(np.float32)
    wave = sweep(hz)
    if rng.random() < 0.5:
        wave = np.sign(wave)
    on, pause = rng.uniform(0.3, 2), rng.uniform(0.1, 2)
    return (wave * (time % (on + pause) < on)).astype(np.float32)


def _tone_pairs(rng: Rng, seconds: float) -> Wave:
    """Dialled digits (ITU-T Q.23 frequencies)."""
    out, low, high = dsp.silence(seconds), (697, 770, 852, 941), (1_209, 1_336, 1_477)
    step, share = rng.uniform(0.08, 0.4), rng.uniform(0.4, 0.9)
    for k in range(int(seconds / step)):
        length = samples(step * share)
        tone = _tone(float(rng.choice(low)), length) + _tone(float(rng.choice(high)), length)
        add_at(out, tone, k * step)
    return out


def _line_tone(rng: Rng, seconds: float) -> Wave:
    """Dial, busy or ringing tone of a line."""
    time = np.arange(samples(seconds)) / RATE
    pairs = ((350, 440), (480, 620), (440, 480), (425, 425), (400, 450))
    low, high = pairs[rng.integers(len(pairs))]
    on, pause = (seconds, 0.1) if rng.random() < 0.3 else (rng.uniform(0.2, 1), rng.uniform(0.2, 1))
    wave = np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time)
    return (wave * (time % (on + pause) < on)).astype(np.float32)


def _modem(rng: Rng, seconds: float) -> Wave:
    """Chirps and keyed noise of a modem, or a toy telephone's rattle."""
    length = samples(seconds)
    bits = rng.integers(0, 2, int(seconds * rng.uniform(20, 300)) + 2)
    keyed = np.repeat(bits, length // len(bits) + 1)[:length]
    low = rng.uniform(700, 1_600)
    wave = sweep((low + rng.uniform(150, 1_200) * keyed).astype(np.float32))
    return wave + rng.uniform(0, 0.5) * noise(rng, length)


def telephone(rng: Rng) -> Wave:
    """A telephone: bells, ringers, tunes, dialled digits, line tones, a modem, its handling."""
    if rng.random() < 0.5:
        return signals.further_telephone(rng, rng.uniform(0.4, 4.5))
    makers = (_bell_ringer, _warbler, _tone_pairs, _line_tone, _modem)
    make = makers[rng.choice(5, p=[0.3, 0.25, 0.25, 0.12, 0.08])]
    wave = normalise(make(rng, rng.uniform(0.4, 5)))
    if rng.random() < 0.4:
        wave = biquad(wave, "bandpass", (rng.uniform(200, 400), rng.uniform(2_500, 4_000)))
        wave = dsp.drive(wave, rng.uniform(0.5, 4)) + rng.uniform(0, 0.05) * noise(rng, len(wave))
    return normalise(wave)


def alarm(rng: Rng) -> Wave:
    """Alarm or siren: a tone alternating or sweeping."""
    time = timeline(10)
    shape = np.sin(2 * np.pi * rng.uniform(0.2, 4) * time)
    if rng.random() < 0.5:
        shape = np.sign(shape)
    wave = sweep(
        (rng.uniform(500, 1_500) * 2 ** (rng.uniform(0.2, 0.6) * shape)).astype(np.float32)
    )
    return normalise(np.sign(wave) if rng.random() < 0.4 else wave)


def robot(rng: Rng) -> Wave:
    """Robot chatter and moves: stepped tones, buzzing vowels, motors, steps, crushed speech."""
    if rng.random() < 0.7:
        makers = (signals.machine_moves, signals.power_down, signals.droid, signals.babble)
        return makers[rng.choice(4, p=[0.4, 0.3, 0.18, 0.12])](rng)
    if rng.random() < 0.35:
        voice = speech.robot_voice(rng)
        hold = int(rng.integers(2, 9))
        return normalise(dsp.crush(voice, int(rng.integers(3, 7)), hold))
    if rng.random() < 0.3:
        return _servo(rng)
    out, time = np.zeros(samples(rng.uniform(0.6, 3)), np.float32), 0.0
    while time < len(out) / RATE:
        length = samples(rng.uniform(0.04, 0.25))
        path = rng.uniform(150, 2_500) * np.linspace(1, rng.uniform(0.5, 2), length)
        add_at(out, np.sign(sweep(path.astype(np.float32))) * rng.uniform(0.3, 1), time)
        time += length / RATE * rng.uniform(1, 1.5)
    ring = sweep(np.full(len(out), rng.uniform(30, 400), np.float32))
    return normalise(biquad(out * ring, "bandpass", (150, rng.uniform(3_000, 9_000))))


def _servo(rng: Rng) -> Wave:
    """A small motor starting and stopping, with clicks."""
    out = dsp.silence(rng.uniform(0.5, 3))
    for _ in range(int(rng.integers(1, 6))):
        length = samples(rng.uniform(0.08, 0.6))
        ramp = np.minimum(1, np.linspace(0, rng.uniform(2, 8), length))
        phase = np.cumsum(rng.uniform(80, 700) * (0.4 + 0.6 * ramp)) / RATE
        whine = (phase % 1 - 0.5) + 0.5 * np.sin(2 * np.pi * 5.02 * phase)
        whine = whine * ramp * np.minimum(1, np.linspace(8, 0, length))
        start = rng.uniform(0, len(out) / RATE * 0.8)
        add_at(out, (whine + 0.1 * noise(rng, length)).astype(np.float32), start)
        add_at(out, noise(rng, 200) * decay_curve(200, 0.002), start, rng.uniform(0, 1.5))
    return normalise(biquad(out, "bandpass", (120, rng.uniform(3_000, 10_000))))


def bass_drop(rng: Rng) -> Wave:
    """A deep sine falling into the sub-bass."""
    length = samples(rng.uniform(1, 4))
    fall = np.exp(-np.linspace(0, 2, length, dtype=np.float32))
    wave = sweep(28 + rng.uniform(60, 180) * fall)
    if rng.random() < 0.4:
        wave = dsp.drive(wave, rng.uniform(1, 5))
    return normalise(wave * np.linspace(1, 0, length, dtype=np.float32) ** 0.5)


def reversed_swell(rng: Rng) -> Wave:
    """A reversed cymbal or bell: silence growing to a cut."""
    length = samples(rng.uniform(0.8, 3))
    wave = biquad(noise(rng, length), "highpass", rng.uniform(500, 4_000))
    return normalise((wave * decay_curve(length, length / RATE / 4))[::-1].copy())
