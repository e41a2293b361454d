"""Makes the fixtures that hold our landmarks to the Python package mediapipe.

    python3 -m venv venv
    venv/bin/pip install mediapipe==0.10.21
    GLOG_minloglevel=3 venv/bin/python make.py DATA [--ffmpeg FFMPEG] [--out FOLDER] [--shaken]

DATA is the folder of real data. FFMPEG is the program that decodes videos, by default the one that
Signpost itself takes: the system's, otherwise the one in the store. It gives the same frames as
`edge/src/camera/video.rs` asks for, so that both see the same pixels; photos are decoded by OpenCV
and turned upright, and may differ from ours by a few steps of 255.

Written beside this script are the results on files under Apache-2.0, and of the photos under
CC BY-SA no more than how many hands there are, where and how large. With --out, the results on
clips that are for research only go into FOLDER, and nothing of them is committed.

With --shaken nothing is written: the clips are seen once more with every value moved by −1, 0 or 1 of
255 by chance (seed 1), and the distance from the fixtures is printed, as well as the distance between
the package's two solutions: what the package is sure of, against which ours is to be read.

The package's `solutions` run as anybody runs them: videos with tracking, photos without; the full
networks (model_complexity=1), thresholds 0.5. They know nothing of a video's rate and take
every frame to come 33 333 µs after the last. `Hands` believes that its pictures are mirrored, so its
labels are swapped here; `Holistic` names hands by the body. Left and right are the person's own.

All numbers are whole: hundredths of a pixel; hundredths of a millimetre for places in space;
hundredths for visibility. A place is x, y, one after the other (x, y, z in space).
"""

import argparse
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
from importlib.metadata import version

import cv2
import mediapipe as mp
import numpy as np

HERE = pathlib.Path(__file__).parent
VERSION = "0.10.21"
assert version("mediapipe") == VERSION, f"install mediapipe=={VERSION}"
SOLUTIONS = mp.solutions

CLIPS = {
    "asl_hand": "oracle/tfjs/asl_hand.25fps.mp4",
    "pose_squats": "oracle/tfjs/pose_squats.mp4",
}
RESEARCH_CLIPS = {
    **{f"wlasl_{n}": f"oracle/wlasl_videos/{n}.mp4" for n in (69527, 69529, 69545, 69546)},
    "dwpose": "oracle/dwpose/human_signer/video.mp4",
}
# Holistic sees nobody in it, or a body where there is none.
CLOSE_UPS = ["asl_hand"]
PHOTOS = [
    "oracle/tfjs/hands.jpg",
    "oracle/tfjs/pose.jpg",
    "oracle/tfjs/portrait.jpg",
    *(f"images/mediapipe_rs_samples/{name}.jpg" for name in
      ("face", "google_sample_woman_hands", "pointing_up", "thumbs_down", "thumbs_up", "victory")),
]
COUNTED_PHOTOS = "images/hagrid"


def ffmpeg_program():
    """The system's ffmpeg, otherwise the one that set-up brought (`edge/src/ffmpeg.rs`)."""
    cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    store = os.environ.get("SIGNPOST_CACHE", os.path.join(cache, "signpost"))
    return shutil.which("ffmpeg") or os.path.join(store, "bin", "ffmpeg")


def frames(ffmpeg, path):
    """Every frame of a video as [H, W, 3]: red, green, blue."""
    said = subprocess.run([ffmpeg, "-nostdin", "-hide_banner", "-i", path], capture_output=True, text=True).stderr
    # None of these files asks to be turned: the size in the file is that of the frames.
    width, height = map(int, re.search(r" Video: .* (\d+)x(\d+)[, ]", said).groups())
    command = [ffmpeg, "-nostdin", "-loglevel", "error", "-i", path]
    command += ["-an", "-sn", "-dn", "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as decoder:
        while raw := decoder.stdout.read(width * height * 3):
            yield np.frombuffer(raw, np.uint8).reshape(height, width, 3)
    assert decoder.returncode == 0, f"{path}: ffmpeg failed"


def photo(path):
    """A photo as [H, W, 3]: red, green, blue, turned upright as its camera noted."""
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def whole(values, scale):
    return [int(v) for v in np.rint(np.asarray(values, np.float64).reshape(-1) * scale)]


def places(landmarks, size):
    """x, y of each landmark in hundredths of a pixel."""
    return whole([[p.x * size[0], p.y * size[1]] for p in landmarks.landmark], 100)


def space(landmarks):
    """x, y, z of each landmark in hundredths of a millimetre."""
    return whole([[p.x, p.y, p.z] for p in landmarks.landmark], 100_000)


class Hands:
    """Hands without a body."""

    def __init__(self, static):
        self.solution = SOLUTIONS.hands.Hands(static_image_mode=static, max_num_hands=2, model_complexity=1)

    def see(self, rgb):
        size = rgb.shape[1::-1]
        found = self.solution.process(rgb)
        if not found.multi_hand_landmarks:
            return []
        hands = zip(found.multi_handedness, found.multi_hand_landmarks, found.multi_hand_world_landmarks)
        swapped = {"Left": "right", "Right": "left"}
        return [
            {"side": swapped[side.classification[0].label], "points": places(points, size), "world": space(world)}
            for side, points, world in hands
        ]


class Holistic:
    """Body, face and both hands of one person. It gives no hands in space."""

    def __init__(self, static):
        self.solution = SOLUTIONS.holistic.Holistic(static_image_mode=static, model_complexity=1)

    def see(self, rgb):
        size = rgb.shape[1::-1]
        found = self.solution.process(rgb)
        sides = {"left": found.left_hand_landmarks, "right": found.right_hand_landmarks}
        seen = {"hands": [{"side": s, "points": places(p, size)} for s, p in sides.items() if p]}
        if found.pose_landmarks:
            seen["body"] = {
                "points": places(found.pose_landmarks, size),
                "visibility": whole([p.visibility for p in found.pose_landmarks.landmark], 100),
                "world": space(found.pose_world_landmarks),
            }
        if found.face_landmarks:
            seen["face"] = places(found.face_landmarks, size)
        return seen


def mean(rgb):
    """The mean of all values: tells whether both programs saw the same picture."""
    return round(float(rgb.mean()), 3)


def clip(ffmpeg, data, name, path):
    hands, holistic = Hands(static=False), Holistic(static=False)
    seen, first = [], None
    for rgb in frames(ffmpeg, data / path):
        first = first if first is not None else rgb
        seen.append({"hands": hands.see(rgb)} | ({} if name in CLOSE_UPS else {"holistic": holistic.see(rgb)}))
    print(f"{name}: {len(seen)} frames, {sum(len(s['hands']) for s in seen)} hands")
    return {"file": path, "mediapipe": VERSION, "size": list(first.shape[1::-1]), "mean": mean(first), "frames": seen}


def distances(hands, others):
    """Of each hand, how far the same hand of the others is, in sizes of the hand."""
    for hand, other in ((a, b) for a in hands for b in others):
        a, b = (np.array(h["points"], np.float64).reshape(-1, 2) for h in (hand, other))
        away = np.linalg.norm(a - b, axis=1).mean() / (a.max(0) - a.min(0)).max()
        if away < 0.5 and hand["side"] == other["side"]:
            yield away


def told(name, away):
    mean, half, most = 100 * np.mean(away), 100 * np.median(away), 100 * np.percentile(away, 95)
    print(f"  {name}: {len(away)} hands, {mean:.2f} % of the hand away, half within {half:.2f} %, "
          f"95 of 100 within {most:.2f} %")


def shaken(ffmpeg, data, fixture):
    """Prints how far the package is from itself; gives the distances of Holistic's hands."""
    chance = np.random.default_rng(1)
    hands, holistic = Hands(static=False), Holistic(static=False)
    alone, together, between, bodies = [], [], [], []
    for rgb, seen in zip(frames(ffmpeg, data / fixture["file"]), fixture["frames"]):
        moved = np.clip(rgb + chance.integers(-1, 2, rgb.shape), 0, 255).astype(np.uint8)
        alone += distances(seen["hands"], hands.see(moved))
        if "holistic" not in seen:
            continue
        before, after = seen["holistic"], holistic.see(moved)
        together += distances(before["hands"], after["hands"])
        between += distances(before["hands"], seen["hands"])
        if "body" in before and "body" in after:
            a, b = (np.array(p["body"]["points"], np.float64).reshape(-1, 2) / 100 for p in (before, after))
            bodies.append(np.linalg.norm(a - b, axis=1)[np.array(before["body"]["visibility"]) >= 50].mean())
    print(fixture["file"])
    for name, away in {"Hands": alone, "Holistic": together, "Holistic from Hands": between}.items():
        if away:
            told(name, away)
    if bodies:
        print(f"  body {np.mean(bodies):.2f} px away")
    return together


def face_mesh(rgb):
    """The face alone, for photos without a body."""
    mesh = SOLUTIONS.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1)
    found = mesh.process(rgb).multi_face_landmarks
    return places(found[0], rgb.shape[1::-1]) if found else None


def box(hand):
    """Middle and longer side of the box around a hand, in whole pixels."""
    points = np.array(hand["points"], np.float64).reshape(-1, 2) / 100
    low, high = points.min(0), points.max(0)
    return whole([*((low + high) / 2), (high - low).max()], 1)


def photos(data):
    kept = []
    for path in PHOTOS + sorted(str(p.relative_to(data)) for p in (data / COUNTED_PHOTOS).rglob("*.jpg")):
        rgb = photo(data / path)
        hands, holistic = Hands(static=True).see(rgb), Holistic(static=True).see(rgb)
        entry = {"file": path, "size": list(rgb.shape[1::-1]), "mean": mean(rgb)}
        if path.startswith(COUNTED_PHOTOS):
            entry |= {"boxes": [box(h) for h in hands], "holistic_boxes": [box(h) for h in holistic["hands"]]}
        else:
            entry |= {"hands": hands, "holistic": holistic}
            if "face" not in holistic and (face := face_mesh(rgb)):
                entry["face_mesh"] = face
        kept.append(entry)
    return {"mediapipe": VERSION, "photos": kept}


def write(folder, name, result):
    """Compressed without a date, so that the same result is the same file."""
    text = json.dumps(result, separators=(",", ":")).encode()
    (folder / f"{name}.json.gz").write_bytes(gzip.compress(text, 9, mtime=0))


def read(folder, name):
    return json.loads(gzip.decompress((folder / f"{name}.json.gz").read_bytes()))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=pathlib.Path)
    arguments.add_argument("--ffmpeg", default=ffmpeg_program())
    arguments.add_argument("--out", type=pathlib.Path)
    arguments.add_argument("--shaken", action="store_true")
    given = arguments.parse_args()
    if given.shaken:
        kept = [(HERE, name) for name in CLIPS] + [(given.out, name) for name in RESEARCH_CLIPS if given.out]
        away = {name: shaken(given.ffmpeg, given.data, read(folder, name)) for folder, name in kept}
        if given.out:
            print("all signers")
            told("Holistic", sum((away[name] for name in RESEARCH_CLIPS), []))
        return
    for name, path in CLIPS.items():
        write(HERE, name, clip(given.ffmpeg, given.data, name, path))
    write(HERE, "photos", photos(given.data))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        for name, path in RESEARCH_CLIPS.items():
            write(given.out, name, clip(given.ffmpeg, given.data, name, path))


if __name__ == "__main__":
    main()
