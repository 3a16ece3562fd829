"""The prevention rule: empty promises are refused, and no real rule ever is."""

import pytest

from faultbook.assembly.templates import template
from faultbook.base.errors import InvalidError
from faultbook.ledger.rule import check_rule, is_person
from faultbook.model.lesson import Lesson

TEMPLATE = template("incident.md").read_text("utf-8")
LEDGER = (
    Lesson(14, "Export wrote nothing", "x", "The wrapper fails any export without its file"),
    Lesson(9, "Old", "x", "Count the rows of every import by hand", retired=True),
    Lesson(26, "Vendor changed a field", "x", "Validate vendor JSON against a schema in CI."),
    Lesson(None, "New", "x", "Pin the base image by its digest in deploy.yml"),
)

EMPTY = """
Be careful
be careful!!!
BE MORE CAREFUL.
Be more careful next time
We should be more careful with deployments
Everyone must be extra careful when editing the production config
pay more attention
Pay attention to the logs
TBD
t.b.d.
todo
n/a
none
later
fix it next time
Will be fixed
To be defined
double check
Double-check everything
Double check the config before deploying
Triple check it
Check everything twice
don't forget
Don\u2019t forget
Do not forget to run the migrations
Never make this mistake again
Don't let this happen again
Remember to test
Remember to update the changelog before release
Try harder
Try to write better code
Make sure it works
Make sure this never happens again
Ensure quality
Improve monitoring
Improve communication between the teams
Better communication
Communicate better
More testing
Test more
Test better before deploying
Write more tests
Follow best practices
Follow the process
Follow the procedure next time, please
Use common sense
Think before you deploy
Watch out
Watch out for timezones
Keep an eye on the queue
Keep it in mind
Be aware of rate limits
Stay vigilant
Take more care
Remind everyone to read the docs
Train the team better
Talk to the team
Lessons learned
Avoid mistakes
Prevent this from happening again
Review code more carefully
Do it right
See ticket
See JIRA-123
https://example.test/postmortem
asdf
xxx
lorem ipsum dolor sit amet
We really must all, please, always just be very much more careful in the future from now on
Be careful and pay attention
Be more careful, and test more, and double check everything
besser aufpassen
N\u00e4chstes Mal besser aufpassen
Vorsichtiger sein
Mehr testen
Sorgf\u00e4ltiger arbeiten
Nicht vergessen
faire plus attention
\u00catre plus prudent
Ne pas oublier
tener m\u00e1s cuidado
Prestar m\u00e1s atenci\u00f3n la pr\u00f3xima vez
Hope for the best
Human error
Fix the bug
Be better
\uff22\uff45 \uff43\uff41\uff52\uff45\uff46\uff55\uff4c
be   care\u00adful
Just don't
Don't do it again
Let's be more careful about secrets
Increase awareness
Check logs
The system should work correctly
Always check the results carefully
""".strip().splitlines()

GOOD = """
Validate vendor XML against a schema in CI.
The wrapper fails any export without report.pdf (tests/test_export.py).
When a row count decides who won, run the decision on both stores in the contract tests
Tests turn warnings into errors, so a resource that is left open fails the test that left it
Use UTC everywhere
Pin dependencies
Pin image digests in deploy.yml
Never deploy on Fridays
Run migrations in CI on a copy of production before merging
Ensure backups are restored nightly by the restore job
Make sure every cron job writes a heartbeat file; the monitor alerts after 2 missed beats
Be careful when editing production config: the deploy script refuses without --confirm
Remember the previous token until the new one works; tests/test_tokens.py fails otherwise
Double-check sums: `make verify` compares both ledgers
Check that the response has Content-Type application/json before parsing
Test every release on staging with the smoke suite
Review every schema change by two engineers; branch protection requires it
Monitor queue depth and page above 1000 messages
Retry only idempotent requests
Every HTTP call has a timeout of at most 10 s
Fail the build when coverage drops below 90 %
Don't let a job write to prod without holding the lock file
Never let two replicas run the same cron slot: claim it by a unique insert
Increase the pool timeout above the query timeout
Alert when no run has closed for twice its interval
Require approval for refunds above 100 EUR
Ask two approvers for any refund
Close database connections in a finally block
Escape every outside string with `escape()` before it reaches Slack
Document each environment variable in README.md; tests/test_docs.py compares them
When the vendor changes its schema, the contract test fails
Exports without rows exit 78
Reject empty CSV files
No secrets in logs: gitleaks runs in pre-commit
Lint forbids `time.sleep` in tests
Rotate keys every 90 days by the rotate-keys job
Talk to Stripe only through the client with idempotency keys
Follow redirects only to allow-listed hosts
Try the fallback region after 3 timeouts
Tell the user which field is wrong and how to mend it
Sync the clock with chrony before the job starts
Alle Zeitstempel werden in UTC gespeichert
Der Export schl\u00e4gt fehl, wenn report.pdf fehlt
L'export \u00e9choue sans le fichier report.pdf
El despliegue falla si falta la firma
Use a merge queue
Read the row back after each write
Lock the state file before terraform apply
The agent may not run rm outside its sandbox
Parse dates with an explicit format
Fixtures are recorded, never edited by hand
Count the rows of every import by hand
\u7a7a\u306e\u30a8\u30af\u30b9\u30dd\u30fc\u30c8\u306f\u5931\u6557\u3068\u3059\u308b
report.pdf \u304c\u306a\u3044\u3068 \u5931\u6557\u3059\u308b (tests/test_export.py)
""".strip().splitlines()


def refusal(
    rule: str,
    author: str = "Ana",
    repeats: int | None = None,
    change: str | None = None,
    lessons: tuple[Lesson, ...] = LEDGER,
) -> InvalidError | None:
    try:
        check_rule(
            rule,
            author=author,
            template_words=TEMPLATE,
            lessons=lessons,
            repeats=repeats,
            enforcement_change=change,
        )
    except InvalidError as error:
        return error
    return None


def code(
    rule: str, author: str = "Ana", repeats: int | None = None, change: str | None = None
) -> str | None:
    error = refusal(rule, author, repeats, change)
    return error.code if error else None


@pytest.mark.parametrize("rule", EMPTY)
def test_an_empty_promise_is_refused(rule: str) -> None:
    assert code(rule) in {"rule_vacuous", "rule_missing"}


@pytest.mark.parametrize("rule", GOOD)
def test_a_real_rule_is_never_refused(rule: str) -> None:
    assert code(rule) is None


@pytest.mark.parametrize("rule", ["", " \t\n", "-", "...", "?!", "🧨", "\u200b"])
def test_no_rule_is_missing(rule: str) -> None:
    assert code(rule) == "rule_missing"


@pytest.mark.parametrize(
    "rule",
    [
        "One sentence a stranger can check: when X, do Y, held by Z.",
        "one sentence a stranger can check",
        "When X, do Y, held by Z",
        "Written by the named person.",
        "{{ prevention_rule | yaml }}",
        "How this detail changes what somebody does next time.",
    ],
)
def test_the_templates_words_are_no_rule(rule: str) -> None:
    assert code(rule) == "rule_template"


def test_the_words_are_those_of_the_design() -> None:
    vacuous = refusal("Be more careful")
    assert vacuous is not None
    assert vacuous.message == "“Be more careful” can't be checked."
    assert vacuous.next_step == (
        "Say what stops it, and where. Lesson 26: “Validate vendor JSON against a schema in CI.”"
    )
    words = refusal("When X, do Y, held by Z.")
    assert words is not None
    assert words.message == "These are the template's words."
    assert words.next_step.startswith("Write your own. ")
    copy = refusal("The wrapper fails any export without its file.")
    assert copy is not None
    assert copy.message == "Lesson 14 says this."
    assert copy.next_step == "Record a repeat, or say what it missed."


def test_without_a_good_rule_in_the_ledger_ours_is_shown() -> None:
    error = refusal("", lessons=(Lesson(1, "a", "b", "Be careful"),))
    assert error is not None
    assert "For example: “The wrapper fails any export without report.pdf" in error.next_step


@pytest.mark.parametrize(
    "rule",
    [
        "validate vendor JSON against a schema in CI",
        "Validate the vendor's JSON against a schema, in CI!",
        "Please always validate vendor JSON against schemas in CI",
        "In CI, validate vendor JSON against a schema",
    ],
)
def test_another_lessons_rule_is_a_copy(rule: str) -> None:
    assert code(rule) == "rule_copy"


@pytest.mark.parametrize(
    "rule",
    [
        "Validate vendor CSV against a schema in CI",
        "Validate vendor JSON against a schema at run time, too",
        "The wrapper fails any import without its file",
        "The wrapper fails any export with its file older than the run",
    ],
)
def test_a_rule_about_something_else_is_no_copy(rule: str) -> None:
    assert code(rule) is None


def test_a_repeat_may_take_up_the_rule_if_it_says_what_enforces_it_now() -> None:
    rule = "Validate vendor JSON against a schema in CI."
    assert code(rule, repeats=26) == "rule_copy"
    assert code(rule, repeats=26, change=" ") == "rule_copy"
    assert code(rule, repeats=26, change="be more careful") == "rule_copy"
    assert code(rule, repeats=26, change="CI now blocks the merge") is None
    assert code(rule, repeats=14, change="CI now blocks the merge") == "rule_copy"
    assert code("Reject unknown fields", repeats=26) is None


@pytest.mark.parametrize(
    "author",
    [
        *("", " ", "n/a", "team", "the team", "Team", "@faultbook", "Faultbook", "bot", "U", "-"),
        *("invoice-bot", "dependabot[bot]", "Platform team", "everyone", "unknown", "TBD", "CI"),
        *("agent", "release agent", "123", "me", "nobody", "Your name", "...", "the Payments Team"),
    ],
)
def test_nobody_in_person_is_no_author(author: str) -> None:
    if author == "U":
        assert is_person(author)  # a short name is a name
        return
    assert code("Pin image digests in deploy.yml", author=author) == "rule_author_missing"


@pytest.mark.parametrize(
    "author",
    [
        "Ana",
        "ana",
        "Ben Abbot",
        "Bo Li",
        "李雷",
        "@ana",
        "ana@example.test",
        "U0123ABC",
        "Zoë",
        "Ali",
    ],
)
def test_a_persons_name_is_an_author(author: str) -> None:
    assert code("Reject empty CSV files", author=author) is None


def test_what_is_worst_is_said_first() -> None:
    assert code("", author="") == "rule_missing"
    assert code("Be careful", author="") == "rule_vacuous"


@pytest.mark.timeout(20)  # a pattern that backtracks would take hours
def test_hostile_and_endless_text_does_not_hold_the_check_up() -> None:
    lessons = tuple(
        Lesson(n, "a", "b", f"The wrapper fails export {n} without file {n}.pdf")
        for n in range(10_000)
    )
    for rule in ("be " * 20_000, "a" * 50_000, "and, " * 20_000, "please " * 20_000 + "x y z"):
        refusal(rule)
    assert refusal("The wrapper fails export 77 without file 78.pdf", lessons=lessons)
