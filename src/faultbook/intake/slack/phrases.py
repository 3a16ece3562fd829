"""The vocabulary of the grammar: plain lists, so that a missing phrase is one line away."""

from faultbook.intake.slack.reader import Phrases

GREETINGS = Phrases(
    *("hi", "hello", "hey", "hiya", "yo", "hallo", "howdy", "hey there", "hi there"),
    *("hello there", "good morning", "good afternoon", "good evening", "morning"),
)
HELP = Phrases(
    *("help", "help me", "usage", "commands", "man", "menu", "instructions", "faq", "about"),
    *("what can you do", "what do you do", "what can i ask", "what can i ask you"),
    *("what can i do", "what can i say", "how do you work", "how does this work"),
    *("how do i use you", "how do i use this", "how to use you", "who are you"),
    *("what are you", "what is this", "i need help", "can you help", "can you help me"),
    *("what is faultbook", "show help", "what commands are there", "what do you know"),
)
CHAT = Phrases(
    *(
        "thanks",
        "thanks all",
        "thank you",
        "all good",
        "thx",
        "ty",
        "tysm",
        "cheers",
        "ta",
        "much appreciated",
    ),
    *("ok", "okay", "k", "kk", "okey", "alright", "right", "sure", "got it", "gotcha"),
    *("cool", "great", "nice", "perfect", "awesome", "excellent", "brilliant", "amazing"),
    *("good", "good job", "good bot", "bad bot", "nice one", "nice work", "great work"),
    *("well done", "love it", "lovely", "wow", "lol", "haha", "ha", "hm", "hmm", "oh", "ah"),
    *("yes", "yep", "yeah", "yup", "no", "nope", "nah", "np", "no problem", "no worries"),
    *("never mind", "nevermind", "nvm", "forget it", "sorry", "my bad", "oops", "whoops"),
    *("bye", "goodbye", "good night", "see you", "later", "will do", "done", "noted", "ack"),
    *("i see", "understood", "makes sense", "sounds good", "+1", "roger", "fair enough"),
)
CHAT_FILLERS = Phrases(
    *("a", "again", "and", "bot", "everybody", "everyone", "faultbook", "folks"),
    *("for that", "for this", "for the help", "guys", "a lot", "so", "so much", "team"),
    *("that", "that is", "then", "there", "very", "very much", "you", "but"),
    "@somebody",
)
LEAD_INS = Phrases(
    *GREETINGS.all,
    *("ok", "okay", "so", "and", "um", "uh", "well", "now", "please", "pls", "plz", "just"),
    *("quick question", "question", "faultbook", "hey faultbook", "team", "all", "again"),
    *("can you tell me", "could you tell me", "can you tell us", "would you tell me"),
    *("can you say", "can you show me", "could you show me", "can you show", "can you list"),
    *("can you check", "could you check", "can you please tell me", "could you please tell me"),
    *("tell me", "tell us", "show me", "show us", "show", "give me", "list", "check", "say"),
    *("let me know", "do you know", "do we know", "any idea", "i want to know"),
    *("i would like to know", "remind me", "sorry", "thanks", "good", "great", "@somebody"),
)
WHETHER = Phrases("if", "whether")
TAILS = Phrases(
    *("please", "pls", "plz", "thanks", "thank you", "thx", "cheers"),
    *("right now", "now", "at the moment", "at present", "currently", "atm", "as of now"),
    *("again", "still", "anymore", "any more", "at all", "then", "there", "exactly", "for us"),
    *(
        "why",
        "and why",
        "for me",
        "do you know",
        "or not",
        "or what",
        "everyone",
        "folks",
        "guys",
        "team",
    ),
)
ADVERBS = Phrases(
    *("currently", "still", "now", "actually", "newly", "really", "all", "right now", "just"),
    *("not", "even", "already", "always", "often", "again", "also", "the"),
)
BE = Phrases("is", "are", "was", "were")
HAVE = Phrases("has", "have", "had")
DO = Phrases("did", "does", "do")
BAD = Phrases(
    *("failing", "broken", "red", "down", "wrong", "unhealthy", "bad", "crashing", "crashed"),
    *("not working", "not passing", "not green", "not ok", "not okay", "not fine", "failed"),
    *("going wrong", "on fire", "erroring", "breaking", "stuck", "blocked", "degraded"),
    *("unproven", "silent", "late", "overdue", "flaky", "in trouble", "a problem", "burning"),
    *("not healthy", "missing", "dead", "acting up", "misbehaving"),
)
GOOD = Phrases(
    *("ok", "okay", "fine", "green", "passing", "healthy", "working", "good", "up", "well"),
    *("alright", "all right", "all green", "running", "happy", "alive", "back", "fixed"),
    *("doing", "doing ok", "doing well", "doing fine", "looking", "looking good", "going"),
    *("working ok", "running ok", "in order", "clean", "stable"),
)
STATES = BAD | GOOD
QUESTION_STARTS = Phrases("why", "when", "since when", "how long", "and", "how come")
BEFORE_POINTS = Phrases("since", "between", "from", "of", "commit", "commits", "the")
BETWEEN_POINTS = Phrases("and", "to", "with", "vs", "versus", "against", "until", "..", "...")
PAST = Phrases(
    *("failed", "broke", "broken", "break", "fail", "fails", "passed", "pass", "passes"),
    *("work", "works", "worked", "run", "ran", "start failing", "started failing", "go wrong"),
    *(
        "went wrong",
        "crashed",
        "crash",
        "breaks",
        "stopped working",
        "stop working",
        "went red",
    ),
    *("been failing", "been broken", "gone wrong", "recovered", "recover", "keeps failing"),
    *("keep failing", "went down", "go red", "go down", "stop", "stopped", "gone red"),
)
NOUNS = Phrases(
    *("workflow", "workflows", "job", "jobs", "run", "runs", "series", "test", "tests"),
    *("thing", "things", "pipeline", "pipelines", "build", "builds", "agent", "agents"),
    *("cron", "crons", "cron job", "cron jobs", "cronjobs", "check", "checks", "one", "ones"),
    *("stuff", "task", "tasks", "sync", "syncs", "of them", "of it", "of our jobs"),
)
WHICH = Phrases("which", "what", "who", "how many", "which of", "what other")
EVERYTHING = Phrases(
    *(
        "anything",
        "something",
        "everything",
        "things",
        "all",
        "we",
        "it",
        "any",
        "some",
        "it all",
    ),
    *("there anything", "there something", "there any", "all the", "all our", "our", "the"),
)
FAILURES = Phrases(
    *("failures", "failure", "problems", "problem", "errors", "error", "issues", "issue"),
    *("trouble", "outages", "outage", "incidents", "breakage", "alerts"),
)
WRONG_WITH = Phrases(
    *("what is wrong with", "what is up with", "what happened to", "what happened with"),
    *("what is the matter with", "what is going on with", "what is the problem with"),
    *("what about", "how about", "status of", "the status of", "state of", "health of"),
    *("what is the status of", "what is the state of", "how is", "how are", "how does"),
    *("what is happening with", "what went wrong with"),
)
PLAIN_QUESTIONS = Phrases(
    *("failing", "failures", "failed", "failing now", "broken", "status", "errors", "problems"),
    *("the status", "what is the status", "status report", "report", "health", "health check"),
    *("what is going on", "what is happening", "what is the state", "any news", "news"),
    *("what failures", "what failures are there", "open failures", "current failures"),
    *("the failures", "all failures", "what is up", "sup", "how bad is it"),
    *("any trouble", "failing jobs", "failing workflows", "failing tests", "failing runs"),
)
HOW_THINGS_ARE = Phrases(
    *("how is everything", "how are things", "how are we", "how is it", "how are we doing"),
    *("how is it going", "how are things going", "how is everything going", "how do we stand"),
    *("how is it looking", "how are things looking", "how are you", "where do we stand"),
    *("how does it look", "how do things look", "what does it look like"),
)
WHAT_CHANGED = Phrases(
    *("what changed", "what has changed", "what is new", "what is different", "changes"),
    *("what is changed", "anything new", "any changes", "has anything changed"),
    *("did anything change", "diff", "compare", "difference", "the difference", "what differs"),
    *("what is the difference", "show changes", "what got worse", "what got fixed"),
    *("what was fixed", "what recovered"),
)
SEEN_THIS = Phrases(
    *("have we seen this before", "have we seen this", "have we seen it before", "seen this"),
    *("seen this before", "did we see this before", "has this happened before", "known"),
    *("did this happen before", "have we had this before", "have we had this", "is this known"),
    *("is this a known failure", "is this a known problem", "is this a known issue", "lessons"),
    *("do we know this", "do we know this one", "is there a lesson for this", "any lessons"),
    *("do we have a lesson for this", "is this new", "has this been seen before", "lesson"),
    *("did we have this before", "what do we know about this", "any lesson for this"),
    *("have you seen this before", "have you seen this", "was this seen before", "is it known"),
)
SEEN = Phrases(
    *("have we seen", "have we ever seen", "did we ever see", "did we see", "have you seen"),
    *("have we had", "lesson about", "lessons about", "lessons on", "lesson on", "lessons for"),
    *("lesson for", "what do we know about", "is there a lesson about", "any lessons about"),
    *("do we have a lesson about", "is there a lesson for", "any lessons on", "find lessons"),
    *("search lessons for", "search lessons", "lesson", "lessons", "what did we learn about"),
)
BEFORE = Phrases("before", "already", "in the past", "yet", "earlier")
REVIEW = Phrases(
    *("review", "review area", "what should i read before i automate", "lessons to read for"),
    *("what should we read before we automate", "what to read before automating"),
)
OPEN_INCIDENT = Phrases(
    *("open incident", "open an incident", "open a new incident", "new incident", "incident"),
    *("report incident", "report an incident", "file an incident", "start an incident"),
    *("create an incident", "create incident", "write an incident"),
)
PREPOSITIONS = Phrases("in", "on", "for", "of", "at", "with", "about", "under")
KIND_OF = {
    "environment": "environment",
    "env": "environment",
    "stage": "environment",
    "branch": "branch",
    "workflow": "workflow",
    "job": "workflow",
    "pipeline": "workflow",
    "series": "workflow",
    "cron": "workflow",
    "agent": "workflow",
}
KINDS = Phrases(*KIND_OF)
ALL_BRANCHES = Phrases(
    *("on all branches", "on any branch", "on every branch", "across all branches"),
    *("across branches", "all branches", "any branch", "every branch", "in all branches"),
    *("on other branches", "for all branches", "on the other branches", "everywhere"),
)
ARTICLES = Phrases("the", "our", "my", "a")
NEVER_NAMES = Phrases(
    *("what", "which", "who", "why", "when", "where", "how", "is", "are", "was", "were", "it"),
    *("this", "that", "these", "those", "there", "here", "them", "they", "me", "you", "we"),
    *("us", "i", "he", "she", "and", "or", "not", "but", "if", "to", "a", "an", "the", "do"),
    *("does", "did", "can", "could", "should", "would", "will", "has", "have", "had", "be"),
    *("in", "on", "for", "of", "at", "with", "since", "from", "by", "please", "thanks"),
    *("anything", "everything", "something", "nothing", "all", "any", "some", "every", "my"),
    *("failing", "broken", "failed", "passing", "last", "past", "your", "our", "@somebody"),
    *("his", "her", "their", "because", "so", "then", "than", "about", "into", "out"),
)

# Put together once, for the forms that take any of them.
STATES_AND_PAST = STATES | PAST
ANY_STATE = STATES | PAST | FAILURES
CLEARLY_BAD = BAD | FAILURES
BE_OR_HAVE = BE | HAVE
AUXILIARIES = BE | HAVE | DO
NO_QUESTION = GREETINGS | CHAT_FILLERS
