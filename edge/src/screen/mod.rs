//! What people see: the signer, captions and state, on one canvas.
