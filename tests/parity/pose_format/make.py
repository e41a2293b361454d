"""Makes the fixtures that hold our `.pose` reader and writer to the Python package pose-format.

    python3 -m venv venv
    venv/bin/pip install --no-deps pose-format==0.15.0 numpy==2.4.6 tqdm==4.70.1
    venv/bin/python make.py MEDIAPIPE_WHEEL [POSES]

MEDIAPIPE_WHEEL is the wheel of mediapipe 0.10.21 that set-up brings: pose-format
takes names and limbs from it. Only four of its source files are read, nothing of
it is installed. POSES is the folder `poses` of the real data.

Written are `files/*.pose` (synthetic, a few hundred bytes each) and
`expected.json`. Of the real data it holds shapes and hashes only. What a hash is
taken over stands at the functions below; `tests/tests/pose_file.rs` does the same
in Rust.
"""

import enum
import hashlib
import io
import json
import struct
import sys
import types
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
VERSION = "0.15.0"
assert version("pose-format") == VERSION, f"install pose-format=={VERSION}"


def mediapipe_tables(wheel):
    """Stands in for the package mediapipe: its tables of landmarks and limbs."""
    with zipfile.ZipFile(wheel) as z:
        source = lambda name: z.read(f"mediapipe/python/solutions/{name}.py").decode()
        texts = {n: source(n) for n in ("face_mesh_connections", "pose_connections", "hands_connections", "pose", "hands")}

    def module(name):
        m = types.ModuleType(f"mediapipe.python.solutions.{name}")
        exec(texts[name], m.__dict__)
        sys.modules[m.__name__] = m
        return m

    def landmarks(name, cls):
        body = texts[name][texts[name].index(f"class {cls}"):]
        scope = {"enum": enum}
        exec(body[:body.index("\n\n\n")], scope)
        return scope[cls]

    for name in ("mediapipe", "mediapipe.python", "mediapipe.python.solutions"):
        sys.modules[name] = types.ModuleType(name)
    face, pose, hands = (module(n) for n in ("face_mesh_connections", "pose_connections", "hands_connections"))
    sys.modules["mediapipe"].solutions = types.SimpleNamespace(holistic=types.SimpleNamespace(
        FACEMESH_CONTOURS=face.FACEMESH_CONTOURS, FACEMESH_TESSELATION=face.FACEMESH_TESSELATION,
        POSE_CONNECTIONS=pose.POSE_CONNECTIONS, HAND_CONNECTIONS=hands.HAND_CONNECTIONS,
        PoseLandmark=landmarks("pose", "PoseLandmark"), HandLandmark=landmarks("hands", "HandLandmark")))


mediapipe_tables(sys.argv[1])

from pose_format import Pose  # noqa: E402
from pose_format.numpy import NumPyPoseBody  # noqa: E402
from pose_format.pose_header import (PoseHeader, PoseHeaderCache, PoseHeaderComponent,  # noqa: E402
                                     PoseHeaderDimensions)
from pose_format.utils import generic, holistic, openpose  # noqa: E402


def sha(data):
    return hashlib.sha256(data).hexdigest()


def component(c):
    """Names joined by line ends; limbs and colours as little-endian u16."""
    return {
        "name": c.name,
        "format": c.format,
        "points": len(c.points),
        "names": sha("\n".join(c.points).encode()),
        "limbs": sha(np.array(list(c.limbs), dtype="<u2").tobytes()),
        "colors": sha(np.array(c.colors, dtype="<u2").tobytes()),
    }


COMPONENTS = {}


def components(found):
    """The name under which a list of components stands in the file, as most files share one."""
    found = [component(c) for c in found]
    key = sha(json.dumps(found).encode())[:8]
    COMPONENTS[key] = found
    return key


def values(pose, keep=slice(None)):
    """Points as little-endian f32 [T, people, K, 3], 0 where masked or where there is no z; then confidences."""
    data = np.ma.getdata(pose.body.data)[..., :3]
    points = np.zeros((*data.shape[:3], 3), dtype="<f4")
    points[..., : data.shape[3]] = np.where(np.ma.getmaskarray(pose.body.data)[..., :3], 0, data)
    confidence = np.array(pose.body.confidence, dtype="<f4")
    return {"points": sha(points[:, :, keep].tobytes()), "confidence": sha(confidence[:, :, keep].tobytes())}


def read(data):
    PoseHeaderCache.clear_cache()
    return Pose.read(data)


def expected(data):
    pose = read(data)
    out = io.BytesIO()
    pose.write(out)
    size = pose.header.dimensions
    entry = {
        "version": round(pose.header.version, 1),
        "size": [size.width, size.height, size.depth],
        "fps": float(np.float32(pose.body.fps)),
        "frames": pose.body.data.shape[0],
        "people": pose.body.data.shape[1],
        "components": components(pose.header.components),
        **values(pose),
    }
    if all(name.isascii() for c in pose.header.components for name in c.points):
        # The whole file as pose-format writes it again, in version 0.2; it cuts names beyond ASCII short.
        entry["rewritten"] = sha(out.getvalue())
    names = [c.name for c in pose.header.components]
    if names[:4] == ["POSE_LANDMARKS", "FACE_LANDMARKS", "LEFT_HAND_LANDMARKS", "RIGHT_HAND_LANDMARKS"]:
        if len(names) == 5:
            entry["reduced"] = values(generic.reduce_holistic(pose))
        if np.isfinite(np.ma.getdata(pose.body.data)).all():
            # Without the landmarks in metres, which pose-format does not mirror.
            picture = slice(0, sum(len(c.points) for c in pose.header.components[:4]))
            entry["mirrored"] = values(holistic.mirror_horizontal(pose), picture)
    return entry


# Synthetic files.

SMALL = [
    PoseHeaderComponent("BODY", ["HEAD", "LEFT", "RIGHT"], [(0, 1), (0, 2)], [(255, 0, 0), (0, 128, 65535)], "XYZC"),
    PoseHeaderComponent("HAND", ["WRIST", "TIP"], [(0, 1)], [(1, 2, 3)], "XYZC"),
]


def flat(components):
    return [PoseHeaderComponent(c.name, c.points, c.limbs, c.colors, "XYC") for c in components]


def body(frames, people, points, dims, seed):
    """Values and confidences; a third of the landmarks is not seen and yet has values."""
    rng = np.random.default_rng(seed)
    data = rng.normal(300, 200, (frames, people, points, dims)).astype(np.float32)
    confidence = rng.uniform(0.1, 1, (frames, people, points)).astype(np.float32)
    confidence[rng.uniform(size=confidence.shape) < 1 / 3] = 0
    return data, confidence


def header_bytes(version, components, size=(640, 480, 0)):
    out = io.BytesIO()
    PoseHeader(version, PoseHeaderDimensions(*size), components).write(out)
    return struct.pack("<f", version) + out.getvalue()[4:]


def v00(frames_people, components=SMALL):
    """Version 0.0, which pose-format reads but does not write."""
    out = header_bytes(0.0, components) + struct.pack("<HH", 24, len(frames_people))
    rng = np.random.default_rng(0)
    for people in frames_people:
        out += struct.pack("<H", people)
        for person in range(people):
            out += struct.pack("<h", person - 1)
            for c in components:
                rows = rng.normal(300, 200, (len(c.points), len(c.format))).astype("<f4")
                rows[:, -1] = rng.choice([0, 0.25, 1], len(c.points))
                out += rows.tobytes()
    return out


def v01(stated, frames, people, seed):
    """Version 0.1, which pose-format no longer writes; `stated` is the number of frames that the file states."""
    data, confidence = body(frames, people, 5, 3, seed)
    return header_bytes(0.1, SMALL) + struct.pack("<HHH", 25, stated, people) + data.tobytes() + confidence.tobytes()


def v02(components, data, confidence, fps=29.97):
    out = io.BytesIO()
    header = PoseHeader(0.2, PoseHeaderDimensions(1920, 1080, 1000), components)
    Pose(header, NumPyPoseBody(fps, data, confidence)).write(out)
    return out.getvalue()


def synthetic():
    odd, seen = body(2, 1, 5, 3, 5)
    odd[0, 0, 0] = [np.nan, -0.0, np.inf]
    odd[1, 0, 1] = [1e-45, 3.4e38, -1]
    seen[:, 0, :2] = 1
    mixed = [SMALL[0], *flat(SMALL[1:])]
    depth = [PoseHeaderComponent(c.name, c.points, c.limbs, c.colors, "XYZKC") for c in SMALL]
    umlaut = v02(SMALL, *body(1, 1, 5, 3, 8)).replace(b"\x05\0WRIST", b"\x07\0W\xc3\x96L\xe2\x82\xac")
    return {
        "v00": v00([1, 1, 1]),
        "v00_people_come_and_go": v00([0, 2, 1, 0]),
        "v00_flat": v00([1, 1], flat(SMALL)),
        "v01": v01(4, 4, 1, 1),
        "v01_two_people": v01(3, 3, 2, 2),
        "v01_more_frames_than_stated": v01(2, 5, 1, 3),
        "v02": v02(SMALL, *body(4, 1, 5, 3, 4)),
        "v02_odd_values": v02(SMALL, odd, seen),
        "v02_two_people": v02(SMALL, *body(3, 2, 5, 3, 6)),
        "v02_flat": v02(flat(SMALL), *body(3, 1, 5, 2, 7)),
        "v02_mixed_formats": v02(mixed, *body(2, 1, 5, 3, 9)),
        "v02_depth_camera": v02(depth, *body(2, 1, 5, 4, 10)),
        "v02_names_beyond_ascii": umlaut,
        "v02_no_frames": v02(SMALL, *body(0, 1, 5, 3, 11)),
        "v02_nobody": v02(SMALL, *body(3, 0, 5, 3, 12)),
    }


def layouts():
    whole = {"Holistic576": holistic.holistic_components("XYZC", 0), "Holistic586": holistic.holistic_components("XYZC", 10),
             "OpenPose137": openpose.OpenPose_Components}
    points = sum(len(c.points) for c in whole["Holistic576"])
    empty = NumPyPoseBody(25, np.zeros((1, 1, points, 3)), np.zeros((1, 1, points)))
    header = PoseHeader(0.2, PoseHeaderDimensions(1, 1, 1), whole["Holistic576"])
    whole["Reduced178"] = generic.reduce_holistic(Pose(header, empty)).header.components
    return {name: components(found) for name, found in whole.items()}


def main():
    result = {"pose_format": VERSION, "layouts": layouts(), "synthetic": {}, "real": {}}
    for name, data in synthetic().items():
        (HERE / "files" / f"{name}.pose").write_bytes(data)
        result["synthetic"][name] = expected(data)
    if len(sys.argv) > 2:
        root = Path(sys.argv[2])
        for path in sorted(root.rglob("*.pose")):
            result["real"][path.relative_to(root).as_posix()] = expected(path.read_bytes())
    result["components"] = COMPONENTS
    (HERE / "expected.json").write_text(json.dumps(result, indent=1) + "\n")


main()
