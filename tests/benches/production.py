"""`spoken-to-signed`'s way from text to one pose, sentence by sentence, for `cargo xtask bench production`.

    python production.py LEXICON SPOKEN SIGNED

For each line on standard input the seconds that its glosses and their pose took are printed, the processor's seconds,
the seconds of signing, and the memory at its highest in MiB. The first line printed is the package's version and the
seconds from the start of the program to the first line that could be signed.
"""

import sys
import time

START = time.perf_counter()

import contextlib  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
from importlib.metadata import version  # noqa: E402

from spoken_to_signed.gloss_to_pose import CSVPoseLookup, gloss_to_pose  # noqa: E402
from spoken_to_signed.text_to_gloss.simple import text_to_gloss  # noqa: E402

lexicon, spoken, signed = sys.argv[1:]
lookup = CSVPoseLookup(lexicon)
# It tells what it does on standard output, where our answers go.
silence = open(os.devnull, "w")


def sign(text):
    (gloss,) = text_to_gloss(text=text, language=spoken)
    with contextlib.redirect_stdout(silence):
        pose = gloss_to_pose(gloss, lookup, spoken, signed).pose
    return pose.body.data.shape[0] / pose.body.fps


first = True
for line in sys.stdin:
    if first:
        # What is loaded when it is first needed, is loaded now.
        sign(line)
        print(version("spoken-to-signed"), time.perf_counter() - START, flush=True)
        first = False
    start, worked = time.perf_counter(), time.process_time()
    signing = sign(line)
    took, worked = time.perf_counter() - start, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(took, worked, signing, peak, flush=True)
