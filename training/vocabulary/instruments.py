"""Phrases for instruments, voices and drums."""

INSTRUMENTS: dict[str, str] = {
    "piano": "piano | grand piano | piano keys | pianist | acoustic piano | upright piano",
    "keyboard": "keys | keyboard | keyboard instrument",
    "electric_piano": "electric piano | rhodes | wurlitzer | fender rhodes | e-piano",
    "harpsichord": "harpsichord | clavichord | cembalo",
    "music_box": "music box | celesta | glockenspiel | toy piano | tinkling chimes",
    "vibraphone": "vibraphone | vibes",
    "mallets": "mallets | mallet percussion | tuned percussion",
    "marimba": "marimba | xylophone | wooden mallets | balafon",
    "bells": ("bells | bell | chimes | tubular bells | chiming | bell tones | chime | wind chimes"),
    "struck_bell": (
        "ringing bell | bell | bell strike | hand bell | ding | doorbell | church bell | bell hit"
        " | struck metal | metallic ringing"
    ),
    "singing_bowl": "singing bowl | tibetan singing bowl | struck bowl | crystal bowl",
    "gong": "gong | tam-tam | big gong hit",
    "organ": "organ | hammond organ | electric organ",
    "church_organ": "church organ | pipe organ | cathedral organ",
    "accordion": "accordion | concertina | squeezebox | bandoneon | musette",
    "harmonica": "harmonica | mouth organ | blues harp",
    "acoustic_guitar": (
        "acoustic guitar | nylon string guitar | steel string guitar | classical guitar"
        " | fingerpicked guitar | strummed acoustic guitar | guitar picking"
    ),
    "guitar": "guitar | guitarist | guitar strings | six string",
    "electric_guitar": (
        "electric guitar | clean electric guitar | guitar amp | jangly guitar | guitar chord"
    ),
    "distorted_guitar": (
        "distorted guitar | overdriven guitar | heavy guitar riff | fuzz guitar"
        " | power chords | guitar distortion"
    ),
    "strings_plucked": "plucked strings | plucked | plucking | twang",
    "upright_bass": "upright bass | double bass | contrabass | acoustic bass",
    "bass_guitar": "bass guitar | electric bass | slap bass",
    "bass": "bass | bass line | bassline | deep bass | low end | bass notes",
    "synth_bass": (
        "synth bass | synthesizer bass | acid bass | reese bass | bass synth | growling bass"
        " | electronic bass"
    ),
    "sub_bass": "sub bass | 808 bass | deep sub | subwoofer | low sine bass | booming sub bass",
    "wobble_bass": "wobble bass | wobbling bass | lfo bass | growl bass | modulated bass",
    "violin": "violin | fiddle | solo violin | violinist",
    "viola": "viola",
    "cello": "cello | cellist | solo cello | violoncello",
    "bowed": "bowed strings | bowed | bow",
    "strings": (
        "strings | string section | string ensemble | orchestral strings | lush strings | violins"
    ),
    "pizzicato": "pizzicato | pizzicato strings | plucked violins",
    "harp": "harp | harpist | lyre",
    "choir": (
        "choir | chorus | choral voices | vocal ensemble | angelic voices | people singing together"
    ),
    "singing": "singing | singer | vocals | vocal melody | vocalist | voice singing | sung",
    "voice": "voice | human voice | vocal | voices",
    "a_cappella": "a cappella | unaccompanied singing | voices only",
    "speech": (
        "speech | talking | spoken word | person speaking | narration | conversation"
        " | podcast | man or woman talking"
    ),
    "whisper": "whisper | whispering | hushed voice",
    "crowd": (
        "crowd | people chattering | crowd noise | restaurant chatter | murmuring people"
        " | busy room"
    ),
    "trumpet": "trumpet | trumpeter | cornet | muted trumpet",
    "trombone": "trombone",
    "tuba": "tuba | sousaphone",
    "french_horn": "french horn | horn",
    "brass": "brass | brass section | horns | horn section | brass instruments",
    "saxophone": "saxophone | sax | tenor sax | alto saxophone | sax solo",
    "woodwind": "woodwind | woodwinds | wind instrument",
    "oboe": "oboe | bassoon | english horn",
    "clarinet": "clarinet | bass clarinet",
    "flute": "flute | flutist | piccolo",
    "pan_flute": "pan flute | shakuhachi | recorder | wooden flute | ocarina | panpipes",
    "whistling": "whistling | whistle | someone whistling",
    "bagpipes": "bagpipes | bagpipe | scottish pipes",
    "synthesizer": "synthesizer | synth | synths | analog synth | electronic sounds",
    "synth_lead": "synth lead | lead synth | saw lead | soaring synth | sawtooth",
    "synth_pluck": "synth pluck | plucky synth | sequenced synth",
    "synth_pad": "synth pad | pad | warm pad | synthesizer pads | lush pads | string pad",
    "square_wave": "square wave | pulse wave | chip sound | bleepy | blippy",
    "sitar": "sitar | tanpura | sarod",
    "banjo": "banjo | mandolin | ukulele",
    "koto": "koto | shamisen | guzheng | zither",
    "kalimba": "kalimba | thumb piano | mbira",
    "steel_drum": "steel drum | steel pan | steelpan",
    "drums": "drums | drum kit | drummer | drumming | drum set",
    "beat": "beat | rhythm | beats | rhythmic | groove",
    "percussion": "percussion | percussive | percussion sound",
    "drum_loop": (
        "drum loop | drum beat | loop | percussion loop | drum pattern | beat loop | rhythm loop"
    ),
    "breakbeat_loop": "breakbeat loop | amen break | drum break | break | chopped drum break",
    "four_on_the_floor": "four on the floor | four to the floor | steady kick | kick on every beat",
    "drum_machine": "drum machine | 808 drums | electronic drums | tr-808 | programmed drums",
    "hip_hop_beat": "hip hop drums | boom bap drums | head-nodding beat",
    "rock_drums": "rock drums | acoustic drum kit | live drums | backbeat",
    "marching_drums": "marching drums | snare rolls | military drums | drum corps",
    "one_shot": "one shot | single hit | drum hit | sample | one-shot drum sample",
    "single_note": "single note | one note | held note | sustained note",
    "kick": "kick | kick drum | bass drum | thump | kick sound | 808 kick | thud",
    "snare": "snare | snare drum | snare hit | snare crack",
    "rimshot": "rimshot | rim click | side stick",
    "clap": "clap | handclap | hand clap",
    "snap": "finger snap | snap | finger click",
    "hihat": "hi-hat | hihat | closed hi-hat | hi hat | closed hat | tick of a hi-hat",
    "open_hihat": "open hi-hat | open hat | sizzling hi-hat",
    "cymbal": "cymbal | crash cymbal | splash cymbal | cymbal crash",
    "ride": "ride cymbal | ride | ride bell",
    "tom": "tom | tom-tom | floor tom | tom drum",
    "cowbell": "cowbell | agogo | metal bell",
    "woodblock": "wood block | woodblock | claves | wooden knock | wooden click",
    "shaker": "shaker | maracas | egg shaker",
    "tambourine": "tambourine | jingles | sleigh bells",
    "hand_drums": "hand drums | congas | bongos | hand drum | hand percussion | conga",
    "tabla": "tabla | tabla drums | indian drums | indian percussion | indian hand drum",
    "triangle": "triangle | triangle ding | orchestral triangle",
    "taiko": "taiko | taiko drum | big japanese drum | war drum",
    "guiro": "guiro | scraper | scraped percussion",
    "cuica": "cuica | squeaky drum",
    "orchestra_hit": "orchestra hit | orchestral hit | orchestral stab | hit stab",
    "rap": "rap | rapping | rapper | mc | rap vocals | rhymes over a beat",
    "timpani": "timpani | kettledrum | orchestral drum",
}
