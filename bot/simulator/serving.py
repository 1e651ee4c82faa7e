"""Serving an application of the simulator on this machine for the length of a block."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

LOOPBACK = "127.0.0.1"


class PortTaken(Exception):
    """Something else listens there already."""


@contextmanager
def serving(app: ASGIApp, port: int = 0, before_end: Callable[[], None] | None = None) -> Iterator[str]:
    """Serve on loopback, by default on a free port; gives the address. Raises PortTaken.

    `before_end` lets go of requests that are held open, so that the end need not cut them.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            raise PortTaken(f"port {port}: {error.strerror}") from error
        # Callers may come before the server's loop runs: they wait in the queue.
        listener.listen()
        config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True)
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            if before_end:
                before_end()
            server.should_exit = True
            thread.join()
    finally:
        listener.close()
