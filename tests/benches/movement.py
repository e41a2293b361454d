"""Takes the citation forms of dictionary signs out of the fluent DGS data, for `cargo xtask bench movement`.

    python movement.py DGS_FLUENT/assets OUT

Needs `pose-format` and `spoken-to-signed`. The data has, for each of its sentences, the real signing
(`*_original.pose`: its signs as they were signed, with short ways between them) and the same with dictionary clips in
the place of glosses that the dictionary has (`*_updated.pose`): those without `$` before and `*` behind. A stretch that
is not in the original is cut where the hands are lowest, into as many clips as it has such glosses. Sentences of whose
glosses at least half are dictionary clips are taken, with the clips of their other glosses cut from the original.
`example` has six clips of the dictionary as they are and a sentence with the same signs.

OUT gets a folder a sentence: `real.pose`, `N.pose` for each sign in order, and `spoken-to-signed.pose`, what that
program makes of the same clips.
"""

import contextlib
import json
import math
import os
import sys
from pathlib import Path

import numpy as np
from pose_format import Pose
from pose_format.numpy import NumPyPoseBody
from spoken_to_signed.gloss_to_pose.concatenate import concatenate_poses

# The signs of the example's sentence, in the order in which it signs them.
EXAMPLE = ["DIFFERENT1^", "IMAGINATION1A^", "EQUAL1C^", "SMOOTH-OR-SLICK1^", "YOUNG1^", "HOUSE1A^"]
# Shortest clip of the dictionary, in frames of 25 a second.
SHORTEST = 25


def read(path):
    return Pose.read(path.read_bytes())


def cut(pose, first, last):
    body = pose.body
    return Pose(pose.header, NumPyPoseBody(body.fps, body.data[first:last].copy(), body.confidence[first:last].copy()))


def lowest(pose):
    """How low the higher hand is, frame by frame."""
    points = pose.header.components[0].points
    wrists = [points.index(f"{side}_WRIST") for side in ("LEFT", "RIGHT")]
    return pose.body.data[:, 0, wrists, 1].filled(0).min(axis=1)


def without_neighbours(clip):
    """The clip from rest to rest: what is left of its neighbours' signing before and after is cut off."""
    points = clip.header.components[0].points
    shoulder = clip.body.data[:, 0, points.index("LEFT_SHOULDER")].filled(0)
    other = clip.body.data[:, 0, points.index("RIGHT_SHOULDER")].filled(0)
    width = np.median(np.linalg.norm(shoulder[:, :2] - other[:, :2], axis=1))
    up = (lowest(clip) - np.median(shoulder[:, 1])) / width < 1.0
    edges = np.flatnonzero(np.diff(np.concatenate(([False], up, [False])).astype(int))).reshape(-1, 2)
    if len(edges) < 2:
        return clip
    longest = (edges[:, 1] - edges[:, 0]).argmax()
    first = edges[longest - 1][1] if longest else 0
    last = edges[longest + 1][0] if longest + 1 < len(edges) else len(up)
    return cut(clip, first, last)


def boundaries(low, parts):
    """The frames at which a stretch is cut into parts so that the hands are lowest there."""
    count = len(low)
    best = np.full((parts + 1, count + 1), -np.inf)
    back = np.zeros((parts + 1, count + 1), int)
    best[0, 0] = 0
    for part in range(1, parts + 1):
        for end in range(part * SHORTEST, count + 1):
            starts = np.arange((part - 1) * SHORTEST, end - SHORTEST + 1)
            values = best[part - 1, starts]
            if not len(values) or values.max() == -np.inf:
                continue
            back[part, end] = starts[values.argmax()]
            best[part, end] = values.max() + (low[end] if end < count else 0)
    ends = [count]
    for part in range(parts, 0, -1):
        ends.append(back[part, ends[-1]])
    return ends[::-1]


def sentence(original, updated, metadata):
    """The clips of a sentence in order, and how many of them are the dictionary's; `None` where they cannot be told."""
    glosses = metadata["sentence"]["glosses"]
    fps = original.body.fps
    known = [not g.startswith("$") and not g.endswith("*") for g in glosses["gloss"]]
    spans = [(math.floor(s / 1000 * fps), math.ceil(e / 1000 * fps)) for s, e in zip(glosses["start"], glosses["end"])]
    lengths = [max(e - s, 1) for s, e in spans]
    # Where each gloss stands in the original: ways of equal length lie between them.
    way = (len(original.body.data) - sum(lengths)) / max(len(lengths) - 1, 1)
    if way < 0:
        return None
    places, at = [], 0.0
    for length in lengths:
        places.append((round(at), round(at) + length))
        at += length + way
    a, b = original.body.data.filled(0)[:, 0], updated.body.data.filled(0)[:, 0]
    apart = np.abs(b[:, None] - a[None]).mean((2, 3))
    same = apart.min(axis=1) < 1e-3
    seen = set(apart.argmin(axis=1)[same])
    stretches, start = [], None
    for t in range(len(same) + 1):
        new = t < len(same) and not same[t]
        if new and start is None:
            start = t
        if not new and start is not None:
            stretches.append((start, t))
            start = None
    # A stretch takes the dictionary's glosses up to the next frame that both have.
    waiting = list(range(len(known)))
    clips = [None] * len(known)
    for start, end in stretches:
        after = [int(apart[t].argmin()) for t in range(end, len(same)) if same[t]]
        until = after[0] if after else len(a)
        mine = [k for k in waiting if known[k] and places[k][0] < until]
        waiting = [k for k in waiting if k not in mine and places[k][0] >= (after[0] if after else 0)]
        if not mine:
            continue
        if end - start < len(mine) * SHORTEST:
            return None
        ends = boundaries(lowest(cut(updated, start, end)), len(mine))
        for k, first, last in zip(mine, ends, ends[1:]):
            clips[k] = without_neighbours(cut(updated, start + first, start + last))
    taken = sum(clip is not None for clip in clips)
    if any(clip is not None and len(clip.body.data) < 20 for clip in clips):
        return None
    for k, (first, last) in enumerate(places):
        if clips[k] is None:
            clips[k] = cut(original, max(first - 1, 0), last + 1)
    return clips, taken


def write(folder, real, clips):
    folder.mkdir(parents=True, exist_ok=True)
    for name, pose in [("real", real), *((str(k), clip) for k, clip in enumerate(clips))]:
        with open(folder / f"{name}.pose", "wb") as file:
            pose.write(file)
    # It tells what it does on standard output.
    with contextlib.redirect_stdout(open(os.devnull, "w")):
        peer = concatenate_poses([read(folder / f"{k}.pose") for k in range(len(clips))])
    with open(folder / "spoken-to-signed.pose", "wb") as file:
        peer.write(file)


data, out = Path(sys.argv[1]), Path(sys.argv[2])
example = data / "example"
write(out / "example", read(example / "sentence.pose"), [read(example / "poses" / f"{g}.pose") for g in EXAMPLE])
for path in sorted((data / "sample_dataset/train").glob("*_metadata.json")):
    name = path.name.removesuffix("_metadata.json")
    original, updated = (read(path.with_name(f"{name}_{part}.pose")) for part in ("original", "updated"))
    found = sentence(original, updated, json.loads(path.read_text()))
    if found and 2 * found[1] >= len(found[0]):
        write(out / name, original, found[0])
        print(name, len(found[0]), "signs,", found[1], "of the dictionary,", [len(c.body.data) for c in found[0]])
