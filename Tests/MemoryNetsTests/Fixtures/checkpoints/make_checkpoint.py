"""Writes a checkpoint of format version 1 from its description, docs/checkpoint-format.md.

Needs the packages numpy, xxhash and zstandard.

python3 make_checkpoint.py checkpoint-v1.ckpt
"""
import json
import struct
import sys

import numpy as np
import xxhash
import zstandard

IDENTITY = bytes.fromhex("0123456789abcdef00112233445566ff")
STEP = 1234
BLOCK = 1 << 20
BYTE, FLOAT, DOUBLE = 1, 2, 3


def frame(data, size):
    shuffled = b"".join(
        np.frombuffer(data[i:i + BLOCK], np.uint8).reshape(-1, size).T.tobytes()
        for i in range(0, len(data), BLOCK))
    return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(shuffled)


def checkpoint(precision, sections):
    table, frames = b"", b""
    for name, kind, shape, data in sections:
        stored = frame(data, {BYTE: 1, FLOAT: 4, DOUBLE: 8}[kind])
        table += struct.pack("<H", len(name)) + name.encode()
        table += struct.pack("<BB", kind, len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        table += struct.pack("<QQQ", len(data), len(stored), xxhash.xxh3_64_intdigest(stored))
        frames += stored
    size = 48 + len(table) + 8
    header = b"memsweep" + struct.pack("<II", 1, size) + IDENTITY
    header += struct.pack("<QII", STEP, precision, len(sections)) + table
    return header + struct.pack("<Q", xxhash.xxh3_64_intdigest(header)) + frames


def main():
    layout = {"parameters": [
        {"group": "controller", "name": "layer0.W_x", "offset": 0, "shape": [3, 4]},
        {"group": "readout", "name": "readout.b", "offset": 12, "shape": [5]}]}
    weights = (np.arange(17) * 0.25 - 1).astype(np.float32)
    layout = json.dumps(layout, separators=(",", ":")).encode()
    large = np.arange(140_000, dtype=np.float64)
    with open(sys.argv[1], "wb") as file:
        file.write(checkpoint(4, [
            ("layout", BYTE, [len(layout)], layout),
            ("weights", FLOAT, [17], weights.tobytes()),
            ("carried_state", BYTE, [0], b""),
            ("large", DOUBLE, [280, 500], large.tobytes())]))


main()
