//! Importers, training, evaluation and export.
