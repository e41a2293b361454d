"""Makes tiny.tflite: every operator that the converter knows, in a network of a few kilobytes.

    pip install ai-edge-litert==2.3.0 numpy==2.4.6 flatbuffers==25.12.19
    python tiny.py

It asks of the converter what the landmark networks do not all ask: an image that is not square,
odd sizes, zeros on one side only, dilation, two channels out for one in, each way of placing an
interpolated image's corners, a tensor that is an image, then rows, then an image again. The tests
compare it with the TFLite interpreter (see make.py), unpack it as set-up does, and damage it.
"""

import pathlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as tfl

BUILTIN, TYPE, OPTIONS = tfl.BuiltinOperator, tfl.TensorType, tfl.BuiltinOptions
SAME, VALID = tfl.Padding.SAME, tfl.Padding.VALID
NONE, RELU, RELU6 = 0, 1, 3
KINDS = {np.dtype("f4"): TYPE.FLOAT32, np.dtype("f2"): TYPE.FLOAT16, np.dtype("i4"): TYPE.INT32}

random = np.random.RandomState(7)
model = tfl.ModelT()
model.version, model.description, model.operatorCodes, model.buffers = 3, "tiny", [], [tfl.BufferT()]
graph = tfl.SubGraphT()
graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
model.subgraphs = [graph]


def tensor(shape, kind=TYPE.FLOAT32, data=None, name=None):
    t = tfl.TensorT()
    t.shape, t.type, t.buffer = list(shape), kind, 0
    t.name = name or f"t{len(graph.tensors)}"
    if data is not None:
        buffer = tfl.BufferT()
        buffer.data = np.frombuffer(data.tobytes(), np.uint8)
        t.buffer = len(model.buffers)
        model.buffers.append(buffer)
    graph.tensors.append(t)
    return len(graph.tensors) - 1


def const(values):
    values = np.asarray(values)
    values = values.astype("i4") if values.dtype.kind == "i" else values.astype("f4")
    return tensor(values.shape, KINDS[values.dtype], values)


def op(code, inputs, shape, options=None, kind=TYPE.FLOAT32, name=None, version=1, **fields):
    o, c = tfl.OperatorT(), tfl.OperatorCodeT()
    c.builtinCode, c.deprecatedBuiltinCode, c.version = code, min(code, 127), version
    codes = [k.builtinCode for k in model.operatorCodes]
    if code not in codes:
        model.operatorCodes.append(c)
        codes.append(code)
    o.opcodeIndex, o.inputs = codes.index(code), inputs
    if options:
        o.builtinOptionsType = getattr(OPTIONS, options)
        o.builtinOptions = getattr(tfl, options + "T")()
        for field, value in fields.items():
            assert hasattr(o.builtinOptions, field), field
            setattr(o.builtinOptions, field, value)
    o.outputs = [tensor(shape, kind, name=name)]
    graph.operators.append(o)
    return o.outputs[0]


def shape(index):
    return graph.tensors[index].shape


def weights(*sizes):
    return random.uniform(-1, 1, sizes) / np.sqrt(np.prod(sizes[1:]))


def half(values):
    """Half floats behind DEQUANTIZE."""
    stored = tensor(values.shape, TYPE.FLOAT16, values.astype("f2"))
    return op(BUILTIN.DEQUANTIZE, [stored], values.shape, version=2)


def sparse(values):
    """Half floats with zeros left out, behind DENSIFY and DEQUANTIZE: dense but for the last axis."""
    values = np.where(random.uniform(size=values.shape) < 0.4, values, 0).astype("f2")
    rows = values.reshape(-1, values.shape[-1])
    at = tensor(values.shape, TYPE.FLOAT16, rows[rows != 0])
    s = graph.tensors[at].sparsity = tfl.SparsityParametersT()
    s.traversalOrder, s.dimMetadata = list(range(values.ndim)), []
    for size in values.shape[:-1]:
        d = tfl.DimensionMetadataT()
        d.format, d.denseSize = tfl.DimensionType.DENSE, size
        s.dimMetadata.append(d)
    d = tfl.DimensionMetadataT()
    d.format = tfl.DimensionType.SPARSE_CSR
    d.arraySegmentsType, d.arraySegments = tfl.SparseIndexVector.Uint16Vector, tfl.Uint16VectorT()
    d.arraySegments.values = np.concatenate([[0], (rows != 0).sum(1).cumsum()]).astype(np.uint16)
    d.arrayIndicesType, d.arrayIndices = tfl.SparseIndexVector.Uint8Vector, tfl.Uint8VectorT()
    d.arrayIndices.values = np.nonzero(rows)[1].astype(np.uint8)
    s.dimMetadata.append(d)
    dense = op(BUILTIN.DENSIFY, [at], values.shape, "DensifyOptions", TYPE.FLOAT16)
    return op(BUILTIN.DEQUANTIZE, [dense], values.shape, version=2)


def window(size, kernel, padding, stride, dilation):
    reach = (kernel - 1) * dilation + 1
    return -(-size // stride) if padding == SAME else (size - reach) // stride + 1


def conv(x, w, padding, stride, act=NONE, dilation=1, multiplier=0):
    n, h, wd, _ = shape(x)
    o, kh, kw, i = shape(w)
    bias = const(random.uniform(-0.1, 0.1, i if multiplier else o))
    out = [n, window(h, kh, padding, stride, dilation), window(wd, kw, padding, stride, dilation)]
    fields = dict(padding=padding, strideH=stride, strideW=stride, fusedActivationFunction=act)
    fields |= dict(dilationHFactor=dilation, dilationWFactor=dilation)
    if multiplier:
        fields |= dict(depthMultiplier=multiplier)
        return op(BUILTIN.DEPTHWISE_CONV_2D, [x, w, bias], out + [i], "DepthwiseConv2DOptions", **fields)
    return op(BUILTIN.CONV_2D, [x, w, bias], out + [o], "Conv2DOptions", **fields)


def pad(x, pads):
    out = [s + a + b for s, (a, b) in zip(shape(x), pads)]
    return op(BUILTIN.PAD, [x, const(pads)], out, "PadOptions")


def pool(x, padding):
    n, h, w, c = shape(x)
    out = [n, window(h, 2, padding, 2, 1), window(w, 2, padding, 2, 1), c]
    fields = dict(padding=padding, strideH=2, strideW=2, filterHeight=2, filterWidth=2)
    return op(BUILTIN.MAX_POOL_2D, [x], out, "Pool2DOptions", **fields)


def add(a, b, act=NONE):
    return op(BUILTIN.ADD, [a, b], shape(a), "AddOptions", fusedActivationFunction=act)


def resize(x, h, w, **fields):
    n, _, _, c = shape(x)
    return op(BUILTIN.RESIZE_BILINEAR, [x, const([h, w])], [n, h, w, c], "ResizeBilinearOptions", version=3, **fields)


def reshape(x, sizes, name=None):
    return op(BUILTIN.RESHAPE, [x, const(sizes)], sizes, "ReshapeOptions", name=name)


def concatenation(parts, axis, name=None):
    out = list(shape(parts[0]))
    out[axis] = sum(shape(p)[axis] for p in parts)
    return op(BUILTIN.CONCATENATION, parts, out, "ConcatenationOptions", axis=axis, name=name)


image = tensor([1, 9, 11, 3], name="image")
graph.inputs = [image]

x = pad(image, [(0, 0), (1, 0), (2, 1), (0, 0)])
x = conv(x, half(weights(8, 3, 3, 3)), VALID, 2, RELU6)  # [1, 4, 6, 8]
x = conv(x, half(weights(1, 3, 3, 16)), SAME, 1, dilation=2, multiplier=2)  # [1, 4, 6, 16]
slope = const(random.uniform(0, 0.5, (1, 1, 16)))
x = op(BUILTIN.PRELU, [x, slope], shape(x))
y = conv(x, sparse(weights(12, 1, 1, 16) * 2), SAME, 1, RELU)
x = add(x, pad(y, [(0, 0), (0, 0), (0, 0), (2, 2)]), RELU6)  # [1, 4, 6, 16]

# One padding, which a convolution takes over and a pool cannot.
p = pad(x, [(0, 0), (0, 1), (1, 0), (0, 0)])  # [1, 5, 7, 16]
a = conv(p, const(weights(4, 5, 4, 16)), SAME, 2)  # [1, 3, 4, 4]
b = pool(p, SAME)  # [1, 3, 4, 16]
c = pool(p, VALID)  # [1, 2, 3, 16]
small = concatenation([a, b], 3)  # [1, 3, 4, 20]

corners = resize(small, 5, 7, alignCorners=True)
centres = resize(small, 5, 7, halfPixelCenters=True)
edges = resize(small, 5, 7)
sum3 = add(add(corners, centres), edges)
spread = op(BUILTIN.DEPTH_TO_SPACE, [sum3], [1, 10, 14, 5], "DepthToSpaceOptions", blockSize=2)
part = [const(v) for v in ([0, 1, 0, 1], [1, 9, 14, 4], [1, 2, 3, 1])]
part = op(BUILTIN.STRIDED_SLICE, [spread, *part], [1, 4, 5, 3], "StridedSliceOptions")
graph.outputs.append(op(BUILTIN.RELU, [part], shape(part), name="part"))

rows = concatenation([reshape(c, [1, 24, 4]), reshape(a, [1, 12, 4])], -2)  # [1, 36, 4]
again = reshape(rows, [1, 6, 6, 4])
graph.outputs.append(conv(again, const(weights(2, 3, 3, 4)), SAME, 2))
graph.tensors[graph.outputs[-1]].name = "again"

mean = op(BUILTIN.MEAN, [spread, const([1, 2])], [1, 1, 1, 5], "ReducerOptions", keepDims=True)
graph.outputs.append(op(BUILTIN.LOGISTIC, [mean], shape(mean), name="mean"))
flat = op(BUILTIN.MEAN, [small, const([2, 1])], [1, 20], "ReducerOptions", keepDims=False)
fields = dict(fusedActivationFunction=RELU)
layer = [flat, half(weights(7, 20)), const(random.uniform(-0.1, 0.5, 7))]
graph.outputs.append(op(BUILTIN.FULLY_CONNECTED, layer, [1, 7], "FullyConnectedOptions", name="layer", **fields))

builder = flatbuffers.Builder(1 << 14)
builder.Finish(model.Pack(builder), b"TFL3")
pathlib.Path(__file__).with_name("tiny.tflite").write_bytes(builder.Output())
