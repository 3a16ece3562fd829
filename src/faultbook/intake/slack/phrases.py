"""The vocabulary of the grammar: plain lists, so that a missing phrase is one line away."""

from faultbook.intake.slack.reader import Phrases

GREETINGS = Phrases(
    *("hi", "hello", "hey", "hiya", "yo", "hallo", "howdy", "hey there", "hi there"),
    *("hello there", "good morning", "good afternoon", "good evening", "morning"),
    *("bonjour", "salut", "bonsoir", "coucou", "hola", "buenos días", "buenos dias", "olá"),
    *("buenas tardes", "bom dia", "guten morgen", "guten tag", "moin", "servus", "grüezi"),
    *("grüss gott", "ciao", "buongiorno", "hej", "hei", "goedemorgen", "cześć", "dzień dobry"),
    *("ahoj", "namaste", "merhaba", "salam", "shalom", "aloha", "привет", "добрый день"),
    *("こんにちは", "おはよう", "你好", "안녕하세요", "konnichiwa"),
)
GROUPS = Phrases(
    *("all", "everybody", "everyone", "folks", "friends", "gang", "guys", "people", "team"),
    "y'all",
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
    *("yes please", "no thanks", "of course", "exactly", "agreed", "indeed", "same", "same here"),
    *("congrats", "congratulations", "happy birthday", "welcome", "good point", "good to know"),
    *("have a nice day", "have a good day", "have a nice weekend", "have a good weekend"),
    *("see you tomorrow", "see you later", "see you soon", "brb", "afk", "omg", "on it", "me too"),
    *("one moment", "one second", "one sec", "a moment", "hold on", "hang on", "wait"),
    *("take care", "take it easy", "keep it up", "keep up the good work", "carry on", "have fun"),
    *("give me a minute", "give me a second", "give me a moment", "let me check", "good luck"),
    *("i love it", "i like it", "interesting", "my pleasure", "you are welcome", "no idea"),
    *("danke", "danke schön", "vielen dank", "merci", "merci beaucoup", "gracias", "grazie"),
    *("muchas gracias", "obrigado", "obrigada", "tack", "dank je", "bedankt", "dziękuję"),
    *("спасибо", "ありがとう", "谢谢", "감사합니다", "arigato"),
)
THANKS_FOR = Phrases(
    *("thanks for", "thank you for", "thx for", "ty for", "cheers for", "thanks to"),
    *("thanks so much for", "thank you so much for", "many thanks for", "sorry for", "sorry about"),
    *("congrats on", "congratulations on", "welcome to", "good luck with", "have fun with"),
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
TASK_STATUS = Phrases(
    *("status", "status of", "the status of", "what is the status of", "what is the status on"),
    *("what is the state of", "state of", "where is", "where are you with", "where are we with"),
    *("where do we stand with", "where do you stand with", "how is", "how are you doing with"),
    *("how are we doing with", "how does", "how did", "how far is", "how far along is"),
    *("how far are you with", "how far have you got with", "how long will", "how long does"),
    *("how is it going with", "how are things with", "what about", "how about", "and"),
    *("what is up with", "what is wrong with", "what is going on with", "what is happening with"),
    *("what is happening to", "what happened to", "what happened with", "what happened on"),
    *("what became of", "what came of", "what did", "what is", "what was", "what went wrong with"),
    *(
        "any news on",
        "any news about",
        "any news of",
        "any news from",
        "news on",
        "any progress on",
    ),
    *("any progress with", "any update on", "any updates on", "update on", "updates on"),
    *("an update on", "progress of", "progress on", "details of", "details on", "details about"),
    *("result of", "the result of", "results of", "outcome of", "what is the result of"),
    *("is", "was", "has", "did", "does", "will", "when will", "when did", "when was", "when is"),
    *(
        "why",
        "why is",
        "why did",
        "why was",
        "why has",
        "who has",
        "who took",
        "who does",
        "who did",
    ),
    *("who is on", "who is doing", "who is working on", "who works on", "is anyone working on"),
    *("is anybody working on", "is somebody working on", "is someone working on"),
    *("are you working on", "are you done with", "are you finished with", "did you finish"),
    *("did you do", "did you start", "did you get to", "have you finished", "have you started"),
    *("have you done", "do you have", "what do you know about", "progress"),
    *("where", "how", "how far", "how long", "when"),
)
OF_A_TASK = Phrases(
    *("status", "going", "doing", "coming along", "progressing", "getting on", "done", "running"),
    *("done yet", "finished", "finished yet", "ready", "ready yet", "complete", "completed"),
    *("over", "ended", "open", "still open", "still running", "still queued", "still waiting"),
    *("queued", "waiting", "started", "started yet", "stuck", "late", "failing", "failed", "lost"),
    *("cancelled", "canceled", "passed", "blocked", "in progress", "in the queue", "at", "up to"),
    *("fail", "finish", "end", "start", "pass", "work", "work out", "go", "do", "take", "run"),
    *("be done", "be finished", "be ready", "be over", "finish yet", "be", "start yet", "about"),
    *("been started", "been done", "been finished", "been picked up", "been taken", "taken"),
    *("is", "is at", "is doing", "is going", "is now", "is done", "was", "stands", "went"),
    *("progress", "details", "result", "so far", "yet", "now", "ok", "still going", "cancelled"),
)
TASK_WORDS = Phrases("task", "the task", "my task", "our task", "task number", "task no")
DOING = Phrases(
    *("what are you doing", "what are you working on", "what are you up to", "what are you at"),
    *("what are you busy with", "what do you do right now", "what do you have to do"),
    *("what are you running", "are you doing anything", "are you doing something", "are you busy"),
    *("are you working on anything", "are you working on something", "are you running anything"),
    *("are you working", "are you idle", "what is running", "what is being done"),
    *("what is in progress", "what is under way", "what is underway", "what is being worked on"),
    *("is anything running", "anything running", "is something running", "running tasks"),
    *("is anything in progress", "is anything queued", "anything queued", "queued tasks"),
    *(
        "is anything waiting",
        "is anything open",
        "anything open",
        "what is open",
        "what is pending",
    ),
    *("anything pending", "is anything pending", "pending tasks", "what is waiting"),
    *("what is queued", "what is in the queue", "what is in your queue", "what is on the queue"),
    *("is anything in the queue", "is the queue empty", "is anything in your queue", "queue"),
    *("the queue", "your queue", "task queue", "the task queue", "how long is the queue"),
    *("how long is your queue", "how full is the queue", "how is the queue", "queue status"),
    *("what is the queue", "status of the queue", "what is on your plate", "what is on your list"),
    *(
        "what is on your desk",
        "what is left",
        "what is left to do",
        "what is next",
        "what is up next",
    ),
    *("what comes next", "what will you do next", "what are you doing next", "backlog"),
    *("the backlog", "what is in the backlog", "your backlog", "tasks", "the tasks", "all tasks"),
    *("your tasks", "our tasks", "task list", "the task list", "tasks list", "open tasks"),
    *("the open tasks", "all open tasks", "all the open tasks", "every open task", "current tasks"),
    *("your open tasks", "our open tasks", "active tasks", "waiting tasks", "unfinished tasks"),
    *("which tasks are open", "what tasks are open", "which tasks are running"),
    *("what tasks are running", "which tasks are queued", "what tasks are queued"),
    *("which tasks are waiting", "what tasks are waiting", "which tasks are there"),
    *("what tasks are there", "what are the open tasks", "what are the tasks", "any open tasks"),
    *("what are your tasks", "what tasks do you have", "which tasks do you have"),
    *("are there open tasks", "are there any open tasks", "are there tasks", "any tasks"),
    *("are there any tasks", "do you have any tasks", "do you have open tasks"),
    *("how many tasks are open", "how many tasks are running", "how many tasks are queued"),
    *("how many tasks are waiting", "how many tasks are there", "how many tasks do you have"),
    *("how many open tasks are there", "how many tasks are in the queue", "status of tasks"),
    *("status of the tasks", "status of all tasks", "task status", "tasks status"),
    *("how are the tasks going", "how are the tasks", "who is doing what", "who does what"),
)
DOING_FOR_ME = Phrases(
    *("my tasks", "my open tasks", "all my tasks", "all my open tasks", "my task list"),
    *("my queue", "my requests", "my open requests", "my running tasks", "my task"),
    *(
        "what did i ask for",
        "what did i ask you for",
        "what did i ask you",
        "what have i asked for",
    ),
    *("what did i ask you to do", "what have i asked you to do", "what have i asked you for"),
    *("what did i request", "what have i requested", "what did i give you", "what did i order"),
    *("what did i give you to do", "what have i given you", "what are my tasks"),
    *("what are my open tasks", "what tasks do i have", "which tasks do i have"),
    *("what tasks are mine", "which tasks are mine", "what of mine is open"),
    *("which of my tasks are open", "which of my tasks are running", "do i have open tasks"),
    *("do i have any open tasks", "do i have any tasks", "where are my tasks", "where is my task"),
    *(
        "how are my tasks",
        "how are my tasks going",
        "how are my tasks doing",
        "how is my task going",
    ),
    *("how is my task", "how is my task doing", "status of my task", "status of my tasks"),
    *("what is the status of my tasks", "what is the status of my task", "my tasks status"),
    *("what are you doing for me", "what are you working on for me", "what do i have open"),
    *("what is open for me", "what do i have in the queue", "what do i have running"),
    *("what is running for me", "how many tasks do i have", "tasks of mine", "are my tasks done"),
    *("is my task done", "is my task running", "what about my tasks", "what about my task"),
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
