"""Phrases for genres. Keys are tags; the first phrase is the plainest."""

GENRES: dict[str, str] = {
    "music": "music | song | track | tune | musical piece",
    "ambient": (
        "ambient | ambient music | atmospheric soundscape | ambient electronic | atmospheric"
        " | background atmosphere | brian eno style | floating textures | ethereal ambient"
    ),
    "dark_ambient": (
        "dark ambient | dark ambient drone | ominous soundscape | dark atmosphere"
        " | black ambient | gloomy soundscape | sinister drone | haunted atmosphere"
        " | brooding dark drones"
    ),
    "drone": (
        "drone | drone music | droning | continuous tone | long sustained drone"
        " | endless hum of sound | monotone drone | held tones"
    ),
    "techno": (
        "techno | driving techno | club techno | warehouse techno | hard techno"
        " | detroit techno | berlin techno | pounding techno | minimal techno | acid techno"
        " | techno beat | rave techno"
    ),
    "house": (
        "house | house music | deep house | chicago house | garage house | club house"
        " | tech house | piano house"
    ),
    "trance": (
        "trance | trance music | uplifting trance | psytrance | goa trance"
        " | euphoric trance anthem | progressive trance"
    ),
    "edm": (
        "edm | big room edm | festival edm | electronic dance music | eurodance"
        " | main stage dance anthem | progressive house"
    ),
    "drum_and_bass": (
        "drum and bass | dnb | d&b | drum n bass | fast breakbeats with heavy bass"
        " | liquid drum and bass | neurofunk | jungle drum and bass | rolling drum and bass"
    ),
    "jungle": (
        "jungle | jungle breakbeat | ragga jungle | amen break jungle | old school jungle"
        " | chopped breaks"
    ),
    "breakbeat": (
        "breakbeat | breaks | big beat | broken beat | breakbeat hardcore | nu skool breaks"
    ),
    "dubstep": (
        "dubstep | wobble bass dubstep | brostep | heavy dubstep drop | half-time bass music"
        " | uk bass music"
    ),
    "hip_hop": (
        "hip hop | hip-hop | rap beat | boom bap | rap instrumental | hip hop beat"
        " | old school hip hop | rap music"
    ),
    "lofi_hip_hop": (
        "lo-fi hip hop | lofi hip hop | lofi beats | lo-fi beats to study to | chillhop"
        " | lofi study beats | chill lofi beat | lo-fi chill beats to relax to | jazzy lofi"
        " | lofi"
    ),
    "trap": (
        "trap | trap beat | 808 trap | dark trap | trap hip hop | drill beat"
        " | rolling hi-hats and 808 bass"
    ),
    "jazz": (
        "jazz | jazz trio | jazz quartet | jazz combo | bebop | cool jazz | jazz club"
        " | smooth jazz | jazzy | swinging jazz | jazz music | jazz standard"
        " | straight-ahead jazz"
    ),
    "swing": (
        "swing | big band swing | swing jazz | big band | 1940s swing band | swing dance"
        " | jitterbug"
    ),
    "bossa_nova": (
        "bossa nova | bossa | brazilian bossa nova | samba jazz | samba | latin jazz guitar"
        " | brazilian music"
    ),
    "latin": (
        "latin | salsa | latin dance | mambo | cuban son | rumba | cumbia | merengue | latin music"
    ),
    "flamenco": (
        "flamenco | spanish guitar | flamenco guitar | andalusian guitar | gypsy guitar"
        " | spanish music"
    ),
    "blues": (
        "blues | slow blues | delta blues | twelve bar blues | electric blues | blues shuffle"
        " | bluesy | blues guitar"
    ),
    "rock": (
        "rock | rock music | rock band | hard rock | indie rock | guitar rock | classic rock"
        " | alternative rock | garage rock | rock and roll | loud guitars"
    ),
    "metal": (
        "metal | heavy metal | death metal | thrash metal | metal riff | black metal"
        " | headbanging metal | brutal guitars | shredding metal"
    ),
    "punk": "punk | punk rock | hardcore punk | pop punk | fast punk | skate punk",
    "pop": "pop | pop song | catchy pop | radio pop | indie pop | mainstream pop | pop music",
    "folk": (
        "folk | folk song | folk music | acoustic folk | indie folk | singer-songwriter"
        " | acoustic guitar folk song | americana | campfire folk | folk ballad"
    ),
    "acoustic": (
        "acoustic | acoustic music | unplugged | acoustic song | acoustic session"
        " | acoustic instruments | organic"
    ),
    "country": (
        "country | country music | bluegrass | country western | nashville country"
        " | hillbilly | honky tonk country | cowboy song"
    ),
    "celtic": (
        "celtic | irish music | scottish jig | irish reel | celtic folk | fiddle tune"
        " | irish pub music"
    ),
    "classical": (
        "classical | classical music | chamber music | mozart | sonata | classical piece"
        " | concert music | symphonic"
    ),
    "baroque": (
        "baroque | bach | baroque music | harpsichord baroque | early music | vivaldi"
        " | renaissance music"
    ),
    "string_quartet": (
        "string quartet | string quartet playing classical music | chamber strings"
        " | two violins viola and cello | classical string ensemble | string chamber music"
    ),
    "orchestral": (
        "orchestral | orchestra | symphony | symphony orchestra | orchestral score"
        " | full orchestra | philharmonic"
    ),
    "film_score": (
        "film score | film music | movie soundtrack | cinematic | cinematic score"
        " | soundtrack | movie trailer music | opening credits | movie theme"
    ),
    "epic": (
        "epic | epic orchestral | trailer music | epic battle music | heroic"
        " | massive cinematic | grand epic | epic trailer"
    ),
    "suspense": (
        "suspense | suspenseful | tension | horror movie music | thriller score"
        " | creepy suspense | unsettling | ominous tension | scary music"
    ),
    "brass_fanfare": (
        "brass fanfare | triumphant brass fanfare | fanfare | royal trumpets | heroic horns"
        " | victory fanfare | ceremonial brass | brass ensemble | trumpet call"
    ),
    "march": "march | marching band | military march | parade music | brass band march",
    "solo_piano": (
        "solo piano | piano solo | piano piece | solo piano music | pianist playing alone"
        " | neoclassical piano | piano ballad | just piano | piano instrumental"
    ),
    "ragtime": (
        "ragtime | honky tonk piano | saloon piano | stride piano | boogie woogie piano"
        " | old time piano | scott joplin"
    ),
    "choral": (
        "choral | choir singing | choral music | sacred choir | gregorian chant"
        " | monks chanting | hymn | angelic choir | church choir"
    ),
    "church_music": (
        "church music | church organ | pipe organ | sacred music | liturgical organ"
        " | cathedral organ"
    ),
    "reggae": (
        "reggae | roots reggae | jamaican reggae | ska | rocksteady | reggae groove"
        " | bob marley style"
    ),
    "dub": "dub | dub reggae | dub echoes | dubwise | deep dub bass",
    "funk": (
        "funk | funky | funk groove | slap bass funk | funky groove | funk band | james brown style"
    ),
    "disco": (
        "disco | 70s disco | nu disco | disco groove | disco dance floor | studio 54 | funky disco"
    ),
    "soul": "soul | rhythm and blues | r&b | neo soul | motown | soul ballad | slow jam | gospel",
    "chiptune": (
        "chiptune | 8-bit | 8-bit video game music | nintendo game music"
        " | retro game soundtrack | chip music | gameboy music | arcade game music | 8 bit"
        " | pixel game tune | nes"
    ),
    "synthwave": (
        "synthwave | retrowave | 80s synths | outrun | 1980s retro synth | neon synthwave"
        " | 80s synth pop | new wave"
    ),
    "electro": (
        "electro | electro funk | electronic beat | electroclash | vocoder electro | robot funk"
    ),
    "downtempo": (
        "downtempo | chillout | trip hop | lounge electronica | chill electronic"
        " | laid-back beats | chill out music"
    ),
    "glitch_music": (
        "idm | glitch | glitchy beats | experimental electronic | intelligent dance music"
        " | broken electronic rhythm | glitch hop"
    ),
    "industrial": (
        "industrial | industrial music | mechanical beat | factory noise beat"
        " | industrial metal | harsh industrial | ebm | metallic pounding"
    ),
    "harsh_noise": (
        "harsh noise | noise music | japanese noise | wall of noise | screeching noise"
        " | power electronics | feedback noise | abrasive noise | white noise blast"
        " | extreme noise"
    ),
    "meditation": (
        "meditation | meditation bells | meditation music | singing bowls | zen"
        " | zen meditation | tibetan bowls | mindfulness | temple bells | yoga bells"
        " | spa bells | buddhist temple"
    ),
    "lullaby": (
        "lullaby | music box lullaby | baby sleep music | nursery music | cradle song"
        " | bedtime lullaby | baby mobile"
    ),
    "waltz": "waltz | waltz in three four | viennese waltz | ballroom waltz | three-quarter time",
    "polka": "polka | oompah | beer hall music | accordion polka | bavarian folk | oktoberfest",
    "indian": (
        "indian | indian classical | raga | sitar and tabla | bollywood | hindustani"
        " | indian music | bhangra | south asian"
    ),
    "african": (
        "african | african drums | tribal drums | african rhythm | djembe"
        " | west african percussion | tribal | afrobeat"
    ),
    "east_asian": (
        "japanese | chinese | asian traditional music | koto music | oriental"
        " | japanese garden | chinese zither | east asian"
    ),
    "gamelan": (
        "gamelan | balinese gamelan | indonesian | javanese metallophones"
        " | bronze percussion ensemble"
    ),
    "caribbean": "caribbean | calypso | steel drums | tropical | island music | trinidad | soca",
    "space_music": (
        "space music | cosmic | outer space | space ambient | sci-fi soundscape"
        " | interstellar | galaxy | spacey | planetarium"
    ),
    "circus": (
        "circus | carnival | silly cartoon music | clown music | quirky comedy tune"
        " | fairground | comedy"
    ),
    "medieval": (
        "medieval | renaissance | tavern music | lute and recorder | bard | minstrel"
        " | fantasy village | middle ages"
    ),
    "adventure": (
        "adventure | adventurous orchestral | fantasy adventure | heroic journey | quest"
        " | exploration music | sweeping orchestral theme"
    ),
    "happy_acoustic": (
        "happy ukulele | ukulele | cheerful whistling tune | feel-good acoustic"
        " | corporate happy music | sunny acoustic pop | whistling and clapping"
    ),
    "post_rock": (
        "post-rock | shoegaze | reverb guitars | atmospheric guitar | dream pop | slowcore"
    ),
    "rock_ballad": "rock ballad | power ballad | slow rock | soft rock",
    "surf_rock": "surf rock | surf guitar | spy guitar | rockabilly | twangy guitar",
    "western": "spaghetti western | wild west | western movie | desert showdown | cowboy film",
    "tango": "tango | argentine tango | bandoneon tango | milonga",
    "klezmer": "klezmer | balkan | jewish wedding music | gypsy dance | eastern european folk",
    "middle_eastern": (
        "middle eastern | arabic | oud | desert caravan | turkish | persian | oriental scale"
        " | egyptian"
    ),
    "new_age": (
        "new age | healing music | harp and flute relaxation | enya style | spa music | reiki"
    ),
    "psychedelic": "psychedelic | psychedelic rock | 60s psychedelia | trippy | acid rock",
    "acid": "acid techno | acid house | 303 acid line | squelchy acid bass | squelchy",
    "game_rock": "video game rock | anime rock | japanese rpg battle theme | boss battle theme",
    "stealth": "sneaky | stealth | spy music | detective | tiptoe pizzicato | heist | secret agent",
    "cinematic_piano": (
        "cinematic piano and strings | emotional piano and strings | touching film music"
        " | minimalist piano | emotional soundtrack | neoclassical"
    ),
    "synth_pop": "synth pop | synthpop | electropop | 80s pop",
    "electro_swing": "electro swing | swing house",
    "breakcore": "breakcore | digital hardcore | frantic breaks | speedcore",
    "percussion_ensemble": (
        "percussion ensemble | drum circle | drums only | drumming group | batucada"
    ),
    "electronic": (
        "electronic | electronic music | electronica | synthesized | electronic production"
        " | synth music | electronic producer | laptop music"
    ),
    "dance": "dance music | club music | dancefloor | danceable | dance beat | party dance | rave",
    "song": "song with vocals | sung song | singer with a band | vocal track | pop vocals",
    "traditional": "world music | traditional music | ethnic music | folklore",
}
