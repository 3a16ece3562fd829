"""The vocabulary that tells a request from a question and a remark: plain lists, like `phrases`."""

from faultbook.intake.slack import phrases
from faultbook.intake.slack.reader import Phrases


def _all_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


PLEASE = Phrases(
    *("please", "pls", "plz", "kindly", "bitte", "por favor", "per favore", "svp", "stp"),
    *("s'il te plaît", "s'il vous plaît", "s'il te plait", "s'il vous plait"),
)
LEADS = Phrases(
    *phrases.GREETINGS.all,
    *("ok", "okay", "so", "and", "well", "now", "right", "just", "then", "also", "next"),
    *("faultbook", "@faultbook", "team", "all", "everyone", "folks", "guys", "bot"),
    *("thanks", "thank you", "great", "cool", "sorry", "again", "first", "finally"),
    *("yes", "go ahead and", "hey bot"),
)
"""What may stand before a request and says nothing about it."""
TAILS = Phrases(
    *("thanks", "thank you", "thx", "cheers", "now", "right now", "again", "then", "for me"),
    *("for us", "ok", "asap", "today", "when you can", "if you can", "thanks in advance"),
    *("merci", "danke", "gracias"),
)
"""What may stand after a request and is no object of it."""

POLITE = Phrases(
    *(
        "can u",
        "could u",
        "can you",
        "could you",
        "would you",
        "will you",
        "if you could",
        "if you can",
    ),
    *("i was hoping you could", "i was wondering if you could", "would you kindly"),
    *("it would be great if you could", "would be great if you could"),
    *("it would be nice if you could", "would be nice if you could"),
    *("i would appreciate it if you could", "i would appreciate if you could"),
    *("i need you to", "we need you to", "i want you to", "we want you to"),
    *("i would like you to", "we would like you to", "your task is to", "your job is to"),
)
"""What a request in its polite form begins with; a verb follows."""
SOFTENERS = Phrases(
    *PLEASE.all,
    *("maybe", "perhaps", "possibly", "just", "also", "quickly", "then", "now", "again"),
    *("by any chance", "for me", "@somebody", "go ahead and"),
)
MINDING = Phrases("would you mind", "do you mind")
"""A polite form that a verb in -ing follows."""
NO_WORK_ING = _all_of(
    "being having telling showing explaining saying waiting helping coming going holding"
)
NEEDING = Phrases(
    *("need", "i need", "we need", "i want", "we want", "i would like", "we would like"),
    *("i will need", "we will need", "i also need", "we also need"),
)
"""What a request for a thing begins with; a determiner follows."""

QUESTIONS = Phrases(
    *("who", "whom", "whose", "what", "when", "where", "why", "how", "which", "since when"),
    *("is", "are", "am", "was", "were", "does", "do", "did", "has", "have", "had"),
    *("can", "could", "would", "will", "should", "shall", "may", "might", "must"),
    *("isn't", "aren't", "wasn't", "weren't", "don't", "doesn't", "didn't", "hasn't"),
    *("haven't", "can't", "couldn't", "won't", "wouldn't", "shouldn't", "any", "anyone"),
    *("anybody", "whether"),
)
"""What a question begins with. "Don't …" and "do …" may be orders: they are asked about, too."""
KNOWING = Phrases(
    *("tell me", "tell us", "show me", "show us", "show", "explain", "say", "know", "see"),
    *("let", "let me", "remember", "understand", "think", "guess", "hear", "feel", "believe"),
    *("imagine", "recall", "describe", "clarify", "confirm", "advise", "elaborate"),
    *("help", "answer", "teach", "suggest", "recommend", "mention", "remind me what"),
)
"""What asks for knowledge or for help: a question, though no word of asking is there."""
ABILITY = Phrases(
    *("be", "have", "do", "speak", "handle", "support", "like", "love", "want", "need", "mean"),
    *("hold", "wait", "come", "go", "work", "talk", "cope", "manage", "deal", "stay", "join"),
    *("even", "still", "ever", "already", "actually", "really", "always", "only", "not", "never"),
    *("understand", "read", "access", "use", "note", "ignore", "disregard", "forgive", "bear"),
)
"""What, after "can you", asks what the bot is able to do; after "please", what no worker does."""

DETERMINERS = _all_of(
    "the a an all our my this that these those every each its their his her your any some both "
    "another"
)
DEMONSTRATIVES = _all_of("this that these those all both")
"""Determiners that may stand for a thing by themselves."""
PRONOUNS = _all_of("it them him her us me")
FUNCTION_WORDS = _all_of(
    "i you he she we they it me him us them myself yourself one none nothing something anything "
    "everything nobody somebody someone everybody everyone @somebody the a an all our my this "
    "that these those every each its their his her your any some both another half such same "
    "and or but nor so yet if unless until till while once since because although though as "
    "than whereas whenever wherever whatever whoever however therefore thus hence in on at by "
    "for from of off to into onto with without within about above across after against along "
    "among around before behind below beneath beside besides between beyond despite down during "
    "except inside like minus near outside over past per plus regarding re through throughout "
    "toward towards under underneath up upon versus via is are am was were be been being has "
    "have had do does did can could will would shall should may might must not no yes yeah yep "
    "nope never ever also again always still even just only too very quite rather really here "
    "there now then today tomorrow yesterday tonight soon later already meanwhile otherwise "
    "anyway instead maybe perhaps btw fyi imo imho afaik ps lol haha wow ugh hm hmm oh ah damn "
    "man dude well ok okay monday tuesday wednesday thursday friday saturday sunday more most "
    "less least much many few other others own good great nice cool fine bad sad happy sorry "
    "who whom whose what when where why how which i'm i'll i've you're we'll they're that's "
    "don't doesn't didn't can't won't thanks thank twice last earlier"
)
"""Words that begin no command."""
NO_COMMANDS = _all_of(
    "love like hate enjoy hope wish guess think believe mean suppose know remember trust excuse "
    "pardon bless miss see hear feel want need prefer doubt wonder agree let saw got found sent "
    "made told gave took forgot thought knew heard wrote left lost had came went ran began kept "
    "held brought bought caught said paid met welcome congrats congratulations imagine ignore "
    "bye goodbye hello hi hey note disregard forgive bear hold wait come go stay join meet attend "
    "look watch"
)
"""Verbs, and forms of verbs, that say something about a person instead of asking for work."""
FINITE = _all_of(
    "is are was were has had will would can could should did does isn't aren't wasn't weren't "
    "doesn't didn't hasn't won't can't couldn't looks look seems seem appears fails broke took "
    "takes went goes works worked needs ran keeps came comes became gets got feels"
)
"""Verbs that make a statement of the words before them."""
PARTICIPLES = _all_of("failed crashed stopped started finished arrived ended passed")
"""Verbs that do so, unless a noun follows: `export failed twice`, but `export failed invoices`."""
OPENERS = _all_of(
    "that which who whom whose what whatever if whether when whenever where wherever because "
    "since so and as once while until till before after unless how why"
)
"""Words that open a clause of its own: what follows them says nothing about those before."""
AFTER_NOUNS = _all_of(
    ", from with on for at about of in by during under regarding per only still also again always "
    "just never not"
)
"""What, right after a word that may be a noun or a verb, makes it a noun."""

PHRASAL_VERBS = Phrases(
    *("look into", "look at", "look after", "look up", "look for", "take care of", "deal with"),
    *("work on", "get rid of", "carry out", "go through", "go over", "see to", "have a look at"),
    *("take a look at", "do something about", "come up with", "keep an eye on"),
)
"""Verbs of several words, the first of which asks for no work by itself."""
VERBS = _all_of(
    "add adjust allow analyse analyze announce append apply approve arrange ask assemble assign "
    "attach automate block boost bring bump calculate cancel categorise categorize chase check "
    "clone close collect combine compile compress compute configure connect consolidate contact "
    "convert coordinate copy crawl create deactivate deduplicate delete deliver deploy "
    "deprecate detect determine diagnose disable discard disconnect distribute download draft "
    "drop dump duplicate edit eliminate email embed enable encrypt enforce ensure enter "
    "escalate estimate evaluate examine exclude execute expand extend extract feed fetch figure "
    "fill filter finalise finalize find finish fix flag flush follow format forward gather "
    "generate give grab grant handle hide identify implement include increase inform ingest "
    "insert inspect install integrate investigate invite kick kill label launch list load "
    "locate lock lookup make mark merge migrate modify monitor move mute normalise normalize "
    "notify obtain onboard optimise optimize organise organize overwrite parse pause pay "
    "perform persist pick ping populate prepare prevent print prioritise prioritize proceed "
    "process produce promote propose prove provide provision prune publish pull purge push "
    "query raise reach rebase reboot rebuild recalculate recheck reconcile reconnect record "
    "recover recreate redo reduce refresh regenerate register reindex reject reload remind "
    "remove rename render reorder repair repeat replace replay reply request rerun reschedule "
    "resend reset resolve respond restart restore resume resync retrain retrieve retry return "
    "reupload revert revoke rewrite rollback rotate run save scale scrape search send set "
    "simplify skip sort split start stop store submit subscribe summarise summarize suspend "
    "switch synchronise synchronize tag take tell terminate throttle tidy toggle track train "
    "transcribe transfer transform translate trigger trim troubleshoot truncate try turn undo "
    "unlock unmute unpause unsubscribe upgrade upload validate verify void wipe withdraw wrap "
    "write zip"
)
NOUN_VERBS = _all_of(
    "access address alert archive audit back backfill backup balance batch benchmark bill book "
    "budget build call change charge chart clean clear commit compare complete correct count "
    "cross-check debug design discount document double-check evaluate export file graph group "
    "host import index invoice issue limit link log lower mail map match measure message open "
    "order outline page patch pin plan plot poll post preview price profile program question "
    "quote rank rate refund release report research review route sample scan schedule score "
    "scrub seed separate ship sign sketch smoke snapshot stage study sum sync table tail test "
    "time tweak update vacuum warm"
)
"""Words that may as well be nouns or adjectives: what stands around them decides."""
AGAIN = ("re-", "un-", "de-", "auto-", "re", "un")
"""Beginnings that make a verb of a verb, such as `re-export`."""
