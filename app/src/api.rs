//! What pages ask the server, in a way that works on both sides of the wire.
