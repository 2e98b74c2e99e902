"""The real client against a real server on this machine that misbehaves as it is told."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from generation.generator import Cancelled, Composition
from generation.registry import create_generator
from generation.remote.line import Call, HttpLine, Lack, NoAnswer
from tests.generation.remote.scripted import recipe, request, sound

pytestmark = pytest.mark.e2e


@contextlib.contextmanager
def serving(act):
    """Yield the address of a server that does ``act(connection, request)`` with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def one(connection):
            with connection, contextlib.suppress(OSError):
                act(connection, _heard(connection))

        def loop():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = door.accept()
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        threading.Thread(target=loop, daemon=True).start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        door.shutdown(socket.SHUT_RDWR)


def _heard(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def whole(body, status="200 OK", more=""):
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def ask(url, seconds=5.0, largest=1 << 20, body=b"{}"):
    line = HttpLine(urlsplit(url))
    deadline = time.monotonic() + seconds
    headers = {"Authorization": "Bearer hush"}
    return line.call(
        Call(
            method="POST",
            target="/x",
            body=body,
            deadline=deadline,
            largest=largest,
            headers=headers,
        )
    )


def test_an_answer_comes_whole_however_it_is_sent():
    heard = []

    def chunked(connection, data):
        heard.append(data)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-One: a\r\n\r\n")
        for piece in (b"abc", b"de"):
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")

    with serving(chunked) as url:
        got = ask(url, body=b'{"input": "tune"}')
    assert (got.status, got.body, got.headers["x-one"]) == (200, b"abcde", "a")
    assert heard[0].endswith(b'{"input": "tune"}')
    assert b"Authorization: Bearer hush" in heard[0]
    with serving(lambda line, _: line.sendall(whole(b"x" * 300_000))) as url:
        assert len(ask(url).body) == 300_000
    with serving(lambda line, _: line.sendall(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")) as url:
        assert ask(url).body == b"until the end"
    with serving(lambda line, _: line.sendall(whole(b"", "302 Found", "Location: /y\r\n"))) as url:
        assert ask(url).status == 302


def _drip(line, _):
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        line.sendall(b"x")
        time.sleep(0.05)  # noqa: TID251 - a server's thread


def _flood(line, _):
    line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(1000):
        line.sendall(b"x" * 65_536)


def _drip_headers(line, _):
    line.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(100):
        line.sendall(b"x")
        time.sleep(0.05)  # noqa: TID251 - a server's thread


@pytest.mark.parametrize(
    ("act", "lack"),
    [
        (lambda line, _: line.recv(1), Lack.SILENT),
        (_drip, Lack.SILENT),
        (_drip_headers, Lack.SILENT),
        (_flood, Lack.HUGE),
        (
            lambda line, _: line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n"),
            Lack.HUGE,
        ),
        (
            lambda line, _: line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
            Lack.CUT,
        ),
        (lambda line, _: None, Lack.CUT),
        (lambda line, _: line.sendall(b"SSH-2.0-OpenSSH\r\n"), Lack.NONSENSE),
    ],
)
def test_what_is_no_answer_has_a_name(act, lack):
    with serving(act) as url, pytest.raises(NoAnswer) as raised:
        ask(url, seconds=1.0 if lack is Lack.SILENT else 5.0)
    assert raised.value.lack is lack


def test_nobody_there_and_no_certificate():
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    with pytest.raises(NoAnswer) as raised:
        ask(f"http://127.0.0.1:{port}")
    assert raised.value.lack is Lack.UNREACHABLE
    with serving(lambda line, _: None) as url, pytest.raises(NoAnswer) as raised:
        ask(url.replace("http", "https"), seconds=0.3)
    assert raised.value.lack is Lack.UNREACHABLE


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://[::1]/v1", ("::1", 80)),
        ("https://[2001:db8::443:9]/v1", ("2001:db8::443:9", 443)),
        ("http://[::1]:8080", ("::1", 8080)),
        ("http://music.example/v1", ("music.example", 80)),
    ],
)
def test_an_address_without_a_port_has_that_of_its_scheme(monkeypatch, url, address):
    asked = []

    def connect(where, _):
        asked.append(where)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(NoAnswer):
        ask(url)
    assert asked == [address]


@pytest.fixture
def no_names(monkeypatch):
    """Lets nobody look a name up until it is set."""
    known, asked, real = threading.Event(), threading.Event(), socket.getaddrinfo

    def slow(*args, **more):
        asked.set()
        known.wait(20)
        return real(*args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    yield known, asked
    known.set()


def test_a_name_is_not_waited_for_and_nothing_is_sent_once_it_is_known(no_names):
    known, _ = no_names
    heard = queue.Queue()
    with serving(lambda _, data: heard.put(data)) as url:
        line = HttpLine(urlsplit(url), connect=0.1)
        call = Call(method="POST", target="/", deadline=time.monotonic() + 60, largest=10)
        with pytest.raises(NoAnswer) as raised:
            line.call(call)
        assert raised.value.lack is Lack.UNREACHABLE
        known.set()
        assert heard.get(timeout=20) == b""


def test_hanging_up_ends_a_look_up_of_a_name_too(no_names):
    _, asked = no_names
    line = HttpLine(urlsplit("http://127.0.0.1:9"), connect=60.0)
    call = Call(method="GET", target="/", deadline=time.monotonic() + 60, largest=10)
    threading.Thread(target=lambda: asked.wait(10) and line.hang_up(), daemon=True).start()
    with pytest.raises(NoAnswer) as raised:
        line.call(call)
    assert raised.value.lack is Lack.HUNG_UP


def test_hanging_up_ends_a_call_at_once_and_those_to_come():
    asked = threading.Event()

    def hang(connection, _):
        asked.set()
        connection.recv(1)

    with serving(hang) as url:
        line = HttpLine(urlsplit(url))
        call = Call(method="GET", target="/", deadline=time.monotonic() + 30, largest=10)
        threading.Thread(target=lambda: asked.wait(10) and line.hang_up(), daemon=True).start()
        for _ in range(2):
            with pytest.raises(NoAnswer) as raised:
                line.call(call)
            assert raised.value.lack is Lack.HUNG_UP
        assert time.monotonic() < call.deadline - 15


def test_a_clip_from_a_real_server_and_a_batch_hung_up_on():
    asked = threading.Event()

    def act(connection, data):
        if b"hang" in data:
            asked.set()
            connection.recv(1)
        connection.sendall(whole(sound(2.0, kind="MP3")))

    def progress(done, total):
        if asked.is_set():
            raise Cancelled

    with serving(act) as url:
        generator = create_generator(recipe(url=url))
        assert isinstance(generator.generate([request()])[0], Composition)
        begin = time.monotonic()
        with pytest.raises(Cancelled):
            generator.generate([request("hang")], progress=progress)
        assert time.monotonic() - begin < 20
