"""The same wish in other words: how people vary a query without meaning anything else.

Written before any result of theirs was seen. Each line of `VARIANTS` has a query and what should
find the same track first.
"""

from typing import Final

VARIANTS: Final[dict[str, tuple[str, ...]]] = {
    "calm solo piano": (
        "CALM SOLO PIANO",
        "calm, solo piano!",
        "music that sounds like calm solo piano",
        "calm solo pianos",
    ),
    "dark ambient drone": (
        "Dark Ambient Drone",
        "I want something like a dark ambient drone",
        "dark ambiant drone",
        "dark ambient drones",
    ),
    "driving techno": (
        "give me driving techno",
        "driving tecno",
        "drivng techno",
        "driving techno...",
    ),
    "8-bit video game music": (
        "8 bit video game music",
        "8-Bit Video Game Music",
        "songs like 8-bit video game music",
    ),
    "acoustic guitar": (
        "accoustic guitar",
        "acoustic guitars",
        "acoustic guitarr",
        "songs with acoustic guitar",
        "acoustic guitar, please",
    ),
    "meditation bells": (
        "meditaton bells",
        "Meditation Bells.",
        "something with meditation bells",
        "meditation bell",
    ),
    "string quartet": (
        "string quartett",
        "string quartets",
        "a string quartet",
        "play me a string quartet",
        '"string quartet"',
    ),
    "fast drum and bass": (
        "fast drum & bass",
        "fast drum'n'bass",
        "FAST DRUM AND BASS",
        "show me fast drum and bass",
    ),
    "lo-fi hip hop": (
        "lo-fi hip-hop",
        "lofi hip hop",
        "Lo-Fi Hip Hop",
        "some lo-fi hip hop",
        "I'm looking for lo-fi hip hop",
    ),
    "triumphant brass fanfare": (
        "triumphent brass fanfare",
        "triumphant brass fanfares",
        "music with a triumphant brass fanfare",
        "Triumphant brass fanfare!!",
    ),
    "smoky jazz trio": (
        "smoky jazz trios",
        "smokey jazz trio",
        "I would like to hear a smoky jazz trio",
        "SMOKY JAZZ TRIO",
    ),
    "harsh noise": (
        "harsh noises",
        "harsh-noise",
        "find me some harsh noise",
        "what does harsh noise sound like?",
    ),
    "choir in a cathedral": (
        "choir in a cathederal",
        "choirs in a cathedral",
        "songs with a choir in a cathedral",
        "Choir (in a cathedral)",
    ),
    "retro synthesizer": (
        "retro synthesiser",
        "retro synthesizers",
        "retro synthesizr",
        "tracks that sound like a retro synthesizer",
    ),
    "dub reggae": (
        "dub reggea",
        "Dub Reggae",
        "I feel like dub reggae",
        "dub, reggae",
    ),
    "medieval theatre trumpets": (
        "medieval theater trumpets",
        "mediaeval theatre trumpets",
        "medieval theatre trumpet",
    ),
    "melancholic violin": (
        "melancolic violin",
        "melancholic violins",
        "please play something with a melancholic violin",
        "melancholic voilin",
    ),
    "colourful arcade melody": (
        "colorful arcade melody",
        "colourful arcade melodies",
        "Colourful Arcade Melody?",
    ),
    "peaceful singing bowls": (
        "peacefull singing bowls",
        "peaceful singing bowl",
        "the sound of peaceful singing bowls",
    ),
    "distorted static": (
        "distorded static",
        "distorted, static",
        "a track with distorted static",
    ),
    "grey gloomy atmosphere": (
        "gray gloomy atmosphere",
        "grey gloomy atmospheres",
        "grey gloomy atmoshpere",
    ),
    "hypnotic club beat": (
        "hypnotic club beats",
        "hypnotik club beat",
        "can you play a hypnotic club beat",
    ),
    "walking double bass": (
        "walkin double bass",
        "walking double-bass",
        "songs that have a walking double bass",
    ),
    "fingerpicked folk song": (
        "fingerpiked folk song",
        "finger-picked folk song",
        "fingerpicked folk songs",
    ),
}
