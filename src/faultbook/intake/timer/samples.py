"""The samples of `make run`: jobs, each started through `faultbook run`, and an agent."""

import asyncio
import contextlib
import shutil
import signal
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger()

_GRACE_SECONDS = 2.0
_AGENT_RESTS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SampleJob:
    """One sample job.

    Attributes:
        every: seconds between its starts, and how often it says it is due.
        runs: how often it runs at all; None for as long as the bot does.
        leftover: a file that lies in its place from before its first run.
    """

    workflow: str
    every: float
    script: str
    artifacts: tuple[str, ...] = ()
    grace: float = 30
    runs: int | None = None
    leftover: str | None = None


def read_jobs(path: Path) -> list[SampleJob]:
    """Read the sample jobs' file."""
    told = tomllib.loads(path.read_text("utf-8"))["job"]
    return [SampleJob(**(job | {"artifacts": tuple(job.get("artifacts", ()))})) for job in told]


class SampleJobs:
    """Starts the sample jobs at their times until it is stopped."""

    def __init__(self, folder: Path, work: Path, branch: str, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._work = work
        self._branch = branch
        self._environ = dict(environ) | {"SAMPLE_PYTHON": sys.executable}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start every job once, then at its interval."""
        for job in read_jobs(self._folder / "jobs.toml"):
            self._tasks.append(asyncio.create_task(self._repeat(job)))

    async def stop(self) -> None:
        """End what runs and start nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, job: SampleJob) -> None:
        done = 0
        while job.runs is None or done < job.runs:
            await self._run(job)
            done += 1
            await asyncio.sleep(job.every)

    async def _run(self, job: SampleJob) -> None:
        place = self._work / job.workflow
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(self._folder / job.script, place / job.script)
        if job.leftover is not None and not (place / job.leftover).exists():
            shutil.copy(self._folder / job.leftover, place / job.leftover)
        command = [sys.executable, "-m", "faultbook", "run", "--workflow", job.workflow]
        command += ["--environment", "demo", "--branch", self._branch]
        command += ["--every", str(job.every), "--grace", str(job.grace), "--timeout", "60"]
        for artifact in job.artifacts:
            command += ["--artifact", artifact]
        process = await asyncio.create_subprocess_exec(
            *command,
            "--",
            "sh",
            job.script,
            cwd=place,
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        code = await _ended(process)
        log.info("sample_job_ended", workflow=job.workflow, exit_code=code)


class SampleAgent:
    """Keeps the sample agent running, a process that knows the bot by its HTTP API alone."""

    def __init__(self, script: Path, work: Path, environ: Mapping[str, str]) -> None:
        self._script = script
        self._work = work
        self._environ = dict(environ)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start it, and again whenever it ends."""
        self._task = asyncio.create_task(self._keep(), name="sample-agent")

    async def stop(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        self._work.mkdir(parents=True, exist_ok=True)
        while True:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(self._script),
                cwd=self._work,
                env=self._environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            code = await _ended(process)
            # Ctrl-C reaches the agents too, mostly before the bot has begun to stop.
            if code != -signal.SIGINT:
                log.warning("sample_agent_ended", exit_code=code)
            await asyncio.sleep(_AGENT_RESTS_SECONDS)


async def _ended(process: asyncio.subprocess.Process) -> int:
    """Wait for a process; it ends with whoever waits."""
    try:
        return await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.wait()
        except TimeoutError:  # an agent that waits for people finishes its task first
            process.kill()
            await process.wait()
        raise
