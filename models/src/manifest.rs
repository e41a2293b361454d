//! What is known about a trained model: its inputs, labels, data, licence and figures.
