"""Phrases for moods, tempo, timbre, production and the occasions that music is for."""

MOODS: dict[str, str] = {
    "calm": (
        "calm | peaceful | relaxing | serene | gentle | tranquil | soothing | quiet and calm"
        " | restful | mellow | slow and peaceful | sunset | lullaby-like calm | zen"
    ),
    "sad": (
        "sad | melancholic | sorrowful | melancholy | heartbreaking | gloomy | mournful"
        " | wistful | tearful | lonely | depressing | grief | funeral | heartbreak | crying"
        " | breakup"
    ),
    "dark": (
        "dark | ominous | sinister | brooding | menacing | gloomy | shadowy | foreboding"
        " | bleak | evil | night | graveyard | doom | dread"
    ),
    "happy": (
        "happy | cheerful | joyful | upbeat | feel-good | sunny | bright and happy | merry"
        " | jolly | carefree | happy-go-lucky | fun | smile | spring morning"
    ),
    "uplifting": (
        "uplifting | inspiring | hopeful | optimistic | euphoric | positive | motivational"
        " | feel good | sunrise | new dawn | triumph over adversity | success"
    ),
    "tense": (
        "tense | nervous | anxious | suspenseful | uneasy | nail-biting | on edge | countdown"
        " | danger | chase | ticking time bomb"
    ),
    "dreamy": (
        "dreamy | ethereal | dreamlike | floating | hazy | otherworldly | celestial"
        " | heavenly | surreal | daydream | underwater dream | clouds"
    ),
    "late_night": (
        "late night | midnight | after hours | smoky bar at night | nocturnal | night drive"
        " | 2 am | city at night | insomnia | neon night"
    ),
    "aggressive": (
        "aggressive | angry | furious | brutal | violent | intense | rage | hard-hitting"
        " | fierce | mad | hostile | destructive"
    ),
    "heavy": "heavy | crushing | massive | hard | pounding",
    "heroic": (
        "triumphant | heroic | victorious | majestic | glorious | grand | proud | regal"
        " | victory | winning | champions | bold"
    ),
    "eerie": (
        "eerie | creepy | spooky | haunting | scary | ghostly | unsettling | haunted"
        " | nightmare | ghosts | zombie | witches"
    ),
    "romantic": (
        "romantic | love | tender | sensual | intimate | love song | candlelight | wedding"
        " | first dance | romantic dinner"
    ),
    "playful": "playful | quirky | whimsical | funny | silly | goofy | cute | humorous",
    "mysterious": (
        "mysterious | enigmatic | mystery | strange | secretive | exotic and strange | fog"
        " | ancient ruins | secrets"
    ),
    "nostalgic": (
        "nostalgic | retro | vintage | old-fashioned | memories | old times | throwback"
        " | grandparents | sepia | the good old days"
    ),
    "groovy": "groovy | funky | grooving | head-nodding | infectious groove | toe-tapping",
    "hypnotic": "hypnotic | repetitive | trance-like | mesmerizing | pulsing | looping",
    "solemn": "solemn | sacred | spiritual | reverent | holy | religious | devotional",
    "chaotic": "chaotic | frantic | unpredictable | wild | disorienting | crazy",
    "energetic": (
        "energetic | high energy | driving | powerful | lively | pumping | adrenaline"
        " | exciting | energizing | sports highlights | power | pumped up | fired up"
    ),
    "chill": (
        "chill | laid-back | chilled | easygoing | relaxed | mellow vibes | cozy"
        " | hanging out | vibing | lazy sunday | easy listening"
    ),
    "warm": "warm | cozy | gentle and warm | soft and warm | comforting",
    "cold": "cold | icy | mechanical | sterile | robotic | inhuman | winter | snow | frozen",
    "spacious": (
        "spacious | vast | expansive | wide open | airy | cavernous | endless space"
        " | mountains | glacier | desert horizon"
    ),
    "elegant": "elegant | sophisticated | refined | classy | graceful",
    "rustic": "rustic | rural | countryside | earthy | down-home",
    "urban": "urban | street | city | gritty | streetwise | city lights | skyline | subway",
    "futuristic": "futuristic | sci-fi | cyberpunk | technological | future",
    "slow": "slow | slow tempo | downtempo | unhurried | slow-moving | ballad",
    "mid_tempo": "mid-tempo | moderate tempo | steady",
    "fast": "fast | fast tempo | rapid | quick | uptempo | fast-paced | high speed",
    "beatless": "beatless | no beat | without drums | no rhythm | still | static",
    "beatless_music": "no drums | drumless | without percussion",
    "quiet": "quiet | soft | delicate | hushed | subtle | faint | minimal and quiet",
    "loud": "loud | deafening | full volume | blasting | in your face",
    "major_key": "major key | bright harmony",
    "minor_key": "minor key | minor harmony",
    "bright": "bright | trebly | crisp | sharp | high frequencies | shiny | tinny | sizzling",
    "deep": "deep | low | bassy | bass-heavy | rumbling low | low frequencies",
    "low_pitched": "low-pitched | low note | deep note | low register",
    "high_pitched": "high-pitched | high note | high register | shrill",
    "muffled": "muffled | dull | behind a wall | underwater | low-passed",
    "sustained": "sustained | long tones | continuous | held",
    "short": "short | brief | staccato | quick hit",
    "solo": "solo | alone | single instrument | unaccompanied",
    "distorted": "distorted | overdriven | fuzzy | saturated | crunchy | gritty distortion",
    "reverberant": (
        "reverberant | reverb | echoing hall | in a cathedral | big room | washed in reverb | cave"
    ),
    "echo": "echo | delay | echoes | dub delay",
    "hissy": "hissy | tape hiss | noisy recording | background hiss",
    "lofi": "lo-fi | lofi | low fidelity | dusty | tape | grainy | old recording",
    "noise": "noise | noisy | white noise | hiss | noise texture",
    "soft": "soft | gentle touch | felt piano | softly played",
    "workout": (
        "workout | gym | for a workout | running | exercise | cardio | training music | jogging"
    ),
    "study": (
        "studying | for studying | focus | concentration | homework | background for work"
        " | reading | study | deep work | coding | library | thinking"
    ),
    "sleep": (
        "sleep | falling asleep | bedtime | sleep music | night rest | drifting off | dreams"
        " | pillow | nap time"
    ),
    "relaxation": "relaxation | spa | yoga | massage | stress relief | unwind | wellness",
    "cafe": (
        "coffee shop | cafe | rainy morning coffee | coffeehouse | sunday morning | brunch"
        " | croissant and coffee | cozy morning | bookshop | breakfast"
    ),
    "lounge": (
        "cocktail bar | dinner party | hotel lounge | restaurant | speakeasy | wine"
        " | jazz bar | whisky | martini | piano bar"
    ),
    "party": (
        "party | dancing | friday night | celebration | get the party started | summer party"
        " | wedding party | birthday | dance party"
    ),
    "club": (
        "nightclub | club | dance floor | rave | dj set | warehouse party | strobe lights"
        " | 3 am rave | underground party | berlin club"
    ),
    "horror_film": (
        "horror film | horror movie | haunted house | halloween | slasher | nightmare scene"
    ),
    "action_film": (
        "action scene | battle scene | car chase | fight scene | boss fight | war"
        " | explosions and fights | pursuit | superhero"
    ),
    "game": (
        "video game | computer game | arcade | level music | console game | platformer"
        " | dungeon | pixel art"
    ),
    "ceremony": "ceremony | coronation | royal court | award ceremony | king and queen | olympic",
    "road_trip": "road trip | driving music | highway | driving in the car | cruising",
    "beach": "beach | summer | tropical island | sunshine | vacation | poolside",
    "campfire": (
        "campfire | by the fireside | front porch | cabin in the woods | hiking | forest walk"
        " | autumn walk | storytelling"
    ),
    "space_scene": "outer space | spaceship | stars | cosmos | floating in space",
    "children": "children | kids | for babies | nursery | childhood",
    "church": "church | cathedral | chapel | monastery",
    "mosh_pit": "mosh pit | headbanging | stadium | loud concert",
    "temple": "temple | shrine | monastery garden | incense",
    "concert_hall": "concert hall | recital | opera house | conservatory",
    "rainy_day": "rainy day | grey afternoon | autumn | rain on the window",
    "sample": "sound effect | foley | sound sample | sound design",
}
