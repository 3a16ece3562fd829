"""The probe behind `/healthz`: a real verdict is written, and read back by another transaction."""

from faultbook.base.clock import MINUTE, Instant
from faultbook.model.evidence import Artifact, Check
from faultbook.model.judge import Outcome
from faultbook.model.policy import Policy
from faultbook.model.run import RunEnd, RunStart, RunType, SeriesKey
from faultbook.model.verdict import Verdict
from faultbook.operations.recording import prepare_whole, read_run, record_runs
from faultbook.store import runs
from faultbook.store.transaction import Transaction

WORKFLOW = "faultbook-probe"
"""Its runs are replays, so that they make no standing."""

_KEPT: Instant = 5 * MINUTE  # longer than any replica takes to read its own back
# The probe's evidence is this line; its digest is part of what is read back.
_EVIDENCE = Artifact(
    "probe",
    Check.VERIFIED,
    sha256="3fc9b689459d738f8c88a3a48aa9e33542016b7a4052e001aaa536fca74813cb",
    size=9,
    excerpt="something",
)


def write_probe(tx: Transaction, policy: Policy) -> str:
    """Record a passed run of the probe, forget its older ones, and give the new one's id."""
    key = SeriesKey(WORKFLOW, policy.default_environment, policy.main_branch)
    start = RunStart(key, tx.now, tx.now, run_type=RunType.REPLAY)
    end = RunEnd(tx.now, Outcome(exit_code=0, artifacts=(_EVIDENCE,)))
    [run_id] = record_runs(tx, [prepare_whole(start, end, policy)])
    runs.forget_replays(tx, key, before=tx.now - _KEPT)
    return run_id


def read_probe(tx: Transaction, run_id: str) -> Instant | None:
    """Read a probe's verdict back: when it was written, or None where it is not what was."""
    run = read_run(tx, run_id)
    return run.closed_at if run.verdict is Verdict.PASSED else None
