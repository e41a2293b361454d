"""Makes `v1.frames`: frames of version 1 of the link, one a line: channel, name, bytes in hexadecimal.

    pip install cobs==1.2.1 crc32c==2.7.1
    python make.py

COBS and CRC-32C come from these packages; postcard's format is written down here from its specification
(https://postcard.jamesmunns.com/wire-format). `tests/tests/link_golden.rs` says what each frame means, and
holds the reader and the writer in Rust to it. What stands in `v1.frames` may never change: units that
understand it are in use. New messages are new lines.
"""

import struct
from pathlib import Path

import crc32c
from cobs import cobs


def u(number):
    """A varint, low seven bits first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def i(number):
    """A signed number, in zigzag."""
    return u(number * 2 if number >= 0 else -number * 2 - 1)


def f(number):
    return struct.pack("<f", number)


def b(data):
    return u(len(data)) + data


def s(text):
    return b(text.encode())


def seq(*items):
    return u(len(items)) + b"".join(items)


def some(item):
    return b"\x01" + item


NONE = b"\x00"
FALSE, TRUE = b"\x00", b"\x01"
HASH = bytes(range(32))
CONTROL, LOGS, BULK = 0, 1, 2


def hello(role, oldest, newest, product, board, unit):
    return u(0) + u(role) + u(oldest) + u(newest) + s(product) + s(board) + s(unit)


def ask(number, what, *fields):
    return u(1) + u(number) + u(what) + b"".join(fields)


def answer(number, what, *fields):
    return u(2) + u(number) + u(what) + b"".join(fields)


def offer(name, length, block, afresh):
    return s(name) + u(length) + HASH + u(block) + afresh


MESSAGES = [
    (CONTROL, "hello-tool", hello(0, 1, 1, "0.1.0", "", "")),
    (CONTROL, "hello-unit", hello(1, 1, 300, "0.1.0", "desk", "Schalter 7")),
    (CONTROL, "ask-health", ask(1, 0)),
    (CONTROL, "ask-sign", ask(2, 1, s("Guten Tag, Zoë"))),
    (CONTROL, "ask-offer", ask(3, 2, offer("bundle", 30_000_000_000, 1024, FALSE))),
    (CONTROL, "ask-install", ask(4, 3, HASH)),
    (CONTROL, "ask-confirm", ask(5, 4)),
    (CONTROL, "ask-roll-back", ask(6, 5)),
    (CONTROL, "ask-screenshot", ask(7, 6)),
    (CONTROL, "ask-speed", ask(128, 7, u(921600))),
    (
        CONTROL,
        "answer-health",
        answer(
            1,
            0,
            u(86400),
            s("watching"),
            f(29.5),
            u(2_500_000),
            u(3),
            seq(s("cpu-thermal") + i(61500), s("freezer") + i(-18000)),
            seq(s("vision") + u(21000) + u(48000)),
            u(5),
            u(6),
        ),
    ),
    (
        CONTROL,
        "answer-signing",
        answer(2, 1, seq(s("Zoë") + s("spelled") + s("Z O E"), s("tag") + s("lexicon") + s("TAG")), u(5400)),
    ),
    (CONTROL, "answer-take", answer(3, 2, u(4_000_000_000) + u(1024 * 77) + HASH)),
    (CONTROL, "answer-there", answer(3, 3)),
    (CONTROL, "answer-picture", answer(7, 4, u(9) + offer("screen.png", 70000, 256, TRUE))),
    (CONTROL, "answer-done", answer(5, 5)),
    (CONTROL, "answer-speed", answer(128, 6, u(921600))),
    (CONTROL, "answer-unknown", answer(8, 7, u(0))),
    (CONTROL, "answer-cannot", answer(4, 7, u(1) + s("it has no slots"))),
    (CONTROL, "got", u(3) + u(9) + u(77) + b(bytes([0, 0xFF, 0x80])) + NONE),
    (CONTROL, "got-whole", u(3) + u(9) + u(80) + b(b"") + some(u(0))),
    (CONTROL, "got-spoiled", u(3) + u(9) + u(80) + b(b"") + some(u(1) + HASH)),
    (CONTROL, "got-failed", u(3) + u(9) + u(80) + b(b"") + some(u(2) + s("its disk is full"))),
    (CONTROL, "no-transfer", u(4) + u(10)),
    (CONTROL, "caption-sign", u(5) + u(1500) + u(0) + s("HALLO") + f(0.75)),
    (CONTROL, "caption", u(5) + u(2500) + u(1) + s("HALLO ZOË") + f(0.5)),
    (CONTROL, "caption-repeat", u(5) + u(3500) + u(2) + s("") + f(0.0)),
    (LOGS, "line-error", u(0) + u(12345678901) + u(0) + s("no camera") + u(0)),
    (LOGS, "line-warn", u(0) + u(1) + u(1) + s("hot") + u(2)),
    (LOGS, "line-info", u(0) + u(0) + u(2) + s("") + u(0)),
    (LOGS, "defmt", u(1) + b(bytes(range(20))) + b(bytes([1, 0, 2, 0, 3])) + u(300)),
    (BULK, "block", u(0) + u(9) + u(70000) + b(bytes(range(256)) * 4)),
    (BULK, "block-empty", u(0) + u(0) + u(0) + b(b"")),
    (CONTROL, "ask-troubles", ask(9, 8)),
    (CONTROL, "answer-troubles", answer(9, 8, seq(s("disk") + s("its disk is full; free some space")))),
    (CONTROL, "answer-no-troubles", answer(10, 8, seq())),
]

lines = []
for channel, name, message in MESSAGES:
    plain = bytes([channel]) + message
    plain += struct.pack("<I", crc32c.crc32c(plain))
    lines.append(f"{channel} {name} {(cobs.encode(plain) + bytes(1)).hex()}\n")
(Path(__file__).parent / "v1.frames").write_text("".join(lines))
