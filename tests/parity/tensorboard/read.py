"""Reads the log of a training as TensorBoard does and prints its scalars as JSON: tag, then [step, value]s.

    pip install tensorboard==2.21.0
    python read.py FOLDER
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

log = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0})
log.Reload()
# TensorBoard turns scalars of the older form into tensors when it reads them, or leaves them scalars.
scalars = {tag: [[e.step, e.value] for e in log.Scalars(tag)] for tag in log.Tags()["scalars"]}
for tag in log.Tags()["tensors"]:
    scalars[tag] = [[e.step, e.tensor_proto.float_val[0]] for e in log.Tensors(tag)]
print(json.dumps(scalars))
