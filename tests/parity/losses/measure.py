"""How often MediaPipe Holistic loses hands in recorded signs, and for how long.

Its figures stand in host/src/synth/spoil.rs. Run with numpy: python losses.py DATA/isolated
"""

import csv
import gzip
import sys

import numpy as np

FPS = 20  # nominal; the sets do not record it
SETS = ["ksl13", "asl_traduttore_words", "asl11_tamtridung"]

for name in SETS:
    packed = gzip.open(f"{sys.argv[1]}/{name}.f16.gz").read()
    rows = np.frombuffer(packed, np.float16).astype(np.float32).reshape(-1, 258)
    body, hands = rows[:, :132].reshape(-1, 33, 4), rows[:, 132:].reshape(-1, 2, 21, 3)
    seen = np.abs(hands).sum((2, 3)) > 0
    frames, lost, gaps, by_speed, by_distance = 0, 0, [], {}, {}
    for clip in csv.DictReader(open(f"{sys.argv[1]}/{name}.tsv"), delimiter="\t"):
        part = slice(int(clip["offset_frames"]), int(clip["offset_frames"]) + int(clip["n_frames"]))
        width = np.median(np.abs(body[part, 11, 0] - body[part, 12, 0]))
        wrists, here = hands[part, :, 0, :2] * [1, 0.75] / width, seen[part]
        for side in (0, 1):
            hand = here[:, side]
            if hand.mean() < 0.3:  # the hand takes no part
                continue
            first, last = np.flatnonzero(hand)[[0, -1]]
            run = 0
            for t in range(max(first, 1), last):
                frames += 1
                lost += not hand[t]
                if hand[t] and hand[t - 1]:
                    speed = np.linalg.norm(wrists[t, side] - wrists[t - 1, side]) * FPS
                    key = "<1" if speed < 1 else "1-2" if speed < 2 else "2-4" if speed < 4 else ">4"
                    by_speed.setdefault(key, []).append(not hand[t + 1])
                    if here[t, 1 - side]:
                        apart = np.linalg.norm(wrists[t, 0] - wrists[t, 1])
                        key = "<0.3" if apart < 0.3 else "0.3-0.6" if apart < 0.6 else ">0.6"
                        by_distance.setdefault(key, []).append(not hand[t + 1])
            for is_seen in hand[first : last + 1]:
                if is_seen and run:
                    gaps.append(run)
                run = 0 if is_seen else run + 1
    print(name, f"{frames} frames, {lost / frames:.4f} lost, {len(gaps)} losses of {np.mean(gaps):.2f} frames")
    print("  median, 90 %, 99 %:", np.percentile(gaps, [50, 90, 99]))
    for what, found in (("speed", by_speed), ("distance", by_distance)):
        print(f"  lost next by {what}:", {k: (round(float(np.mean(v)), 4), len(v)) for k, v in sorted(found.items())})
