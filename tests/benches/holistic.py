"""MediaPipe's own Holistic over raw frames, round by round, for `cargo xtask bench vision`.

    python holistic.py FRAMES.rgb WIDTH HEIGHT

FRAMES.rgb holds frames of WIDTH x HEIGHT pixels, three bytes each. For each line on
standard input all frames are run once, tracking from frame to frame as in a video, and
the seconds that this took are printed, and the processor's seconds. The first line printed is the package's version.
"""

import sys
import time

import mediapipe as mp
import numpy as np

path, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
frames = np.fromfile(path, dtype=np.uint8).reshape(-1, height, width, 3)
print(mp.__version__, flush=True)
for _ in sys.stdin:
    # A new graph each round, so that every round begins without a track, as ours does.
    with mp.solutions.holistic.Holistic(model_complexity=1) as holistic:
        holistic.process(frames[0])
        start, worked = time.perf_counter(), time.process_time()
        for frame in frames:
            holistic.process(frame)
        print(time.perf_counter() - start, time.process_time() - worked, flush=True)
