//! ONNX, as far as we write it: the messages of `onnx.proto`, and a builder for graphs.
//!
//! The field numbers are those of the ONNX 1.x schema, which is proto2: repeated
//! numbers are written unpacked there, and some readers refuse anything else.
//!
//! ```
//! use models::onnx::{Builder, Dim};
//! let mut graph = Builder::new("double");
//! graph.input("x", &[Dim::Named("B"), Dim::Fixed(4)]);
//! graph.tensor_f32("two", &[1], &[2.0]);
//! graph.node("Mul", &["x", "two"], &["y"], vec![]);
//! graph.output("y", &[Dim::Named("B"), Dim::Fixed(4)]);
//! let bytes = graph.finish(&[("licence", "MIT")]);
//! assert!(!bytes.is_empty());
//! ```

use prost::Message;

/// The operator set that our graphs are written for.
pub const OPSET: i64 = 17;
/// The version of the file format that goes with opsets 15 to 18.
const IR_VERSION: i64 = 8;

/// `TensorProto.DataType`: 32-bit float.
pub const FLOAT: i32 = 1;
/// `TensorProto.DataType`: 64-bit signed integer.
pub const INT64: i32 = 7;

/// One size of a tensor's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dim<'a> {
    /// Known when the graph is written.
    Fixed(usize),
    /// Known when it runs, for example `B` clips or `T` frames.
    Named(&'a str),
}

/// The value of a node's attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A float.
    Float(f32),
    /// An integer.
    Int(i64),
    /// A text.
    Text(String),
    /// Integers.
    Ints(Vec<i64>),
}

/// Writes a graph, node by node, in the order in which it runs.
#[derive(Debug)]
pub struct Builder {
    graph: GraphProto,
}

impl Builder {
    /// An empty graph of the name given.
    pub fn new(name: &str) -> Self {
        Self { graph: GraphProto { name: name.into(), ..Default::default() } }
    }

    /// Declares a float input.
    pub fn input(&mut self, name: &str, shape: &[Dim]) {
        self.graph.input.push(value_info(name, shape));
    }

    /// Declares a float output.
    pub fn output(&mut self, name: &str, shape: &[Dim]) {
        self.graph.output.push(value_info(name, shape));
    }

    /// Whether a tensor of the name was stored.
    pub fn has(&self, name: &str) -> bool {
        self.graph.initializer.iter().any(|tensor| tensor.name == name)
    }

    /// Stores a float tensor, row-major.
    pub fn tensor_f32(&mut self, name: &str, shape: &[usize], data: &[f32]) {
        debug_assert_eq!(shape.iter().product::<usize>(), data.len(), "{name}");
        let raw = data.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(name, shape, FLOAT, raw);
    }

    /// Stores an integer tensor, row-major.
    pub fn tensor_i64(&mut self, name: &str, shape: &[usize], data: &[i64]) {
        debug_assert_eq!(shape.iter().product::<usize>(), data.len(), "{name}");
        let raw = data.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(name, shape, INT64, raw);
    }

    fn tensor(&mut self, name: &str, shape: &[usize], data_type: i32, raw_data: Vec<u8>) {
        let dims = shape.iter().map(|&d| d as i64).collect();
        self.graph.initializer.push(TensorProto { dims, data_type, name: name.into(), raw_data });
    }

    /// Adds an operator of the standard set.
    pub fn node(&mut self, op: &str, inputs: &[&str], outputs: &[&str], attributes: Vec<(&str, Value)>) {
        let texts = |names: &[&str]| names.iter().map(|n| (*n).to_string()).collect();
        self.graph.node.push(NodeProto {
            input: texts(inputs),
            output: texts(outputs),
            name: outputs.first().map_or_else(String::new, |o| format!("{op}:{o}")),
            op_type: op.into(),
            attribute: attributes.into_iter().map(|(name, value)| attribute(name, value)).collect(),
        });
    }

    /// The bytes of the model, with key and value pairs as its metadata.
    pub fn finish(self, metadata: &[(&str, &str)]) -> Vec<u8> {
        ModelProto {
            ir_version: IR_VERSION,
            producer_name: "signpost".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            graph: Some(self.graph),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
            metadata_props: metadata
                .iter()
                .map(|(key, value)| StringStringEntryProto { key: (*key).into(), value: (*value).into() })
                .collect(),
        }
        .encode_to_vec()
    }
}

fn value_info(name: &str, shape: &[Dim]) -> ValueInfoProto {
    let dim = shape
        .iter()
        .map(|d| Dimension {
            value: Some(match d {
                Dim::Fixed(n) => dimension::Value::DimValue(*n as i64),
                Dim::Named(n) => dimension::Value::DimParam((*n).into()),
            }),
        })
        .collect();
    let tensor_type = TypeTensor { elem_type: FLOAT, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
}

fn attribute(name: &str, value: Value) -> AttributeProto {
    let mut a = AttributeProto { name: name.into(), ..Default::default() };
    match value {
        Value::Float(v) => (a.f, a.r#type) = (Some(v), 1),
        Value::Int(v) => (a.i, a.r#type) = (Some(v), 2),
        Value::Text(v) => (a.s, a.r#type) = (Some(v.into_bytes()), 3),
        Value::Ints(v) => (a.ints, a.r#type) = (v, 7),
    }
    a
}

#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(int64, tag = "1")]
    ir_version: i64,
    #[prost(string, tag = "2")]
    producer_name: String,
    #[prost(string, tag = "3")]
    producer_version: String,
    #[prost(message, optional, tag = "7")]
    graph: Option<GraphProto>,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<OperatorSetIdProto>,
    #[prost(message, repeated, tag = "14")]
    metadata_props: Vec<StringStringEntryProto>,
}

#[derive(Clone, PartialEq, Message)]
struct OperatorSetIdProto {
    #[prost(string, tag = "1")]
    domain: String,
    #[prost(int64, tag = "2")]
    version: i64,
}

#[derive(Clone, PartialEq, Message)]
struct StringStringEntryProto {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    node: Vec<NodeProto>,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = "11")]
    input: Vec<ValueInfoProto>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<ValueInfoProto>,
}

#[derive(Clone, PartialEq, Message)]
struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    output: Vec<String>,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, tag = "4")]
    op_type: String,
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<AttributeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct AttributeProto {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(float, optional, tag = "2")]
    f: Option<f32>,
    #[prost(int64, optional, tag = "3")]
    i: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    s: Option<Vec<u8>>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    ints: Vec<i64>,
    #[prost(int32, tag = "20")]
    r#type: i32,
}

#[derive(Clone, PartialEq, Message)]
struct TensorProto {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "vec", tag = "9")]
    raw_data: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct ValueInfoProto {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    r#type: Option<TypeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct TypeProto {
    #[prost(message, optional, tag = "1")]
    tensor_type: Option<TypeTensor>,
}

#[derive(Clone, PartialEq, Message)]
struct TypeTensor {
    #[prost(int32, tag = "1")]
    elem_type: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<TensorShapeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorShapeProto {
    #[prost(message, repeated, tag = "1")]
    dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
struct Dimension {
    #[prost(oneof = "dimension::Value", tags = "1, 2")]
    value: Option<dimension::Value>,
}

mod dimension {
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Value {
        #[prost(int64, tag = "1")]
        DimValue(i64),
        #[prost(string, tag = "2")]
        DimParam(String),
    }
}
