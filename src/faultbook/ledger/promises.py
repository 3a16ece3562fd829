"""Empty promises: rules that nobody could ever find broken.

Two ways to see one. A clause that opens like a promise ("be careful", "remember to", "we should pay
more attention when …") is one, whatever follows. And a rule of which nothing is left when filler
and promise words are taken out says nothing. A rule is empty when all of its clauses are; a clause
that says what holds it (a path, code, a number, a test, a gate) saves the rule.
"""

import re
import unicodedata

from faultbook.ledger.similar import tokens

_FILLER = """
a an the this that these those it its i we you they he she us them our your my their his her
everyone everybody someone anyone nobody team people all any each every some one ones whole be is
are was were been being am do does did doing done have has had having get got let lets will would
shall should must can could may might need needs needed want ought going gonna to of in on at by
for from with without into onto over under about as and or but so then than if when while before
after during until since because once again next first last time times future now today tomorrow
soon later always never ever not no dont doesnt wont cant more most less much many very really
truly extra even just simply only also too please kindly actually basically definitely absolutely
certainly surely clearly obviously seriously honestly literally generally usually often sometimes
here there where which who what how why something anything everything nothing thing things stuff
etc way ways bit lot lots little own other others another same such new old hopefully yes ok okay
onwards forward onward moving ahead henceforth
"""
_PROMISE = """
careful carefully carefulness care caring attention attentive attentively mindful mindfully aware
awareness vigilant vigilance diligent diligence diligently cautious caution cautiously alert watch
watchful look looking out eye eyes focus focused concentrate remember forget forgetting forgotten
mind keep kept bear pay paying avoid avoided avoiding prevent prevented preventing prevention
ensure ensuring make makes making made sure certain improve improved improves improving
improvement improvements better best good well great right correct correctly proper properly
appropriate appropriately thorough thoroughly rigorous rigorously quality fix fixed fixes fixing
solve solved resolve resolved check checks checked checking double triple recheck twice verify
verified verifying verification test tests tested testing review reviews reviewed reviewing
monitor monitored monitoring communicate communicates communicating communication discuss talk
align alignment sync think thinking thought try trying tried effort efforts hard harder strive aim
learn learned learning learnt lesson lessons mistake mistakes error errors bug bugs issue issues
problem problems incident incidents failure failures fail fails happen happens happened happening
repeat repeated repeating occur occurs recur work works working worked job smart smarter smartly
write writing written code coding change changes process processes practice practices follow
followed following procedure procedures guideline guidelines rule rules standard standards
documentation document docs tbd todo tba tbc wip pending na none null nil unknown undefined unsure
idk dunno placeholder foo bar baz xxx asdf qwerty lorem ipsum dolor sit amet consectetur
adipiscing elit prudent sensible reasonable responsible responsibility accountable ownership
discipline disciplined professional proactive proactively robust reliable stable safe safely
safety human hope pray luck patience patient slow slowly slower down rush rushing hurry calm
handle handled handling manage managed deal take taking use using give giving put stay remain
become act acting behave step steps action actions needed required necessary important critical
crucial essential matter matters see above below ticket ticketed tracked filed jira sprint release
version done add added adding common sense n o
"""
_PROMISE_ELSEWHERE = """
besser mehr aufpassen pass auf vorsichtig vorsichtiger vorsicht sein seien nachstes nachsten mal
beim sorgfaltig sorgfaltiger arbeiten prufen uberprufen testen genau genauer hinschauen daran
denken nicht vergessen zukunft immer wir mussen sollten sollen bitte alles noch einmal doppelt
kontrollieren machen es das der die den dem und im in mit richtig acht geben achten achtgeben
aufmerksam aufmerksamer gut gewissenhaft gewissenhafter nie wieder passieren darf soll muss fehler
vermeiden faire plus attention etre prudent prudente vigilant vigilante attentif attentive ne pas
oublier mieux tester verifier a definir la le les prochaine fois il faut toujours bien controler
deux eviter erreur erreurs de du des refaire nous devons tener tenga tengan mas cuidado prestar
atencion ser cuidadoso cuidadosos no olvidar por probar mejor el los las proxima vez hay que
siempre revisar evitar errores debemos dos veces
"""
_EMPTY = frozenset(f"{_FILLER} {_PROMISE} {_PROMISE_ELSEWHERE}".split())
_ADVERBS = (
    r"(?:(?:a|bit|lot|little|more|most|much|very|really|extra|super|far|always|all|even|the|our|"
    r"better|closer|close|special|enough|greater|great|good|ever|so|as|just|still)\s+)*"
)
_CAREFUL = (
    r"(?:careful|cautious|attentive|mindful|aware|vigilant|diligent|alert|thorough|conscious|"
    r"proactive|responsible|disciplined|rigorous|patient|considerate|watchful|prudent|meticulous|"
    r"conscientious|smarter|wiser|better|warned|observant|sensible)"
)
_OPENINGS = (
    rf"(?:be|being|stay|staying|remain|become|get|act)\s+{_ADVERBS}{_CAREFUL}\b",
    rf"(?:pay|paying|give|giving)\s+{_ADVERBS}(?:attention|heed|care|thought|focus)\b",
    rf"(?:take|taking|use|exercise|apply|with)\s+{_ADVERBS}(?:care|caution|diligence|precautions?)\b",
    r"(?:double|triple)\s+check",
    r"(?:watch|look)\s+out\b",
    r"(?:keep|have)\s+(?:a|an|one)?\s*(?:close\s+|closer\s+|better\s+)?eye\b",
    r"(?:keep|bear)\s+(?:\w+\s+)?in\s+mind\b",
    r"(?:dont|do\s+not|never|not|lets\s+not)\s+(?:ever\s+)?(?:forget|repeat|rush|panic)\b",
    (
        r"(?:dont|do\s+not|never|not|lets\s+not)\s+(?:ever\s+)?(?:let|allow|make|do)\s+"
        r"(?:it|this|that|these|the\s+same|such|mistakes?|errors?)\b"
    ),
    r"(?:beware|aim|strive|hope|concentrate|focus|endeavou?r)\b",
    r"(?:remember|recall)\s+(?:to|that|not|this|it|next)\b",
    r"(?:mind|try)\s+(?:to|harder|better|not|again|and|that|your)\b",
    r"think\s+(?:before|twice|about|harder|ahead|first|carefully|again)\b",
    r"consider\s+(?:all|every|more|carefully|the\s+(?:impact|consequences|risks?|side))\b",
    r"(?:make|making)\s+(?:a|an|every|more|some)\s+(?:\w+\s+)?(?:effort|habit|point)\b",
    r"(?:improve|improving|enhance|better)\b",
    (
        r"(?:increase|raise|more|strengthen)\s+(?:the\s+|our\s+)?(?:awareness|vigilance|attention|care|"
        r"communication|quality|focus|discipline|caution|monitoring|testing|tests|reviews?)\b"
    ),
    (
        rf"(?:remind|train|educate|teach|tell|coach|sensiti[sz]e|inform)\s+{_ADVERBS}(?:\w+\s+)?"
        r"(?:everyone|everybody|teams?|staff|developers?|engineers?|devs|colleagues?|them|"
        r"all|ourselves|juniors?)\b"
    ),
    (
        r"(?:talk|communicate|discuss|align|sync|coordinate)(?:\s*$|\s+(?:more|better|earlier|early|"
        r"often|regularly|closely|openly|it|this|that|things|changes|everything)\b|"
        r"\s+(?:with|to|within|between|across)\s+(?:the\s+|our\s+)?"
        r"(?:teams?|each|others?|everyone|everybody|colleagues?|people)\b)"
    ),
    (
        r"(?:will|to|should|must)?\s*be\s+(?:fixed|done|handled|resolved|addressed|decided|defined|"
        r"determined|improved)\b"
    ),
    r"(?:see|cf|tracked|ticket|filed)\s+(?:in|the|ticket|jira|issue|filed|a)\b",
    r"follow\s+(?:up|best|(?:the\s+|our\s+)?(?:process|procedure|rules?|guidelines?|standards?))\b",
    r"(?:vorsichtig\w*|sorgf[aä]ltig\w*|aufmerksam\w*|gewissenhaft\w*)\s+(?:sein|arbeiten|prufen)\b",
    r"(?:besser|mehr|immer|gut|genauer)?\s*(?:aufpassen|achtgeben|hinschauen)\b",
    r"(?:nicht|daran)\s+(?:vergessen|denken)\b",
    r"(?:toujours\s+)?(?:faire|fait|faites|faisons)\s+(?:plus\s+|bien\s+|tres\s+)?attention\b",
    r"etre\s+(?:plus\s+|tres\s+)?(?:prudente?s?|vigilante?s?|attenti\w+|rigoureu\w+)\b",
    r"ne\s+(?:pas|plus|jamais)\s+oublier\b",
    r"(?:tener|ten|tenga|tengan)\s+(?:mas\s+|mucho\s+|mayor\s+)?cuidado\b",
    r"(?:prestar|poner)\s+(?:mas\s+|mucha\s+|mayor\s+)?atencion\b",
    r"(?:ser|estar)\s+(?:mas\s+|muy\s+)?(?:cuidadoso\w*|atento\w*|prudente\w*)\b",
    r"no\s+olvid\w+\b",
)
_OPENING = re.compile("|".join(f"(?:{opening})" for opening in _OPENINGS))
_LEAD = re.compile(
    r"(?:(?:please|we|i|you|they|everyone|everybody|team|all|the|should|must|shall|will|need|needs|"
    r"have|has|ought|to|just|really|always|simply|definitely|next|time|in|future|from|now|on|"
    r"going|forward|and|so|then|also|or|lets|let|us|people|developers|engineers|devs|be|sure|make|"
    r"everybodys|kindly|again|first|must|rule|lesson|prevention|be\s+sure)\s+)*?"
)
_CLAUSE = re.compile(r"[;:!?.,]\s+|\s[-\u2013\u2014]+\s|[()\n&]|\band\b|\bthen\b")
_WORD = re.compile(r"\w+\s+")
_ANCHOR = re.compile(
    r"`[^`]+`|\b[\w-]+/[\w./-]+|\b\w+\.(?:py|js|ts|go|rs|rb|java|sh|ya?ml|toml|json|sql|md|pdf|csv|"
    r"html?|cfg|ini|tf|ipynb)\b|(?<!\S)--?[a-z][\w-]+|\b\d+(?:[.,]\d+)?\s*(?:%|[a-z]{1,3}\b|[A-Z]{3})"
)
_LINK_OR_TICKET = re.compile(r"https?://\S+|\b[A-Z][A-Z0-9]+-\d+\b|#\d+\b")
# Chinese, Japanese and Korean put no blanks between words: so many signs are more than a promise.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{8,}")
_LEAST = 2


def is_promise(rule: str) -> bool:
    """Tell whether a rule is an empty promise, in English or one of its commonest translations."""
    text = rule if rule.isascii() else unicodedata.normalize("NFKC", rule)
    clauses = _CLAUSE.split(_LINK_OR_TICKET.sub(" ", text))
    return all(_is_empty(clause) for clause in clauses)


def _is_empty(clause: str) -> bool:
    said = tokens(clause)
    rest = {word for word in said if _says_something(word)}
    if any(_UNSPACED.search(word) for word in rest):
        return False
    if len(rest) >= _LEAST and not _opens_like_a_promise(" ".join(said)):
        return False
    return not rest or _ANCHOR.search(clause) is None


def _says_something(word: str) -> bool:
    is_letter = len(word) == 1 and word.isascii()
    return word not in _EMPTY and not is_letter and not word.isdigit()


def _opens_like_a_promise(said: str) -> bool:
    lead = _LEAD.match(said)
    at = lead.end() if lead else 0
    while _OPENING.match(said, at) is None:
        word = _WORD.match(said, at)
        if word is None or not _LEAD.fullmatch(word[0]):
            return False
        at = word.end()
    return True
