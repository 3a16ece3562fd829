"""A proxy that loses answers: what was asked is done, and nobody hears of it."""

import contextlib
import socket
import threading

from tests.intake.wrapper.servers import _is_whole, _request


class DeafProxy:
    """Passes requests on, and cuts the line instead of answering as often as it is told to.

    Attributes:
        lose: how many answers to requests whose first line holds the words are lost.
        asked: first lines of the requests that were passed on.
    """

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.lose: dict[bytes, int] = {}
        self.asked: list[bytes] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while request := _request(connection):
                line = request.split(b"\r\n", 1)[0]
                self.asked.append(line)
                answer = self._ask(request)
                if self._loses(line):
                    return
                connection.sendall(answer)

    def _ask(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self._upstream)) as upstream:
            upstream.sendall(request)
            answer = b""
            while not _is_whole(answer) and (chunk := upstream.recv(1 << 16)):
                answer += chunk
            return answer

    def _loses(self, line: bytes) -> bool:
        for words, left in self.lose.items():
            if words in line and left:
                self.lose[words] = left - 1
                return True
        return False
