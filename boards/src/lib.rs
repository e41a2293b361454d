//! What differs between boards, as checked data.
