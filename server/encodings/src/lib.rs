//! JSON, MessagePack and Protobuf for what services tell each other over HTTP.
//!
//! - [`accept`]: which of what there is somebody wants (RFC 9110, section 12.5.1). [`media_type`]: the encodings' names there.
//! - [`codec`]: a value written and read in any of them.
//! - [`answer`]: an answer in the encoding that was asked for. [`body`]: the body of a request, in the one that it names.
//! - [`proto`]: Protobuf's messages, and their schema.
//!
//! A value is the same in all of them: MessagePack has JSON's maps and names, and Protobuf's fields have JSON's names.

pub mod accept;
pub mod answer;
pub mod body;
pub mod codec;
pub mod media_type;
pub mod proto;

pub use answer::{Wanted, answer};
pub use codec::{Coded, DecodeError, decode, encode};
