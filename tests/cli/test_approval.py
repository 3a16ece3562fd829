"""`faultbook approval` as a program of its own: the same words on a local store and on a server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from faultbook.intake.http.app import build_app
from faultbook.model.approval_policy import Membership
from faultbook.operations import auditing
from faultbook.operations.execution import Grant, begin_execution, give_up
from tests.approving import everybody_is_there
from tests.cli.approvals import Place, new_place
from tests.intake.http.conftest import serving


@pytest.fixture(params=["store", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give the command line on a local store, and on a server."""
    found, house = new_place(tmp_path)
    if request.param == "store":
        house.close()
        yield found
        return
    parts = (house.store, house.policy, house.settings, house.routes, house.policies)
    app = build_app(*parts, everybody_is_there)
    found.tokens[""] = found.tokens["bot"]
    with serving(app) as url:
        found.url = url
        yield found
        app.state.stop_waiting()
    house.close()


def test_an_approval_goes_its_way_with_the_same_words_everywhere(place: Place) -> None:
    assert re.fullmatch(r"A-1 waits, 0 of 1, until .* UTC\.\n", place.ask())
    listed = place.approval("list").stdout
    assert listed.startswith("1 pending\n")
    asked = r"pending  A-1  refund in production   120\.00\b.*, by \S+\n +0 of 1, until"
    assert re.search(asked, listed)
    shown = place.approval("show", "1").stdout
    assert "asks to run refund in production" in shown
    assert "amount  120.00" in shown
    assert f"digest {place.digest}" in shown
    waited = place.approval("wait", "A-1", "--timeout", "0.2")
    assert (waited.returncode, waited.stdout.startswith("A-1 waits")) == (2, True)
    done = place.approval("approve", "A-1", "--digest", place.digest, who="ben")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"A-1: Approved by UBEN .*\. Waiting to run\.\n", done.stdout)
    assert place.approval("wait", "A-1").returncode == 0
    again = place.approval("approve", "A-1", "--digest", place.digest, who="chris")
    assert (again.returncode, again.stdout) == (1, "")
    assert "UBEN approved this at" in again.stderr
    assert "[already_approved]" in again.stderr


def test_a_denial_has_its_reason_and_ends_a_wait_with_1(place: Place) -> None:
    place.ask()
    bare = place.approval("deny", "A-1", who="ben")
    assert (bare.returncode, "requires a reason" in bare.stderr) == (1, True)
    denied = place.approval("deny", "A-1", "--reason", "wrong customer", who="ben")
    assert denied.stdout.endswith(": wrong customer. Nothing ran.\n")
    waited = place.approval("wait", "A-1", "--json")
    assert waited.returncode == 1
    told = json.loads(waited.stdout)
    assert (told["state"], told["decision"], told["executed"]) == ("denied", "denied", False)
    asked = place.approval("request", "refund", "c_881", "-p", "amount=120.00", "--why", "w")
    assert asked.returncode == 1  # the same again, a moment later
    assert "Denied by the loop breaker" in asked.stdout


def test_a_refusal_says_what_to_type_next(place: Place) -> None:
    place.approval("request", "transfer", "c", "--why", "w")
    words = ("approve", "A-1", "--digest", place.digest)
    bare = place.approval(*words, who="ben")
    assert (bare.returncode, 'next: Say it: --reason "…".' in bare.stderr) == (1, True)
    assert place.approval(*words, "--reason", "agreed", who="ben").returncode == 0
    again = place.approval(*words, "--reason", "agreed", who="ben")
    assert again.stderr.startswith("faultbook: You approved this before; voting again changes")
    assert "next: See whose votes are missing: faultbook approval show A-1." in again.stderr
    place.ask()
    digest = str(place.document("A-2")["digest"])
    broken = place.approval("break-glass", "A-2", "--digest", digest, "--reason", " ", who="ana")
    assert 'next: Say it: --reason "…".' in broken.stderr


def test_who_has_no_token_is_told_the_variable_that_holds_one(place: Place) -> None:
    place.ask()
    place.tokens.pop("", None)
    refused = place.approval("deny", "A-1", "--reason", "r")
    assert (refused.returncode, "[auth_required]" in refused.stderr) == (2, True)
    assert "next: Set FAULTBOOK_TOKEN" in refused.stderr
    assert "Authorization" not in refused.stderr


def test_what_was_not_seen_is_not_approved(place: Place) -> None:
    place.ask()
    for digest, code in (("0" * 12, "digest_mismatch"), ("zz" * 6, "digest_mismatch|bad_field")):
        refused = place.approval("approve", "A-1", "--digest", digest, who="ben")
        assert refused.returncode == 1
        assert re.search(code, refused.stderr)
    short = place.approval("approve", "A-1", "--digest", place.digest[:11], who="ben")
    assert (short.returncode, "[digest_required]" in short.stderr) == (2, True)
    blind = place.approval("approve", "A-1", who="ben")
    assert (blind.returncode, "Nothing says what you saw" in blind.stderr) == (2, True)
    assert place.document()["state"] == "pending"


def test_nobody_decides_but_people_with_their_own_token(place: Place) -> None:
    place.ask()
    for who in ("", "bot"):
        refused = place.approval("approve", "A-1", "--digest", place.digest, who=who)
        assert refused.returncode in {1, 2}
        assert "approvals:decide" in refused.stderr
    stranger = place.approval("deny", "A-1", "--reason", "r", who="gil")
    assert (stranger.returncode, "[not_an_approver]" in stranger.stderr) == (1, True)
    assert place.document()["votes"] == []


def test_the_owner_of_the_agent_does_not_decide(place: Place) -> None:
    place.approval("request", "refund", "c", "--why", "w", who="bot")
    refused = place.approval("deny", "A-1", "--reason", "r", who="ana")
    assert (refused.returncode, "[self_review]" in refused.stderr) == (1, True)


def test_groups_are_not_guessed_where_no_slack_is_asked(local: Place) -> None:
    local.approval("request", "deploy", "web", "--why", "w")
    refused = local.approval("approve", "1", "--digest", local.digest, who="ben")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Slack is not asked here" in refused.stderr
    house = local.house()
    newest = house.store.read(auditing.list_newest, 1)
    house.close()
    assert newest[0].kind == "vote.refused"


def test_a_policy_that_only_a_server_has_is_not_said_to_have_changed(local: Place) -> None:
    """The samples' policies are such: they name the channels of one workspace."""
    local.ask()
    (local.folder / "faultbook.toml").write_text("")
    shown = local.approval("show", "A-1").stdout
    assert "Nobody can decide it here: the policy refund-prod is not set" in shown
    digest = ("--digest", local.digest)
    for verb, *said in (("approve", *digest), ("deny",), ("break-glass", *digest)):
        refused = local.approval(verb, "A-1", *said, "--reason", "r", who="ben")
        assert (refused.returncode, refused.stdout) == (1, ""), verb
        assert "Policy `refund-prod` is not set here" in refused.stderr
        assert "FAULTBOOK_URL" in refused.stderr


def test_who_asked_takes_it_back(place: Place) -> None:
    place.ask()
    back = place.approval("cancel", "A-1")
    assert (back.returncode, "Cancelled by" in back.stdout) == (0, True)
    assert place.approval("cancel", "A-1").returncode == 1
    assert place.approval("wait", "A-1").returncode == 1
    assert "1 cancelled" in place.approval("list", "--state", "all").stdout
    nothing = place.approval("list")
    assert (nothing.stdout, nothing.stderr) == ("", "No approval is pending.\n")


def test_the_glass_is_broken_loudly_and_reviewed_by_another(place: Place) -> None:
    place.ask()
    words = ("break-glass", "A-1", "--digest", place.digest, "--reason", "the bank calls")
    assert place.approval(*words, who="ben").returncode == 1
    broken = place.approval(*words, who="ana")
    assert (broken.returncode, "without its approvers" in broken.stdout) == (0, True), broken.stderr
    assert "faultbook approval review A-1" in place.approval("show", "A-1").stdout
    own = place.approval("review", "A-1", "--note", "fine", who="ana")
    assert (own.returncode, "[own_review]" in own.stderr) == (1, True)
    assert place.approval("review", "A-1", "--note", "fine", who="ben").returncode == 0
    assert place.document()["review_due_at"] is None


def test_what_nobody_knows_is_said_and_recorded_once(local: Place) -> None:
    local.ask()
    local.approval("approve", "A-1", "--digest", local.digest, who="ben")
    house = local.house()
    asked, members = str(local.document()["digest"]), {"UBEN": Membership("UBEN")}
    agent = str(local.document()["agent"])
    grant = house.store.write(begin_execution, 1, asked, agent, members, house.policies)
    assert isinstance(grant, Grant), grant
    assert local.approval("wait", "A-1", "--timeout", "0").returncode == 2
    house.store.write(give_up, 1, "clock", "nobody reported by the deadline")
    house.close()
    waited = local.approval("wait", "A-1")
    assert waited.returncode == 2
    assert "Outcome unknown. It may have happened; it will not be repeated." in waited.stdout
    assert local.approval("outcome", "A-1", "--words", "w", who="ben").returncode == 2
    words = ("outcome", "A-1", "--did-not-happen", "--words", "no refund at the bank")
    done = local.approval(*words, who="ben")
    assert (done.returncode, "Approved, but failed: no refund at the bank" in done.stdout) == (
        0,
        True,
    )
    again = local.approval("outcome", "A-1", "--happened", "--words", "w", who="ben")
    assert (again.returncode, "[outcome_known]" in again.stderr) == (1, True)


def test_parameters_come_as_pairs_or_as_a_file(place: Place) -> None:
    told = json.dumps({"lines": [{"sku": "a"}], "count": 2, "note": "\u202egnp.exe"})
    words = ("request", "refund", "c", "--why", "w", "--parameters", "-", "-p", "amount=1.00")
    assert place.approval(*words, stdin=told).returncode == 0
    action = place.document()["action"]
    assert isinstance(action, dict)
    assert action["parameters"] == {
        "lines": [{"sku": "a"}],
        "count": 2,
        "note": "\u202egnp.exe",
        "amount": "1.00",
    }
    shown = place.approval("show", "A-1").stdout
    assert "\u202e" not in shown
    assert "\\u202egnp.exe" in shown


@pytest.mark.parametrize(
    ("words", "stdin", "code"),
    [
        (("-p", "amount"), "", "bad_parameters"),
        (("-p", "a=1", "-p", "a=2"), "", "bad_parameters"),
        (("--parameters", "-"), "[1]", "bad_parameters"),
        (("--parameters", "-"), '{"a": 1, "a": 2}', "bad_parameters"),
        (("--parameters", "-"), '{"a": 1.5}', "float_in_action"),
        (("--parameters", "-"), '{"a": NaN}', "float_in_action|bad_parameters|malformed_json"),
        (("--parameters", "-"), '{"a": "\\ud800"}', "malformed_json|unfit_in_action"),
        (("--parameters", "nothing.json"), "", "bad_parameters"),
        (("-p", "password=hunter2!"), "", "secret_in_action"),
        (("-p", f"a={'x' * 65_000}"), "", "action_too_large"),
        (("--task", "T-9"), "", "task_not_found"),
        (("--supersedes", "A-9"), "", "approval_not_found"),
        (("--webhook", "http://localhost/x"), "", "no_webhooks"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_with_what_to_do(
    local: Place, words: tuple[str, ...], stdin: str, code: str
) -> None:
    refused = local.approval("request", "refund", "c", "--why", "w", *words, stdin=stdin)
    assert refused.returncode == 2
    assert re.search(rf"\[(?:{code})\]", refused.stderr), refused.stderr
    assert "Traceback" not in refused.stderr
    assert local.approval("list", "--state", "all").stdout == ""


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (("--why", ""), "", "`why` is empty. [bad_field]\n    next: Fill it in;"),
        (("--why", " "), "", "`why` is empty. [bad_field]\n    next: Fill it in;"),
        (("--parameters", "-"), "[1]", "Standard input holds no JSON object."),
        (("--parameters", "-"), "{", "Standard input can't be read as JSON: Expecting"),
        (("--parameters", "/nope.json"), "", "/nope.json is not there. ["),
        (("--parameters", "."), "", ". can't be read: Is a directory. ["),
    ],
)
def test_what_was_given_is_named_as_who_typed_it_knows_it(
    local: Place, words: tuple[str, ...], stdin: str, said: str
) -> None:
    refused = local.approval("request", "refund", "c", "--why", "w", *words, stdin=stdin)
    assert refused.returncode == 2
    assert said in refused.stderr


@pytest.mark.parametrize("verb", ["show", "wait", "cancel"])
@pytest.mark.parametrize(
    ("name", "code"), [("A-99", "approval_not_found"), ("x", "bad_approval_id")]
)
def test_what_is_not_there_is_named(place: Place, verb: str, name: str, code: str) -> None:
    told = place.approval(verb, name)
    assert told.returncode in {1, 2}
    assert f"[{code}]" in told.stderr
