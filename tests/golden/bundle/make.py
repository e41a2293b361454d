"""Makes `v1.bundle`, `v1.delta.bundle` and `trusted.pub`: bundles of format 1, and the key that they are signed with.

    pip install zstandard==0.25.0 cryptography==50.0.2
    python make.py

Ed25519 and zstd come from these packages and BLAKE2b from Python; minisign's format is written down here from
its description (https://jedisct1.github.io/minisign/), and the bundle's from `models/src/bundle/mod.rs`.
`tests/tests/bundle.rs` holds the reader in Rust to them. They may never change: units have such bundles.
"""

import hashlib
import json
import struct
from base64 import b64encode
from pathlib import Path

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = Path(__file__).parent
KEY_ID = b"golden01"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

OLD = {"signpost": b"the program of version one, " * 40, "weights/a/model.onnx": bytes(range(256)) * 4}
NEW = {"signpost": OLD["signpost"] + b"and what is new in it", "weights/a/model.onnx": OLD["weights/a/model.onnx"],
       "weights/b/ä.txt": "only in version two: ü".encode()}


def sha(data):
    return hashlib.sha256(data).hexdigest()


def minisign(message, comment):
    signature = KEY.sign(hashlib.blake2b(message, digest_size=64).digest())
    everything = KEY.sign(signature + comment.encode())
    return (f"untrusted comment: golden\n{b64encode(b'ED' + KEY_ID + signature).decode()}\n"
            f"trusted comment: {comment}\n{b64encode(everything).decode()}\n").encode()


def bundle(files, against):
    entries, payload = [], b""
    for name in sorted(files):
        data, old = files[name], against.get(name)
        if old == data:
            packed = "kept"
        elif old is None:
            frame = zstandard.ZstdCompressor(level=3).compress(data)
            packed = {"whole": {"size": len(frame), "sha256": sha(frame)}}
            payload += frame
        else:
            prefix = zstandard.ZstdCompressionDict(old, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
            frame = zstandard.ZstdCompressor(level=3, dict_data=prefix).compress(data)
            packed = {"delta": {"size": len(frame), "sha256": sha(frame), "from": sha(old)}}
            payload += frame
        entries.append({"name": name, "size": len(data), "sha256": sha(data),
                        "executable": name == "signpost", "packed": packed})
    manifest = json.dumps({"board": "desk", "version": "0.2.0", "least": "0.1.0", "downgrade": False,
                           "files": entries}, ensure_ascii=False).encode()
    signature = minisign(manifest, "signpost 0.2.0 for desk")
    return b"SIGNPOST" + struct.pack("<III", 1, len(signature), len(manifest)) + signature + manifest + payload


public = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
(HERE / "trusted.pub").write_text(f"untrusted comment: golden\n{b64encode(b'Ed' + KEY_ID + public).decode()}\n")
(HERE / "v1.bundle").write_bytes(bundle(NEW, {}))
(HERE / "v1.delta.bundle").write_bytes(bundle(NEW, OLD))
