"""Phrases for natural, everyday and designed sounds."""

SOUNDS: dict[str, str] = {
    "nature": "nature | nature sounds | field recording | outdoors | natural ambience",
    "rain": "rain | rainfall | raindrops | pouring rain | rainstorm | drizzle"
    " | relaxing rain | rain for sleeping",
    "thunder": "thunder | thunderstorm | storm | lightning | rumbling thunder",
    "wind": "wind | howling wind | breeze | gust | blowing wind",
    "ocean": "ocean | sea waves | waves on a beach | surf | seaside | relaxing waves",
    "stream": "stream | river | brook | flowing water | creek | water | relaxing stream",
    "dripping": "dripping water | water drops | drip | bubble | droplet | plop",
    "fire": "fire | crackling fire | fireplace | burning | flames",
    "birds": "birds | birdsong | chirping | tweeting birds | dawn chorus | songbird",
    "crow": "crow | raven | cawing | crow cawing",
    "crickets": "crickets | cicadas | night insects | summer night",
    "insects": "bee | buzzing insect | fly buzzing | mosquito | wasp",
    "dog": "dog | barking | dog barking | bark",
    "laughter": "laughter | laughing | giggle | haha",
    "scream": "scream | screaming | shriek | shouting",
    "gunshot": "gunshot | gun | shot | rifle | gunfire | machine gun",
    "animal": "animal | animal sound | creature",
    "everyday": "everyday sound | foley | household sound",
    "footsteps": "footsteps | walking | steps | someone walking",
    "clock": "clock | ticking clock | tick tock | watch ticking",
    "door": "door | door closing | door slam | door knock | latch",
    "creak": "creak | creaking door | squeak | creaking wood",
    "glass": "glass | breaking glass | clinking glass | shattering",
    "glass_rub": "rubbed glass | glass harmonica | wine glass | glassy hum | glass humming",
    "typing": "typing | keyboard clicks | mouse click | computer keyboard | clicking",
    "heartbeat": "heartbeat | heart beating | pulse",
    "applause": "applause | clapping audience | audience cheering | ovation",
    "breath": "breath | breathing | sigh | steam | exhale",
    "burp": "burp | belch | croak | fart | rude noise",
    "coins": "coins | cash register | money | till | change jingling | keys jingling",
    "impact": "impact | hit | thud | bang | crash | knock | collision | metallic clang",
    "mechanical": "mechanical | machinery | motor | industrial noise",
    "machine": "machine | factory | printer | 3d printer | washing machine | engine room",
    "engine": "engine | motorcycle | car engine | truck | revving",
    "helicopter": "helicopter | propeller | chopper | rotor",
    "train": "train | railway | locomotive | train tracks",
    "explosion": "explosion | blast | detonation | bomb | boom",
    "cinematic_boom": "cinematic boom | trailer hit | deep boom | braam | dramatic impact",
    "vinyl_noise": (
        "vinyl crackle | record crackle | record player | vinyl hiss | dusty record"
        " | needle noise | record surface noise | turntable noise | old record"
    ),
    "electronic_sound": (
        "electronic sound | synthetic sound | computer sound | electronic noise | bleep"
    ),
    "beep": "beep | electronic beep | bleep | ping | tone",
    "blip": "blip | electronic blip | pop | plop | short electronic tone | twip",
    "laser": "laser | zap | sci-fi laser | ray gun | pew",
    "robot": "robot | robot voice | robotic sound | android | droid | robotic chatter"
    " | servo motor",
    "glitch": "glitch | digital glitch | stutter | data error | malfunction | glitchy noise",
    "telephone": (
        "telephone | phone | dial tone | phone ringing | touch tones | dialing | phone keypad"
        " | ringtone | rotary dial"
    ),
    "alarm": "alarm | siren | emergency alarm | police siren | warning signal",
    "sound_effect": "sound effect | sfx | transition effect | effect",
    "riser": "riser | rising sweep | build-up | uplifter | tension riser",
    "falling": "falling sweep | downlifter | pitch falling | dive | drop down",
    "whoosh": "whoosh | swoosh | swish | air rushing past | fly by | swash",
    "scratch": (
        "scratch | turntable scratch | dj scratching | vinyl scratch | record scratch | turntablism"
    ),
    "rewind": "rewind | tape rewind | record backspin | tape stop | spinning back",
    "bass_drop": "bass drop | sub drop | falling sub bass | deep drop",
    "reversed_swell": "reverse cymbal | reversed sound | swell | reverse swell",
    "static": "static | radio static | white noise | hiss | tv static | interference",
    "hum": "hum | electrical hum | buzz | mains hum | buzzing | humming",
}
