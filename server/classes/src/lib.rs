//! Classes: a presenter shows, a room follows from its own devices, predicts and votes.
//!
//! - [`key`]: secrets of presenters and followers. [`code`]: the six letters that a room types in.
//! - [`room`]: one class as plain data. [`question`]: what the room is asked, in rounds.
//! - [`rooms`]: all classes, kept over a restart, and who watches which. [`attempts`]: how often codes may be guessed.
//! - [`access`]: who may change something. [`http`]: the calls.

pub mod access;
pub mod attempts;
pub mod code;
pub mod http;
pub mod key;
pub mod question;
pub mod room;
pub mod rooms;

pub use access::Access;
pub use key::Key;
pub use rooms::Rooms;
