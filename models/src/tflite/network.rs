//! What stands in a TFLite file: tensors, and operators in the order in which they run.

use super::flat::{Table, at_most};
use super::{Error, Op};

/// The most tensors, buffers or operators; the landmark networks have up to 600.
const MAX_PARTS: usize = 10_000;
/// The most inputs or outputs of an operator or of the network.
const MAX_ENDS: usize = 64;
/// The most axes of a tensor.
const MAX_RANK: usize = 6;
/// The most values along one axis.
const MAX_SIZE: i32 = 1 << 20;
/// The most values of one tensor: 16 times the largest of the landmark networks.
const MAX_VALUES: usize = 1 << 26;
/// The most positions of sparse values in the whole file; pose detection has some 0.7 million.
///
/// Damaged tensors can all name the same ones, so that the size of the file is no limit.
const MAX_POSITIONS: usize = 1 << 23;
/// The longest name, in bytes.
const MAX_NAME: usize = 1024;

/// A TFLite network, its weights borrowed from the bytes of the file.
#[derive(Debug, Clone)]
pub struct Network<'a> {
    /// All tensors: inputs, weights and what operators pass on.
    pub tensors: Vec<Tensor<'a>>,
    /// The operators, in the order in which they run.
    pub operators: Vec<Operator>,
    /// Indices of the tensors that a caller fills.
    pub inputs: Vec<usize>,
    /// Indices of the tensors that a caller reads.
    pub outputs: Vec<usize>,
}

/// A tensor: a constant where it has data, otherwise a value of the run.
#[derive(Debug, Clone)]
pub struct Tensor<'a> {
    /// Its name in the file.
    pub name: &'a str,
    /// Its sizes, for images `[B, H, W, C]`.
    pub shape: Vec<usize>,
    /// The type of its values.
    pub kind: Kind,
    /// Its values, little-endian; empty unless it is a constant.
    pub data: &'a [u8],
    /// How `data` is spread over the shape, where zeros are left out.
    pub sparsity: Option<Sparsity>,
}

/// The type of a tensor's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 32-bit float.
    F32,
    /// 16-bit float.
    F16,
    /// 32-bit signed integer.
    I32,
    /// Any other type of the schema, by its number.
    Other(u8),
}

/// How the values of a sparse tensor are spread over its shape, axis by axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sparsity {
    /// The axes from the outermost to the innermost level.
    pub order: Vec<usize>,
    /// What each level holds.
    pub levels: Vec<DimensionFormat>,
}

/// One level of a sparse tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DimensionFormat {
    /// All positions of the axis.
    Dense(usize),
    /// The positions `indices[segments[p]..segments[p + 1]]` below the parent `p`.
    Compressed {
        /// Where each parent's children begin, and after the last where they end.
        segments: Vec<usize>,
        /// The position of each child on the axis.
        indices: Vec<usize>,
    },
}

/// One operator.
#[derive(Debug, Clone)]
pub struct Operator {
    /// What it does.
    pub op: Op,
    /// Indices of its inputs; `None` where an optional one is left out.
    pub inputs: Vec<Option<usize>>,
    /// Indices of its outputs.
    pub outputs: Vec<usize>,
}

impl<'a> Network<'a> {
    /// Reads the first subgraph of a TFLite file.
    ///
    /// # Errors
    /// Where the bytes are damaged, too large, or hold an operator that the converter does not know.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let model = Table::root(bytes, b"TFL3")?;
        if model.i32(0, 0)? != 3 {
            return Err(Error::NotTflite);
        }
        let codes = model.tables(1, "operator codes", MAX_PARTS)?;
        let buffers = model.tables(4, "buffers", MAX_PARTS)?;
        let graphs = model.tables(2, "subgraphs", MAX_PARTS)?;
        let graph = graphs.first().ok_or(Error::Index { what: "subgraph", index: 0 })?;

        let mut positions = 0;
        let tensors = graph.tables(0, "tensors", MAX_PARTS)?;
        let tensors: Vec<Tensor> =
            tensors.iter().map(|t| tensor(t, &buffers, &mut positions)).collect::<Result<_, _>>()?;
        let operators = graph.tables(3, "operators", MAX_PARTS)?;
        let operators = operators.iter().enumerate();
        let operators =
            operators.map(|(i, o)| operator(i, o, &codes, tensors.len())).collect::<Result<_, _>>()?;
        let ends = |field| required(ends(graph, field, tensors.len())?);
        Ok(Self { inputs: ends(1)?, outputs: ends(2)?, tensors, operators })
    }

    /// The network without the outputs named, and without the operators that serve only them.
    ///
    /// # Errors
    /// [`Error::NoOutput`] where it has no such output.
    pub fn without(mut self, unused: &[impl AsRef<str>]) -> Result<Self, Error> {
        for name in unused.iter().map(AsRef::as_ref) {
            let at = self.outputs.iter().position(|&o| self.tensors[o].name == name);
            self.outputs.remove(at.ok_or_else(|| Error::NoOutput { name: name.into() })?);
        }
        let mut needed = vec![false; self.tensors.len()];
        self.outputs.iter().for_each(|&o| needed[o] = true);
        // Operators stand in the order in which they run: whoever needs a tensor comes after its maker.
        let mut kept = Vec::with_capacity(self.operators.len());
        for operator in self.operators.into_iter().rev() {
            if operator.outputs.iter().any(|&o| needed[o]) {
                operator.inputs.iter().flatten().for_each(|&i| needed[i] = true);
                kept.push(operator);
            }
        }
        kept.reverse();
        Ok(Self { operators: kept, ..self })
    }
}

/// Reads a tensor; `positions` counts those of sparse values in the tensors so far.
fn tensor<'a>(table: &Table<'a>, buffers: &[Table<'a>], positions: &mut usize) -> Result<Tensor<'a>, Error> {
    let name = table.text(3, "bytes in a name", MAX_NAME)?;
    let kind = match table.u8(1)? {
        0 => Kind::F32,
        1 => Kind::F16,
        2 => Kind::I32,
        other => Kind::Other(other),
    };
    let shape = shape(table, name)?;
    let buffer = table.i32(2, 0)?;
    let data = element(buffers, buffer, "buffer")?.bytes(0)?;
    let sparsity = table.table(6)?.map(|s| sparsity(&s, name, &shape, positions)).transpose()?;
    Ok(Tensor { name, shape, kind, data, sparsity })
}

/// The sizes of a tensor, with their product within bounds.
fn shape(table: &Table, name: &str) -> Result<Vec<usize>, Error> {
    let sizes = table.i32s(0)?;
    at_most("axes", sizes.len(), MAX_RANK)?;
    let mut values = 1;
    let mut shape = Vec::with_capacity(sizes.len());
    for size in sizes {
        if !(1..=MAX_SIZE).contains(&size) {
            let expected = "each axis has between 1 and 1048576 values";
            return Err(Error::Tensor { name: name.into(), shape, expected });
        }
        shape.push(size as usize);
        // At most 2^26 × 2^20: no overflow.
        values *= size as usize;
        at_most("values in a tensor", values, MAX_VALUES)?;
    }
    Ok(shape)
}

fn sparsity(table: &Table, name: &str, shape: &[usize], positions: &mut usize) -> Result<Sparsity, Error> {
    let misfit = |expected| Error::Tensor { name: name.into(), shape: shape.into(), expected };
    if table.i32s(1)?.len() > 0 {
        return Err(misfit("sparse weights are taken value by value, not in blocks"));
    }
    let order: Vec<usize> = table.i32s(0)?.take(MAX_RANK + 1).map(|a| a as usize).collect();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..shape.len()) {
        return Err(misfit("the order of its axes must name each axis once"));
    }
    let levels = table.tables(2, "levels of a sparse tensor", MAX_RANK)?;
    let levels = levels.iter().map(|l| level(l, positions)).collect::<Result<Vec<_>, _>>()?;
    if levels.len() != shape.len() {
        return Err(misfit("a sparse tensor has one level an axis"));
    }
    Ok(Sparsity { order, levels })
}

fn level(table: &Table, positions: &mut usize) -> Result<DimensionFormat, Error> {
    match table.u8(0)? {
        0 => Ok(DimensionFormat::Dense(table.i32(1, 0)?.max(0) as usize)),
        _ => {
            let segments = indices(table, 2, positions)?;
            Ok(DimensionFormat::Compressed { segments, indices: indices(table, 4, positions)? })
        }
    }
}

/// A union of index vectors: its type at `field`, its table behind it.
fn indices(table: &Table, field: usize, positions: &mut usize) -> Result<Vec<usize>, Error> {
    let Some(vector) = table.table(field + 1)? else { return Ok(vec![]) };
    let mut count = |values: usize| {
        *positions += values;
        at_most("positions of sparse values", *positions, MAX_POSITIONS)
    };
    match table.u8(field)? {
        1 => {
            let values = vector.i32s(0)?;
            count(values.len())?;
            Ok(values.map(|v| v as usize).collect())
        }
        2 => {
            let values = vector.u16s(0)?;
            count(values.len())?;
            Ok(values.map(usize::from).collect())
        }
        3 => {
            let values = vector.bytes(0)?;
            count(values.len())?;
            Ok(values.iter().copied().map(usize::from).collect())
        }
        other => Err(Error::Index { what: "an index vector of type", index: other.into() }),
    }
}

fn operator(index: usize, table: &Table, codes: &[Table], tensors: usize) -> Result<Operator, Error> {
    let code = element(codes, table.i32(0, 0)?, "operator code")?;
    // Codes below 127 stand in the older field; the newer one is 0 in old files.
    let code = i32::from(code.u8(0)?).max(code.i32(3, 0)?);
    let op = Op::parse(index, code, table.table(4)?.as_ref())?;
    let inputs = ends(table, 1, tensors)?;
    let outputs = required(ends(table, 2, tensors)?)?;
    Ok(Operator { op, inputs, outputs })
}

/// Indices of tensors, −1 for one that is left out.
fn ends(table: &Table, field: usize, tensors: usize) -> Result<Vec<Option<usize>>, Error> {
    let indices = table.i32s(field)?;
    at_most("inputs or outputs", indices.len(), MAX_ENDS)?;
    indices
        .map(|index| match usize::try_from(index) {
            Ok(i) if i < tensors => Ok(Some(i)),
            Err(_) if index == -1 => Ok(None),
            _ => Err(Error::Index { what: "tensor", index: index.into() }),
        })
        .collect()
}

fn required(ends: Vec<Option<usize>>) -> Result<Vec<usize>, Error> {
    ends.into_iter().map(|e| e.ok_or(Error::Index { what: "tensor", index: -1 })).collect()
}

fn element<'t, 'a>(tables: &'t [Table<'a>], index: i32, what: &'static str) -> Result<&'t Table<'a>, Error> {
    let found = usize::try_from(index).ok().and_then(|i| tables.get(i));
    found.ok_or(Error::Index { what, index: index.into() })
}
