//! The picture on its way to the page: small, and read with little code (postcard, as base64 text).

use super::Picture;
use base64::{Engine as _, prelude::BASE64_STANDARD};

impl Picture {
    /// The picture as a short text, for a page of the same version.
    #[must_use]
    pub fn pack(&self) -> String {
        let bytes =
            postcard::to_allocvec(self).expect("a picture is plain data whose lists know their lengths");
        BASE64_STANDARD.encode(bytes)
    }

    /// Reads what [`Picture::pack`] wrote; none when it is something else.
    #[must_use]
    pub fn unpack(text: &str) -> Option<Self> {
        postcard::from_bytes(&BASE64_STANDARD.decode(text.trim()).ok()?).ok()
    }
}
