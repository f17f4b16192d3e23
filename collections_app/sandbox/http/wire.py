"""Send an answer on a socket: in one write, or in one of the ways a connection can fail."""

import os
import socket
import struct
from http import HTTPStatus
from threading import Event
from typing import Protocol

from collections_app.sandbox.http.answer import Answer

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on with no time: close() sends RST


class Connection(Protocol):
    """The part of a request handler that is needed here."""

    connection: socket.socket
    close_connection: bool


def send(handler: Connection, answer: Answer, *, stopping: Event) -> None:
    """Send an answer in the way it specifies; a wait ends early if the server stops."""
    if answer.delay:
        stopping.wait(answer.delay)
    if answer.manner == "hang":
        handler.close_connection = True
        return
    head = _head(answer, close=handler.close_connection)
    if answer.manner == "drip":
        _drip(handler, head, answer, stopping)
    elif answer.manner == "reset":
        _reset(handler, head + answer.body[: len(answer.body) // 2])
    else:
        handler.connection.sendall(head + answer.body)


def _head(answer: Answer, *, close: bool) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += [f"Content-Type: {answer.content_type}", f"Content-Length: {len(answer.body)}"]
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"  # 520 and 524 are Cloudflare's own


def _drip(handler: Connection, head: bytes, answer: Answer, stopping: Event) -> None:
    handler.connection.sendall(head)
    for start in range(0, len(answer.body), answer.drip_bytes):
        if stopping.wait(answer.drip_interval):
            handler.close_connection = True
            return
        handler.connection.sendall(answer.body[start : start + answer.drip_bytes])


def _reset(handler: Connection, part: bytes) -> None:
    handler.connection.sendall(part)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    handler.close_connection = True
    # At once, through the descriptor: the base class would send FIN first.
    os.close(handler.connection.detach())
