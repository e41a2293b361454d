"""Makes scalars.tfevents with TensorBoard's own classes: what ours must be, byte for byte.

    pip install tensorboard==2.21.0
    python make.py
"""

from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

STEPS = [
    (1700000001.25, 0, [("loss", 5.5), ("rate", 6e-5)]),
    (1700000002.5, 20, [("loss", 4.75), ("rate", 1.26e-3), ("ctc", -0.5), ("steps_per_second", 16.0)]),
    (1700000003.0, 300, [("loss", float("nan"))]),
    (1700000004.0, 5_000_000_000, [("loss", 0.0)]),
]

with open(Path(__file__).with_name("scalars.tfevents"), "wb") as file:
    writer = RecordWriter(file)
    writer.write(Event(wall_time=1700000000.5, file_version="brain.Event:2").SerializeToString())
    for wall_time, step, scalars in STEPS:
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars]
        event = Event(wall_time=wall_time, step=step, summary=Summary(value=values))
        writer.write(event.SerializeToString())
    writer.flush()
