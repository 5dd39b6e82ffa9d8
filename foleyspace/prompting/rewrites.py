"""Ways of saying the same: phrasal verbs, coordinates in brackets, each with
the plain words that stand for it (`\\1`: what the pattern's first group matched)."""

from __future__ import annotations

from foleyspace.prompting.patterns import NUM
from foleyspace.prompting.place_rewrites import PLACE_REWRITES, SIDE

_FRAME = r"(?: (?:at|on|the|frame|stage|screen|camera|shot))*"
_DEGREES = rf"(?:az |azimuth |azi )?({NUM})(?: degrees)?(?: azimuth)?"
_HIGH = rf"(?:el |elev |elevation )?({NUM})(?: degrees)?(?: elevation)?"

# the words, what stands there instead; read on the tokens joined by spaces, anywhere in the text
REWRITES: list[tuple[str, str]] = [
    *PLACE_REWRITES,
    # ways
    (r"(?:is|are|was|were) (?:first|at first|initially) (?:heard|seen)(?= )", "starts"),
    (r"(?:comes?|came|swings?|swung|goes|went) (?:round|around) (?=to )", "moves "),
    (r"(?:is|was|are|were) gone(?= (?:to|into|toward) )", "goes away"),
    (r"until (?:it|he|she|they) (?:is|are|was|were)(?= (?:above|behind|in front|on|to|below|right|next"
     r"|over) )",
     "to"),
    (r"(?:climbs?|rises?|goes|comes|moves)(?: up)? to (?:head|ear|eye) (?:height|level)(?: and (?:goes"
     r"|going|carries|keeps) on)?(?= )", "rises"),
    (r"(climbs?|climbing|ascends?|ascending|descends?|descending) (?:(?:the|a|some|my) )?(?:[\w-]+ )?"
     r"(?:stairs|staircase|ladder)(?= )", r"\1"),
    (r"(?<!and )(?<!then )(?<!, )(?:flies|flew|fly|soars?|glides?|zooms?|roars?)(?: past| by)?"
     r" (overhead|(?:over|above) (?:me|us|you|(?:my|our|your) heads?))(?= [.!;]| from |$)", r"pass \1"),
    (r"(?:shouts?|calls?|says?|whispers?|yells?|screams?|repeats?|sings?|calling|shouting|saying|whispering"
     r"|yelling|screaming|repeating)( out)? (?:my|your|our|his|her|the|their) names?(?= |$)", "speaks"),
    (r"in (?:a circle|circles|a loop|loops|rings)(?= (?:around|round|about|over|above) )", "circling"),
    (r"(flutters?|fluttering|flaps?|flapping|hovers?|hovering|dangles?|dangling) by (?=(?:my|your|the) "
     r"(?:left|right) )", r"\1 at "),
    (r"(?:ringing|honking|beating|blowing|banging|tooting|sounding) (?:his|her|its|their|a|the) (?:bell"
     r"|horn|whistle|siren|drum|hooter|klaxon)(?= [.,;]|$| (?!on |at |to |in |behind |ahead )\w+s )", ""),
    *((rf"(?:at|by|near|around) {his} (?:feet|heels)(?= [.,;]|$)", f"in the same place as {him}")
      for his, him in (("his", "him"), ("her", "her"), ("their", "them"))),
    (r"from the opposite direction(?: [:,])?(?= |$)", "opposite ,"),
    (r"(?:chases?|chasing|pursues?|pursuing|hunts?|hunting|follows?|following) (a|an|the) ([\w-]+)(?= from )",
     r"and \1 \2 are moving"),
    (rf"(?<=[a-z,] )and (?:after )?({NUM}) seconds(?: later)?(?: ,)?(?: (?:it|he|she|they))? (?:is|are|was)"
     r"(?= )", r"then after \1 seconds"),
    (r"(starts?|begins?|started|began) low(?= )", r"\1 low down"),
    (r"(?:rotating|rotates|turning|turns|moving|moves|panning|pans|spinning|spins)((?: clockwise"
     r"| counterclockwise| anti-?clockwise| counter-clockwise| anti clockwise| counter clockwise)?) "
     r"(?:through|in|by|over) (?:one|1|a)(?: single)?(?: full| complete| whole)? (?:circle|rotation"
     r"|revolution|turn|lap)(?= |$)", r"circling\1 once"),
    (r"(circles?|around (?:me|us|my head|the listener)) (?:one|1) times?(?= |$)", r"\1 once"),
    (r"(shouting|yelling|calling|saying|whispering|singing|screaming|announcing) <label>(?= [.,;]|$)", r"\1"),
    (r"(?<=[a-z] )(?<!of )(?<!is )(?<!so )(?<!like )that(?= (?:goes|flies|comes|moves|runs|circles|walks"
     r"|drives|passes|starts|rises|falls|drops|spins|orbits|rolls|swims|jumps|hops|swings|drifts|floats"
     r"|climbs|travels|turns|wanders|buzzes)(?: |$))", "which"),
    (r"until (?:it|he|she|they) (?:reach|reaches|reached|gets? to|got to|arrives? at|hits?)(?: (?:a|the)"
     r"(?: spot| place| point))?(?= )", "to"),
    (r"(?:for )?(?:all )?the (?:whole|entire) (?:way|trip|journey|ride)(?= [.,;]|$)", ""),
    (r"from the (left|right) , (?:round |around )?behind (?:me|us|you) , to(?= the (?:left|right))",
     r"from the \1 , then behind me , then to"),
    (r"(?<=[:,] )(?:walk|take|bring|carry|fly|run|send) (?:it|him|her|them)(?= (?:in|from|round|around"
     r"|through|across|over) )", "moves"),
    (r"in (?:a|one|1)(?: steady| slow| smooth| single| wide)? (?:half circle|semicircle|arc)(?= )", ""),
    (r"(?:goes|moves|rides|travels) up(?= (?:on|at|in front|to my|ahead|behind)(?: |$))", "rises"),
    (r"(?:goes|moves|rides|travels) down(?= (?:on|at|in front|to my|ahead|behind)(?: |$))", "falls"),
    (r"(?:start|begin) (the|a|an|my) ([\w-]+(?: [\w-]+)?) ((?:at|on|in|from) [^,.;]*?)(?: ,)?(?: and)?"
     r"(?: then)? (?:end|finish|stop) (?:it|him|her|them)(?= )", r"\1 \2 starts \3 and ends"),
    (rf"(?:by |through |over )?{NUM} degrees(?= from (?:the )?(?:hard |far )?(?:left|right) to )", ""),
    (r"along the (left|right)(?: (?:side|wall|edge|hand side))?(?= |$)", r"on the \1"),
    (r"((?:voice|man|woman|child|girl|boy|speaker|narrator|announcer|person|someone|somebody)"
     r"(?: [\w'-]+){0,5}) : <label>(?= [.;,]|$)", r"\1"),
    # where it stands in the mix, and no way: but "panned left over 3 seconds"
    (r"(?:(?:is|are|was|were) )?panned (?:over )?to(?= (?:the |my )?(?:hard |far )?(?:left|right|centre|front"
     r"|back|rear)(?: |$))(?![^,.;]* (?:over|in|within|during|from) )", "at"),
    (r"(?:(?:is|are|was|were) )?panned(?= (?:hard |far |slightly |half |mid )?(?:left|right|centre)(?: |$))"
     r"(?![^,.;]* (?:to|over|in|within|during|from) )", ""),
    (r"(disappears|flies|moves|goes|shoots|vanishes|leaves) (?:upward|upwards)(?= [.,;]|$)", "rises"),
    (r"(says?|saying|speaks?|speaking|reads?|reading) (?:a|the|one|some) (?:sentences?|words?|digits?"
     r"|numbers?|phrases?|lines?|text|poem)(?= )", r"\1"),
    (r"at and and -(\d+(?:\.\d+)?)(?: degrees)?(?= |$)", r"at \1 and -\1 degrees"),  # plus and minus
    (r"(?:is|are|sits?|sounds?) too (?:far |much )?(?:to |toward )?(?:the )?(?:left|right|near|close|far)"
     r"(?= (?:[,.;]|and |so ))", ""),
    (r"surround (?:me|us|the listener|the player) with ((?:(?:a|the|some) )?[\w-]+(?: [\w-]+)?)"
     r"(?= (?:[.,;]|and )|$)", r"\1 all around"),
    (r"(?:gets?|getting|grows?|growing|becomes?) (?:louder|bigger|stronger) and (?:closer|nearer)(?= |$)",
     "gets closer"),
    # as it is said in other languages
    (r"((?:in|at|on|to|behind)(?: (?:my|the|your))? (?:back|left|right|front|rear|centre|me)(?: side)?) "
     r"(?:is|are) (\w+ing) (a|an|the|some) ([\w-]+)(?= [.,;]|$)", r"\1 \3 \4 \2"),
    (r"from all (?:the )?(?:sides|directions|around)(?= |$)", "all around"),
    (r"(?:i|we|you) (?:(?:try|tries|am trying|want|like|love) to )(?:listen to|hear)(?= )", ""),
    # reasons
    (r", because (?!of )[^.;:]*?(?= [.;:]|$)", ""),
    (r"(?:, )?since (?:that|it|this|i|we|he|she|they) (?:(?!left|right|behind|above|front"
     r"|ahead)[\w'-]+ )*?(?=, |[.;]|$)", ""),
    # near the face, out of sight, high up
    (r"(?:right |directly |just )?before (?:my|your|our) (?:very )?(?:face|eyes|nose)(?= |$)",
     "very close in front of me"),
    (r"(left|right) (?:elbow|temple|cheek)(?= [.,;]|$)", r"\1 ear"),
    (r"out of (?:sight|view|shot|frame)(?= )", "offscreen"),
    (r"(?:somewhere |high )*up (?:in|at|on|to)(?: the)? (front|back|left|right)(?= |$)(?! of )",
     r"high up \1"),
    (r"high (at|in|on) the (front|back|rear|left|right)(?= |$)", r"high up \1 the \2"),
    (r"off ,(?= to the (?:left|right)(?: |$))", "off"),
    (r"a (?:very )?(?:good|great|long) way (?:off|away|out)(?= |$)", "far away"),
    (r"(?:in|on) (?:my|your|our) (?:lap|knees)(?= |$)", "very close"),
    # one thing in two words
    (r"(horse|donkey|mule|ox|pony) and (cart|carriage|buggy|wagon|trap)(?= (?:comes|is|was|goes|passes"
     r"|rattles|clatters|rolls|trots|drives|approaches|stops|moves|on|at|behind) )", r"\1 \2"),
    (r"(pelican|zebra|level|railway|railroad|pedestrian) crossing(?= )", r"\1-crossing"),
    (r"(pages?) (?:turns?|(?:is|are) (?:being )?turned)(?= [.,;]|$)", r"\1-turning"),
    # on a stage, seen from the seats; in a script
    (r"(?:up|down) ?stage (left|right|centre)", r"front \1"),
    (rf"(?:exits?|exiting|leaves?|leaving){_FRAME}(?= {SIDE}(?: |$))", "moves to the"),
    (rf"(enters?|entering|(?:comes?|coming) in){_FRAME}(?= {SIDE}(?: |$))", r"\1 from the"),
    (r"(?:draws?|drawing|drew|pulls?|pulling) (?:up )?(?:level|alongside|even|abreast)(?: (?:with|of))?"
     r"(?: (?:me|you|us))? on(?= (?:the |my |your )?(?:left|right)(?: |$))", "moves to"),
    (r"(?:pulls?|pulled|rolls?|rolled|draws?|drew) up(?= from )", "comes"),
    (r"(?:pulling|rolling|drawing) up(?= from )", "coming"),
    (r"(?:pulls?|pulled|pulling) up(?= (?:on|at|to|in front|behind|beside|next to|by|outside|ahead) )",
     "stops"),
    (r"(from|in|on|at) (?:the|my|your) (back|front|rear) (?:row|rows|seats|benches|pews)(?= |$)", r"\1"
     r" the \2"),
    (r", (?:first|second|third|fourth|fifth|last|\d) (?:row|floor|seat|balcony|storey|level)(?= [,.;]|$)",
    ","),
    (r"(sneak|creep|steal|walk|run|crawl|slither)(s|ing)? up (?:on|behind)(?= (?:me|us|you)(?: |$))",
    r"\1\2 up to"),
    (r"(?:and|,) ((?:(?!and )[\w-]+ ){1,6}?)(?:thereafter|afterwards|after that|from then on)(?= [,.;]|$)",
     r"then \1"),
    (r"(?:i|we) (?:am|are) (?:\w+ing )?(?:by|beside|near|next to|at|on)(?= (?:a|an|the) "
     r"(?:[\w-]+ ){1,3}, (?:it|which) (?:is|are) )", ""),
    (r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!down )(?<!up )there(?= [.,;]|$)", "at that place"),
    (r"(?:it|him|her|them)(?:self|selves)(?= )", ""),
    (r"they (?:are|were) both(?= )", "both"),
    (r"(degrees(?: (?!degrees)[\w']+| ,){1,7}? at [+-]?\d+)(?= [,.;]|$| and )", r"\1 degrees"),
    (r"(somebody|someone|everybody|everyone|nobody) 's(?= )", r"\1 is"),
    (r"(?:those|the ones)(?= (?:in|on|to|at|behind) (?:the|my|your) )", "the others"),
    (r"(?:with )?(?:her|his|their|its) (?:back|face)(?: turned)? (?:to|toward) (?:me|us|you)(?= )", ""),
    (r"(?:(?:just|slightly|a bit|a little|somewhat) )?off (?:of )?centre (?:to|on|toward) (?:the )?(left"
     r"|right)(?= |$)", r"slightly \1"),
    (r"backstage(?= (?:left|right)(?: |$))", "offscreen"),
    (r", (?:with )?(?:its |his |her )?(?:sirens?|lights|headlights|engine|horn) (?:on|off|blaring"
     r"|running)(?= ,)",
     ""),
    (r"with (?:every|each) \w+(?= )", ""),
    # along a street, which is no height
    (r"((?:com|go|walk|runn?|driv|march|roll|rid|stroll|rattl|rumbl|mov|head|pass|rac|trott?|thunder|speed"
     r"|parad)(?:e|es|s|ing)?) (?:up|down|along) (?:the|a|my|our) (?:street|road|lane|path|aisle|corridor"
     r"|hallway|alley|drive|driveway|track|river|pavement|sidewalk|avenue|platform)(?= )", r"\1"),
    # what the hearer is asked to do
    (r"(?:turn|direct|bring|move|give|draw|focus|shift) (?:your|our|my) (?:attention|ears?|head|gaze|eyes"
     r"|mind)(?: now| again| back)? (?:to|on|toward)(?= )", ""),
    (r"(?:call|make|say) it(?= (?:about |some |roughly )?\d)", ""),
    (r"it is(?= (?:me|us) \w+ing )", ""),
    (r"anywhere (?:else )?but (?:on |at |in |to )?(?:the |my )?(?:left|right|front|back|centre|behind"
     r"(?: me)?)(?= |$)", ""),
    (r"deep (in|inside|within|into)(?= (?:the|a|my) )", r"\1"),
    (r"(?:slowly )?(?:winding|slowing|dying|calming|quietening|powering|running) down(?= [.,;]|$)", ""),
    # a place told before
    (r"out of (it|him|her|them)(?= |$)", r"from \1"),
    (r"(?:right )?(?:over|in|out) there(?= |$)(?! (?:is|are|was|were) )", "at that place"),
    (r"from (?:over |in )?there(?= |$)(?! (?:is|are|was|were) )", "from that place"),
    (r"(?:inside|within|in|on|onto|upon) (it|them)(?= |$)", r"in the same place as \1"),
    (rf"{NUM} degrees to the (left|right) (?:(?:,|er) )*(?:no|instead)(?: sorry)?(?: ,)? ({NUM})(?= [.,;]|$)",
     r"\2 degrees to the \1"),
    (r"(?<=and )(?:roar|rumble|thunder|screech|rattle|clatter|chug|sputter|splutter|growl|rev|blast"
     r"|tear)(s|ing)? (off|away)(?= (?:to|into|toward) )", r"speed\1 \2"),
    (r"(?:at|from) (?:a )?(?:high|raised) elevation(?= |$)", "high up"),
    (r"(?:at|from) (?:a )?low elevation(?= |$)", "low down"),
    (r"(left|right|front|back|rear) quadrant(?= |$)", r"\1"),
    (r"(punches|blows|kicks|shots|hits|strikes|shells|bombs) (?:land|landing|landed)(?= )", r"\1"),
    # a row told as one thing
    (r"(?:are |is )?(?:fanned out|arranged|laid out|lined up|ordered|placed|seated)"
     r"(?: in a row)? from (left to right|right to left) (?:as|:)(?= )", r"from \1 :"),
    (r"(\w+s) with(?= (?:the )?[\w-]+ \( )", r"\1 ,"),
    # distances
    (r"(?:at|from) (?:a|the) (?:far|great|long|large|considerable) distance(?= |$)", "far away"),
    (r"(?:at|from) (?:a|the) (?:near|close|short|small) distance(?= |$)", "close"),
    (rf"all (?=(?:at|from|within) {NUM} metres(?: |$))", "they "),
    # angles
    (rf"(azimuth|azi|elevation|angle) and(?= {NUM}(?: |$))", r"\1"),  # "plus 40"
    (rf"({NUM}) degrees clockwise(?: (?:from|of) (?:the )?(?:front|centre|straight ahead|ahead|north|0"
     r" degrees))?(?= |$)", r"azimuth -\1 degrees"),
    (rf"({NUM}) degrees (?:counterclockwise|anti clockwise|counter clockwise)(?: (?:from|of) (?:the )?"
     rf"(?:front"
     r"|centre|straight ahead|ahead|north))?(?= |$)", r"azimuth \1 degrees"),
    (rf"from ({NUM})(?: degrees)? to ({NUM}) degrees (elevation|azimuth)(?= |$)", r"from \3 \1 to \3 \2"),
    (rf"(first|last|second|initial|final) (?:block|part|stretch|period|span|section) of (?={NUM} )", r"\1 "),
    # up and down a street, which is no height
    (r"(pac\w+|walk\w*|r[ua]n\w*|driv\w+|strid\w+|stomp\w*|jog\w*|march\w*|step\w*|wander\w*"
     r"|trot\w*) up and down(?: (?:the|a|my|his|her) \w+)?(?= |$)", r"\1"),
    # on a ship
    (r"port(?= .*starboard)", "left"),
    (r"starboard", "right"),
    (r"(left|right) [(\[] \1 [)\]]", r"\1"),
    (r"under (?:my|his|her|its|their) breath(?= |$)", ""),
    (r"(falls?|falling|fell|comes?|coming|came) apart(?= |$)(?! from (?:each|one) )", r"\1"),
    # verbs of two words, whose second is no place
    (r"(lay|bring|drop|throw|mix|add|blend|fade|slip|pop|put|slide|toss|chuck|ease|weave|cut) (?:in"
     r"|down)(?= (?:a|an|the|some|my|two|three) )", r"\1"),
    (r"(?:turn|switch) (?:on|up)(?= (?:a|an|the|some|my|two|three) )", "put"),
    (r"(?:joined|answered|interrupted|accompanied|followed)((?: (?!by )[\w.]+){1,4}) by(?= (?:a|an|the"
     r"|another|some|two) )", r",\1"),
    (r"(?:(?:is|are|was|were|gets) )?(?:answered|interrupted|joined|accompanied|echoed"
     r"|doubled) by(?= )", "and"),
    (r"(?<!than )that of(?= (?:a|an|the|my|some) )", ", the sound of"),
    (r"(?:but|and) now (?:it|he|she|they)(?: is| are|(?= \w+s ))", "then"),
    (r"(?:from|through) (it|them)(?= (?:comes?|came) )", r"in the same place as \1"),
    (r", first(?= \w+ing )", ","),
    (r"(?:what|how) about(?= )", ""),
    (r"(?:falls?|falling|fell|goes|going|went|gets?|becomes?|became|turns?|grows?) (?:silent|quiet|dead"
     r"|dark|mute|still)(?= |$)", "stops"),
    # what is not so
    (r"there (?:is|are|was|were) not (?:any|a|an)(?= )", "no"),
    (r"neither (?:[\w-]+ ){1,4}nor (?:[\w-]+ ){1,4}?(?:, )?but(?= )", ""),
    (r"not (?:the|a|an) (?:[\w-]+ ){1,2}but(?= (?:the|a|an) )", ""),
    (r"that (?:i|you|we|one)(?: can| could)?(?: almost| nearly)? (?:feel|hear|sense|touch) (?:it|him|her"
     r"|them)(?= |$)", ""),
    # "an 8d effect on the singer"
    (r"(?:an? |the |some )?(?:(?!at|in|on|to|and|of)\w+ ){0,3}(?:effects?|panning|rotation) (?:on|to"
     r"|for)(?= (?:the|a|my) (?!left|right|front|back|centre))", ""),
    (rf"({NUM}) degrees / ({NUM})(?: degrees)?(?= |$)", r"azimuth \1 elevation \2"),
    (r"(up|down) (\d\d?)(?= [,.;]|$)", r"\2 degrees \1"),
    (r"(?:a (?:little|bit|touch|tad)(?: bit)? )?(?:more|further|farther) (?:to|toward) the (left|right)"
     r"(?= |$)(?! of| than)", r"slightly to the \1"),
    (r"(?:everything|all) else (?:is |stays |remains )?(?:quiet|silent|still)(?= |$)", ""),
    (r"(?:and )?(?:(?:everything|anything|all) else|(?<!for )(?<!during )the rest(?: of it)?)"
     r"(?= (?!of |[.,;]))", "and ambience"),
    # speeds are not read
    (rf"(?:(?:at|with|doing) )?(?:about |around |over )?{NUM} (?:(?:kilometres|miles|metres|feet) (?:/|per|an"
     r"|a) (?:h|hour|s|second|seconds|minute)|mph|kph|kmh|knots)(?= |$)", ""),
    (rf"(from|to) [(\[] {_DEGREES} , {_HIGH} [)\]]", r"\1 azimuth \2 elevation \3"),
    (r"at (-\d+(?:\.\d+)?|(?:1[3-9]|[2-9]\d|[123]\d\d)(?:\.\d+)?)(?= [,.;]| and (?:a|an|the) |$)",
     r"azimuth \1 degrees"),
    # coordinates in brackets: azimuth, elevation, distance
    (rf"(?:at )?[(\[] {_DEGREES} , {_HIGH} , (?:r |d |dist |distance )?({NUM})(?: metres)? [)\]]",
     r"( azimuth \1 elevation \2 \3 metres )"),
    (rf"(?:at )?[(\[] {_DEGREES} , {_HIGH} [)\]]", r"( azimuth \1 elevation \2 )"),
    (r"[(\[] ([+-]\d+|0|\d\d\d?)(?: degrees)? [)\]]", r"( azimuth \1 )"),
    # "at 10 and 2 o'clock"
    (rf"({NUM}) (and|or|,) ({NUM}) (degrees|oclock)(?= |$)", r"\1 \4 \2 \3 \4"),
    (rf"from ({NUM}) to ({NUM}) degrees(?= |$)", r"from \1 degrees to \2 degrees"),
    (r"(from|to) the (?:player|viewer|user|hero|listener|speaker) (?=(?:on|at|to|in) (?:the|my) (?:left"
     r"|right|front|back|centre)(?: |$))", r"\1"),
    (r"(?:each|every) corner(?: of the \w+)? (?:has|holds|contains) ((?:a|an|one) [\w-]+"
     r"(?: [\w-]+)?)(?= [,.;]|$)", r"\1 in each corner"),
    # several of those named before
    (r"both of (?:them|these|those|us)(?= |$)", "both"),
    (r"all (?:of (?:them|these|those)|three|four)(?= (?:(?:are|were|stand|sit|come|on|in|at|behind|from) "
     r"|(?:very )?(?:far|close|near|nearby|distant)(?: |$)))", "they"),
    # "the robber, no, sorry, the manager"
    (r"(?:the|a|an|some) (?!left|right|front|back|rear|centre|middle)(?:[\w-]+ ){1,2}instead(?= (?:the|a"
     r"|an|some) (?!left|right|front|back|rear|centre|middle))", ""),
]  # fmt: skip
