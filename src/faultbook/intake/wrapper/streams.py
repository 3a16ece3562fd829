"""Passing a job's output on, byte for byte, while its end is kept.

One thread a stream, so that a reader who is slow on one does not hold the other. A reader who has
gone is passed on too: the job's own pipe is closed, and it gets SIGPIPE as it would without us.
"""

import contextlib
import errno
import os
import select
import threading
import time

LINGER_SECONDS = 2.0
"""How long output is awaited after the job ended, when something it started holds its pipes."""

_CHUNK = 1 << 16
# More than is recorded in the end, so that a secret that begins before that is still seen whole.
_RAW_TAIL_BYTES = 32_768
# A pipe holds less than this, so what the job itself wrote has been read after as much.
_MOST_A_PIPE_HOLDS = 1 << 20
_GONE = frozenset({errno.EPIPE, errno.ECONNRESET})


class Tail:
    """The end of a stream, in constant memory."""

    def __init__(self) -> None:
        self._bytes = b""

    def take(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._bytes = (self._bytes + chunk)[-_RAW_TAIL_BYTES:]

    def text(self) -> str:
        """Give it as text, not redacted yet."""
        return self._bytes.decode("utf-8", "replace").replace("\r\n", "\n")


class Relay:
    """Copies one stream of the job to where it would have gone without us.

    Args:
        source: what the job writes into; closed by the relay at the end.
        sink: one of our own standard streams.
        ended: readable (hung up) as soon as the job has ended.
        tail: keeps the end of it; None for what is typed, which ends with the job.
    """

    def __init__(self, source: int, sink: int, ended: int, tail: Tail | None) -> None:
        self._source = source
        self._sink = sink
        self._ended = ended
        self._tail = tail
        self._lost = False
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"relay-{sink}")

    @property
    def lost_output(self) -> bool:
        """Tell that some output could not be written, a full disk for one."""
        return self._lost

    def start(self) -> None:
        """Start copying."""
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Wait until all that the job itself wrote has been passed on; False if it takes longer."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            if self._copy_while_running() and self._tail is not None:
                self._copy_the_rest()
        finally:
            with contextlib.suppress(OSError):
                os.close(self._source)

    def _copy_while_running(self) -> bool:
        """Copy until the job has ended; False when the stream itself is at its end."""
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        poll.register(self._ended, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            if self._ended in ready:
                return True
            if not self._copy_chunk():
                return False

    def _copy_the_rest(self) -> None:
        """Copy what the job itself wrote, and what follows within a moment."""
        deadline, copied = time.monotonic() + LINGER_SECONDS, 0
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 and copied > _MOST_A_PIPE_HOLDS:
                return
            if not poll.poll(max(0, left) * 1000):
                return
            count = self._copy_chunk()
            if not count:
                return
            copied += count

    def _copy_chunk(self) -> int:
        """Pass the next bytes on; 0 at the end of the stream or when the reader has gone."""
        try:
            chunk = os.read(self._source, _CHUNK)
        except OSError:  # EIO: the last holder of a pseudo-terminal has closed it
            return 0
        if self._tail is not None:
            self._tail.take(chunk)
        return len(chunk) if self._write(chunk) else 0

    def _write(self, chunk: bytes) -> bool:
        """Write all of it; False when nobody reads any longer."""
        view = memoryview(chunk)
        while view and not self._lost:
            try:
                view = view[os.write(self._sink, view) :]
            except BlockingIOError:  # our stream was handed to us non-blocking
                poll = select.poll()
                poll.register(self._sink, select.POLLOUT)
                poll.poll()
            except OSError as error:
                if error.errno in _GONE:
                    return False
                self._lost = True  # a full disk, a terminal that is gone: the job goes on
        return True
