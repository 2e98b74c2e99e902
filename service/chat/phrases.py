"""The words that people use with the bot, as patterns. They are matched against normalised clauses; see ``intents``."""

from __future__ import annotations

import re

POLITE = re.compile(
    r"\b(?:please|kindly|hey|hi there|hello there|yo|ok|okay|alright|well|um|uh|hmm|just|"
    r"maybe|perhaps|now|then|really|"
    r"actually|also|though|dear|bot|tunebreeder|dude|man|mate|bro|guys|everyone|haha|lol|"
    r"lowkey|honestly|imo|tbh|nah|yeah|yep|"
    r"for now|right now|next time|this time|i think|i guess|i feel like|tell me|do you mind|"
    r"if you can|if possible|"
    r"kinda|sort of|a little bit more like|because|too please|thanks|thank you|still|yet|"
    r"super|so much|all the way|"
    r"pretty please|cheers|go ahead and)\b"
)
ASKING = re.compile(
    r"^(?:(?:can|could|would|will|may|shall|should) (?:you|we|i)|(?:i|we) (?:would like(?= more (?:of|like)\b)|would|"
    r"want you to|need you to)|"
    r"i want to|i would like (?:you )?to|let us|let me|you could|you should|how about(?: we)?|"
    r"what about|try to|"
    r"be so kind and|would you mind)\b\s*"
)
NEGATED = re.compile(
    r"^(?:please )?(?:do not|never|no need|not yet|not now|wait|hold off|i (?:do not|"
    r"would not) want|we (?:do not|should not)|"
    r"you (?:must|should|may|can) not|let us not|stop (?:skipping|starting|changing)|"
    r"no more rounds|"
    r"rather not|better not|leave (?:it|this|that|them|everything))\b"
)
ACTIONS = re.compile(
    r"\b(?:start|begin|stop|pause|reset|resume|skip|next|go on|continue|another|new round|"
    r"keep|save|vary|mix|cross|branch|"
    r"fork|breed|touch|anything|delete|rate|vote|remix|change|extend|wipe|end|round|not now|"
    r"start over|play)\b"
)

NEXT = re.compile(
    r"(?:the )?next(?: (?:round|one|ones|batch|set|generation|song|track))?|skip(?: (?:it|"
    r"this|that|these|this round|the round|"
    r"this one))?|(?:give me |hit me with |make |do |i want |get |one more|"
    r"show me )?(?:another|a new|new|one more)"
    r"(?: (?:one|round|batch|set|go|generation))?|(?:breed|make|do) (?:the )?(?:next|"
    r"more)(?: (?:round|one|ones|of them))?|"
    r"(?:let us )?(?:go|move|keep|get)(?: going| moving)?(?: (?:on )?to the next(?: (?:one|"
    r"round))?)|keep (?:going|it going|"
    r"breeding)|move on|moving on|onwards?|more rounds?|(?:nah |no )?skip(?: (?:this|it|"
    r"that))?|again|once more|"
    r"(?:i am |we are )?ready for (?:the )?(?:next|another)(?: (?:round|one))?|close (?:the|"
    r"this) round|(?:nah|no) next|(?:roll|spin|deal|go|try|breed)(?: (?:it|the dice))? again|"
    r"(?:a |an )?(?:new|another|fresh|different) (?:round|batch|set|ones?|generation)|"
    r"(?:more|new|fresh|other|different) (?:clips|songs|tracks|music)|surprise us|go|"
    r"(?:give (?:me|us) )?(?:(?:\d|four|a few|some) )?more(?: of them)?"
)
MEANT_FOR = re.compile(
    r"^(?:something|(?:some )?music|a (?:song|track|clip)|songs|tracks)(?: good)? (?:for|to)\b"
)
EVERYTHING = re.compile(r"\b(?:everything|all(?: of them| four| of these)?|them all)\b")
PLAY_SOME = re.compile(
    r"(?:play|make|sing|do|put on|give)(?: (?:me|us))? (?:something|anything|(?:some )?(?:music|songs?|tunes?|tracks?|"
    r"beats?)|a (?:song|tune|track|beat))(?: (?:nice|good|cool))?"
)
START_VERB = re.compile(
    r"^(?:start|begin|kick off|launch|fire up|get going)\b\s*(?:(?:up|with|a private run|"
    r"a private one|a run|a round|a new run|breeding|"
    r"the music|a session|something|one|some|making|music|it|a|over|again|afresh)\b\s*)*(?:with|of|about)?\s*"
)
WISH = re.compile(
    r"^(?:(?:make|give|play|breed|do(?! (?:you|they|we|i)\b)|hear|try|have|create|compose|generate|get)\b(?: (?:me|"
    r"us))?|i (?:want|would like|need|"
    r"feel like|fancy|wish for|am in the mood for)(?: to (?:hear|have|listen to))?|(?:we|"
    r"you) (?:want|need)(?: to hear)?|"
    r"how about|what about|in the mood for|bring on)\b\s*(?:(?:something|some|music|a bit of|"
    r"a run (?:of|with)|a track|(?:a )?private (?:one|run)(?: (?:with|of|about))?)\b\s*)*"
)
PRIVATE = re.compile(
    r"\b(?:(?:only|just) )?(?:for me|privately|in private|on my own|for myself|"
    r"for my ears)(?: (?:only|alone))?\b"
)
FOR_ME = re.compile(
    r"(?:play|pick|find|choose|show|give me|recommend|suggest)(?: me)? (?:something|one|"
    r"anything|a clip|the best(?: one| clip)?)|"
    r"^for me$|(?:which|what)(?: one| clip| clips)?(?: of (?:these|them|those))? (?:would|"
    r"will|might|do) (?:i|you think i would) "
    r"(?:like|love|enjoy|prefer)|what would i (?:like|love|enjoy|prefer)|best (?:one |"
    r"clip )?for me|surprise me|which (?:one |clip )?(?:fits|suits|is best for) me"
)
STOP = re.compile(
    r"(?:stop|end|finish|quit|halt|shut down|close down)(?: (?:playing|all of (?:it|this)|it|"
    r"this|that|now|here|everything|breeding|making music|(?:the|this|that)"
    r" (?:run|music|session|breeding)|run|music))?|(?:that is )?enough(?: for (?:today|"
    r"tonight|now))?|we are done|i am done|that is it for today|"
    r"shut it (?:all )?(?:down|off)|turn (?:it|this|everything) off|that is (?:all|"
    r"it) for (?:today|now|tonight)|finish up|wrap (?:it )?up|"
    r"call it a (?:day|night)|(?:that is )?enough stop(?: it)?"
)
PAUSE = re.compile(
    r"(?:hold on (?:a (?:minute|moment|second|sec|bit) )?)?pause(?: (?:it|this|that|here|"
    r"the run|the music|this run))?(?: for (?:a|one) (?:bit|while|moment|minute|sec|second))?|"
    r"take a break|"
    r"(?:let us )?(?:have|take) a (?:break|pause)|freeze(?: it)?|wait a (?:bit|while)"
)
DUEL = re.compile(
    r"(?:(?:i (?:want|would like)|start|run|make|do|have|hold|begin|set up|let us have|give us) )?"
    r"(?:a |an |another |one more |the next )?"
    r"(?:new |blind )?(?:duel|head to head|face off)(?: (?:here|now|again))?|"
    r"(?:compare|pit|put|show|give us|play) (?:any |me )?two (?:clips|songs|of them)"
    r"(?: (?:against each other|side by side|head to head|blind))?"
)
RESUME = re.compile(
    r"(?:resume|unpause|continue|carry on|go on|proceed|un-pause)(?: (?:it|this|please|"
    r"the run|the music|where we (?:paused|stopped|"
    r"left off)|from where we (?:paused|stopped|left off)|with (?:it|the run)))?|"
    r"pick (?:it )?up where we left off"
)
RESET = re.compile(
    r"(?:back to|from|go back to) (?:zero|square one)|(?:a )?(?:fresh|new) start|"
    r"(?:reset|restart|re-start)(?: from (?:zero|scratch|the beginning))?(?: (?:it|this|that|"
    r"everything|all|here|the (?:run|channel|music|herd|population)))?|"
    r"(?:start|begin)(?: (?:it|this|everything))? (?:over|anew|fresh|afresh|again|from (?:scratch|"
    r"zero|the beginning))(?: (?:again|from (?:scratch|zero|the beginning)))?|"
    r"from scratch|wipe (?:everything|it|this|the slate)(?: clean)?(?: begin again|"
    r" start (?:again|over))?|clean slate"
)
ALL_BAD = re.compile(
    r"(?:all|they|these|everything|every one|none|nothing)\b.*\b(?:bad|awful|terrible|"
    r"horrible|suck|sucks|trash|garbage|rubbish|"
    r"crap|any good|worth|is good|are good)|all bad|i (?:hate|dislike) (?:all|every|them all|"
    r"all of them|everything)\b.*|"
    r"do not like any.*|(?:rate|grade|vote) (?:all|everything|every one|them all)(?: of them)? (?:as )?(?:awful|bad|"
    r"terrible|horrible)|(?:i )?like none(?: of .*)?|"
    r"(?:i am )?not (?:feeling|into|digging|liking) any(?: of .*)?"
)
BROKEN = re.compile(
    r"\b(?:(?:weird|strange|annoying|loud|nasty) (?:noise|crackle|click|hiss|buzz|pop)s?|"
    r"broken|glitch|glitchy|glitches|crackles?|crackling|clicks|clicking|distorted|corrupt|"
    r"corrupted|silent|no sound|"
    r"no audio|sound does not work|can not hear|cuts out|cut off|static|noise only|does not play)\b"
)
FAVOURITE = re.compile(
    r"\b(?:favourite|star|best(?: (?:one|clip|of (?:the|this) round))?|number one|top pick|"
    r"winner for me|the goat|my (?:pick|jam))\b"
)
KEEP = re.compile(
    r"^(?:keep(?! (?:going|breeding|on|it (?:going|up))\b)|save|bookmark|preserve|hold on to|store)\b"
)
BRANCH = re.compile(r"\b(?:branch|fork|thread|spin off|spin-off|side run)\b")
CROSS = re.compile(
    r"\b(?:mix|cross|combine|blend|merge|mash|mash up|splice|breed|marry|mate|fuse|crossbreed|"
    r"mixed|crossed|combined|blended|merged|fused)\b|⟧ (?:x|meets) ⟦|\b(?:a baby|babies|"
    r"kids|children|offspring|had a child|together|"
    r"meets|have a baby|mashup|hybrid|mixture of)\b"
)
VARY = re.compile(
    r"^(?:(?:keep going|going on|go(?: further| on)?|continue|carry on|stay|more) in (?:that|this|the same) "
    r"(?:direction|vein|style)|vary|(?:a |some |a few )?(?:variations?|variants?|versions?)(?: (?:of|on))?(?= ⟦|$|"
    r" this| that| it)|more (?:(?:stuff|things|clips|music|songs|tracks|ones) )?(?:of|like|"
    r"from|along the lines of)|something (?:like|close to|similar to|"
    r"in the style of|along the lines of)|more in the (?:direction|style|vein) of|"
    r"(?:go on|continue|carry on|keep going|stick|proceed) with(?= ⟦| this| that| it)|"
    r"similar(?: to)?|close to|stay (?:close to|with)|same (?:again|as|vibe as)|"
    r"breed (?:from|on from)|go (?:with|for)|riff on|evolve|mutate|keep (?:going|"
    r"breeding) (?:with|from))\b"
)
LIKE_REF = re.compile(r"^like ⟦")
MOOD = re.compile(
    r"\b(?:(?:a|an|one|the)? ?([\w ,-]*?) (?:version|take|edit|rendition|cut|copy) (?:of|"
    r"on)\b)|\b(?:only|just)? ?(?:for )?this clip(?: only| alone)?\b"
)
LONGER = re.compile(
    r"^(?:a |the |make (?:me )?(?:a )?|give me (?:a )?|do (?:a )?)?(?:longer|extended|full|"
    r"full-length)(?: (?:version|take|cut|edit)(?: of| for)?)?\b|"
    r"^extend\b|^make .*\blonger$|^lengthen\b|(?:longer|extended) (?:version|cut|take)|"
    r"^⟦[^⟧]*⟧ longer$|^(?:make )?(?:a )?\d+ ?-?(?:s|sec|seconds?) (?:version|cut|take)"
)
CHANGE_VERB = re.compile(
    r"^(?:make|turn|change|give|take|bring|put|add|remove|drop|lose|kill|cut|ditch|get rid of|"
    r"less|more|try|use|do|have|set|"
    r"go|be|needs?|could use|should be|want|i (?:want|need|would like|would love|prefer)|with|"
    r"without|no|not|too|in|at|but|"
    r"way|much|a (?:bit|little|touch|tad)|even|slightly|remix)\b"
)
LESS = re.compile(
    r"\b(?:(?:dial|cut|scale|hold) back(?: on)?|(?:tone|turn|bring|take|calm) down|"
    r"ease off(?: on)?|go easy on|lower|reduce|decrease|"
    r"not (?:so|as|that) (?:much|many))\s+(?:the |that |those )?(\w+(?: \w+)?)"
)
MORE = re.compile(
    r"\b(?:(?:turn|crank|bring|pump|ramp|push|amp|kick|bump) up|boost|increase|raise|"
    r"emphasi[sz]e)\s+(?:the |that |those )?(\w+(?: \w+)?)"
)
SPEED = (
    (re.compile(r"\bspeed (?:it |this |things |them )?up\b"), "faster"),
    (re.compile(r"\bslow (?:it |this |things |them )?down\b"), "slower"),
    (re.compile(r"\b(?:cheer|brighten|lighten) (?:it |this |things |them )?up\b"), "happier"),
    (re.compile(r"\b(?:calm|settle|chill) (?:it |this |things |them )?down\b"), "calmer"),
)
UP_DOWN = re.compile(
    r"\b(?:turn|crank|bring|pump|ramp|push|dial|tone|take|kick|bump|move)\s+(?:the |that |"
    r"those )?(\w+) (up|down|back)\b(?: a (?:notch|bit|little))?"
)
TOO_MUCH = re.compile(
    r"\b(?:the |those )?(\w+) (?:is|are|was|were) (?:a bit |a little |way |far )?too (?:much|"
    r"many|prominent|present|dominant)\b"
)
ENOUGH = re.compile(
    r"^(?:stop (?:it )?with|enough(?: of)?|(?:i am |we are )?(?:sick|tired) of)(?: (?:the|this|that|all))* "
    r"(\w+(?: (?!already|now)\w+)?)(?: already| now)?$"
)
DIAL = re.compile(
    r"\b(?:can |could |should )?(?:the )?(tempo|speed|pace|volume|energy)(?: (?:is|are|be|was|should be|could be|to be|"
    r"goes|go))?(?: a bit| a little| much)? (too )?(higher|lower|high|low|up|down)\b"
)
OUT = re.compile(
    r"\b(?:take|leave|cut|filter|throw|kick|pull|keep) (?:the |that |those |all )?(\w+) out\b(?: of)?"
)
TOO_LOUD = re.compile(
    r"\b(?:the |those )?(\w+) (?:is|are|was|were) (?:a bit |a little |way |far )?too (loud|quiet)\b"
)
HEDGE = re.compile(
    r"\b(?:i guess|i think|i suppose|tbh|imo|honestly|in my opinion)\b|^(?:so|well|ok|okay)\b|,"
)
HAVING = re.compile(
    r"^(?:get(?! rid)|have|hear|see|listen to|give (?:me|us)|make (?:me|us)|play (?:me|us)?|"
    r"show (?:me|us)|(?:i|we) (?:want|need|would like)(?: to hear)?)\s+"
)
DISLIKED = re.compile(
    r"^(?:i|we) (?:(?:do not|did not|can not) (?:really |quite |much )?(?:like|love|stand|enjoy|want|need|dig)|hate|"
    r"dislike)\b"
)
"""What may be said of a part of the music, and then is a wish to have less of it."""
NO_WISH = re.compile(
    r"^(?:hard to (?:choose|say|tell|decide|pick)|(?:i|you|we|he|she|they|my|your|his|her|our|if|when|while|"
    r"there|someone|somebody|nobody) (?!want|need|would|prefer|wish|could use)|"
    r"(?:am|did|does|do|was|were|has|had|is|are) )"
)
TOGETHER = (
    "drum and bass",
    "drum & bass",
    "r & b",
    "rhythm and blues",
    "rock and roll",
    "rock & roll",
    "drum n bass",
    "country and western",
)
"""Names with an "and" that joins no clauses."""
LEAD_IN = re.compile(
    r"^(?:(?:remix|make|turn|change|switch|move|get(?! rid)|have|try|do|take|set|hear)\b\s*)?(?:(?:it|this|"
    r"that|them|these|the next (?:ones?|round)|next (?:ones?|round)|things|everything|the music|the (?:genre|"
    r"style|mood|vibe|key|tempo)(?= to\b))\b\s*)?"
    r"(?:(?:to be|be|into|to|sound|a version|needs?|should be|could use|could be|so it is|is|are|was|were)\b\s*)?"
)

TELL = re.compile(
    r"(?:about|describe|explain|(?:some )?info (?:on|about)|details (?:of|on|about)|what (?:genre|style|"
    r"kind of (?:music|song|track)) is|what is|what makes|what about|what is the deal with) ⟦[^⟧]*⟧"
    r"(?: (?:like|about|special|different|tick))?"
)
NEXT_ONE = re.compile(
    r"^(?:make|breed|do|let|have|get)? ?(?:the )?next (?:round|ones?|batch)(?: (?:be|sound|should be|a bit))* "
    r"(?=more like|like|similar|close)"
)
WHY = re.compile(
    r"\bwhy\b|what made you\b|how did you (?:choose|pick|come|decide|get)|what is the reason|"
    r"\bhow come\b|what for|reason (?:for|behind)"
)
LINEAGE = re.compile(
    r"\b(?:lineage|parents?|ancest\w*|family tree|descend\w*|come from|comes from|came from|"
    r"bred from|made from|"
    r"origins?|pedigree|grandparents?)\b"
)
PLAY = re.compile(
    r"\b(?:chords?|key|bpm|tempo|metre|meter|time signature|notes?|capo|scale|instruments?|"
    r"tabs?)\b|\bplay (?:this|that|it|along)\b|"
    r"\bplay ⟦|how fast is"
)
QUESTION = re.compile(
    r"^(?:what|which|who|whose|how|when|where|why|is|are|does|do|did|can|could|will|would|"
    r"show|tell|explain|give me the)\b|\?"
)
WH = re.compile(
    r"^(?:(?:so|and|but|ok|hey|please|tell me|show me) )*(?:what|which|who|whose|how|when|"
    r"where|why|bpm|key|chords|tempo|give me the|show|explain)\b(?! about)"
)
MOOD_FRAME = re.compile(
    r"^(?:(?:please|make|give|do|play|try)\b(?: me)?\s*)?(?:(?:a|an|one|the) )?|\b(?:version|"
    r"take|edit|rendition|cut|copy) (?:of|on)\b(?: ⟦[^⟧]*⟧| this| that| it)*(?: one| clip)?|"
    r"\b(?:only |just )?for this clip(?: only| alone)?\b|\b(?:this|that) clip only\b"
)
KNOWN = frozenset(
    [
        "one",
        "ones",
        "clip",
        "track",
        "song",
        "thing",
        "things",
        "round",
        "next",
        "time",
        "want",
        "would",
        "could",
        "sound",
        "sounds",
        "pls",
        "bit",
        "lot",
        "so",
        "ugh",
        "instead",
        "prefer",
        "rather",
        "wish",
        "about",
    ]
)
TASTE = re.compile(
    r"\b(?:my|the) (?:taste|tastes|taste profile|profile)\b|what (?:do|"
    r"did) (?:you think )?i (?:seem to )?(?:like|enjoy|love|prefer)|"
    r"what (?:you think )?i like\b|what do you think i (?:like|enjoy)"
)
MY_DATA = re.compile(
    r"\b(?:know|store|stored|keep|hold|have|remember|save|saved|collect|got) (?:on|about|"
    r"of) me\b|\bmy (?:data|votes|personal data|information)\b|"
    r"\b(?:save|store|keep|log|read|record|track) (?:my|our|these|all) (?:messages?|chats?|"
    r"words|texts?)\b|\bforget (?:me|about me)\b|\bgdpr\b|\b(?:track|tracking|spy on|spying on) me\b|"
    r"\bopt(?:ing)? (?:me )?out\b|\bunsubscribe\b"
)
STATUS = re.compile(
    r"^(?:the )?status\b|what is (?:playing|going on|happening|up|cooking|on|the status)|"
    r"how is it going|how (?:many|much) (?:\w+ )?(?:votes?|voted|people|"
    r"listeners|voters|rounds?)|when (?:does|will|is)\b.*\b(?:close|closes|end|over|ready|"
    r"next|round)|how (?:long|far)\b|"
    r"(?:are|is) (?:you|it|this|the (?:run|round|next round|bot)) (?:still )?(?:making|"
    r"working|done|ready|going|there|running|alive|busy|stuck|frozen|open|"
    r"closed|dead|asleep)|"
    r"what are we (?:listening|hearing|playing|voting|doing|on)|is (?:the|a|another) (?:next |"
    r"new )?round (?:coming|here|out|ready|open)|"
    r"progress\b|nothing (?:happens|happened|is happening)|where are we|"
    r"(?:is|are|has|did) (?:any|some|every)(?:one|body) (?:voting|voted|vote|listening|here)|"
    r"(?:is|are) (?:there|the) (?:a )?(?:round|run|votes?)\b.*|(?:what|which) (?:round|"
    r"generation)|what are you (?:doing|making|up to)|who is (?:winning|ahead)|"
    r"how is the (?:run|round|vote|voting)"
)
ABOUT = re.compile(
    r"who (?:made|built|are|wrote|runs|created) (?:you|this|it)?|what are you\b|(?:is|"
    r"are) (?:this|you|it|that|these|they) (?:\w+ )?(?:ai|a bot|bots?|"
    r"machine|human|real|a robot|made by)\b|(?:what|which) (?:model|generator|version|"
    r"licen[cs]e|ai|engine|software)|"
    r"licen[cs]es?\b|copyright|commercial|privacy|open source|^about(?: you)?$|"
    r"where do (?:these|the clips|they) come from|are you (?:an? )?(?:chat ?gpt|gpt|llm|claude|gemini|siri|alexa|"
    r"language model)\b|who am i talking to|(?:is|are) ⟦[^⟧]*⟧ (?:\w+ )?(?:ai|machine)\b|"
    r"can (?:i|we) (?:use|sell|share|publish|upload|post|stream) (?:this|these|"
    r"it|them|⟦[^⟧]*⟧|the (?:music|clips?|songs?|tracks?))"
)
HELP = re.compile(
    r"difference between|what (?:does|do|is|are) (?:the )?(?:vary|cross|remix|next|more|star|buttons?)\b|"
    r"\bhelp\b|how (?:does|do|can|is|should) (?:this|it|that|i|you|we|voting|the voting|one|"
    r"breeding|the bot|rating)\b.*\b(?:work|works|use|vote|do|start|rate|"
    r"function|supposed|begin|talk)\b|what can (?:you|i|we) (?:do|say|ask)|what (?:now|"
    r"do i do|should i do|am i supposed to do|are the commands|else can)|commands?\b|"
    r"^(?:hi|hello|hey|hiya|good (?:morning|evening|day|afternoon)|greetings|yo|"
    r"howdy)(?: (?:all|everybody|everyone|there|bot|folks))?$|how to (?:use|vote|rate|start)|"
    r"^how (?:do|can|could|should|would) (?:i|we)\b|instructions\?|"
    r"explain (?:this|yourself|how|the rules)|what is this(?: (?:bot|place|thing))?$|^what$|^huh$"
)
GREETED = re.compile(r"(?:hey|hi|yo|hello)(?: (?:bot|there|tunebreeder|dude|man|everyone))?")
THANKS = re.compile(
    r"^(?:thanks?|thank you|thx|ty|cheers|lol|haha+|hehe|ok|okay|k|cool|nice|great|awesome|"
    r"good|wow|yes|yeah|yep|no|nope|nah|hm+|"
    r"sorry|bye|good night|see you|congrats|well done|(?:good|great|nice|fine) (?:bot|job|work|one)|"
    r"you rock|(?:i )?love you|you are (?:great|awesome|the best|amazing|cool|"
    r"funny)|that was (?:fun|great|"
    r"nice|cool)|"
    r"(?:i am )?(?:so )?(?:bored|tired|sleepy|confused)|no thanks?|ugh|wow|i am back|i see|"
    r"got it|understood|fine|sure|alright|perfect|oh|ah|aha)$"
)
LIKE_THE_FILE = re.compile(
    r"(?:hey|hi|please|can you|could you|would you|let'?s|now|[\s,])*"
    r"(?:(?:breed|make|start|do|play|give|want|i'?d like|i want|we want)\b(?: (?:me|us))?)?\s*"
    r"(?:something|some music|music|some|one|clips?|a run|more)?\s*"
    r"(?:like|towards?|similar to|in the style of|more like)\s+"
    r"(?:this|that|it|(?:the|my) (?:file|track|song))(?: (?:one|track|song|file))?"
    r"[\s,.!?]*(?:please|pls|thanks)?[\s.!?]*",
    re.IGNORECASE,
)
"""A wish for music like a file that came with the words."""
