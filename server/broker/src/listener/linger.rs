//! Ending a connection so that its last words arrive.
//!
//! A socket that is closed while bytes of the client are unread resets the connection (RFC 2525, section 2.17), and a
//! reset throws away what the client has not read yet: the `connection.close` or close-ok that was sent just before.

use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// How long a client may take to hang up.
const MAX_TIME: Duration = Duration::from_secs(5);
/// How much it may send until then.
const MAX_BYTES: u64 = 64 << 20;
const READ_BYTES: usize = 16 << 10;

/// Reads and throws away what a client sends, until it hangs up, goes too far, or the broker shuts down. Writing must
/// have been shut down before, or go on meanwhile: otherwise the client has no reason to hang up.
pub(crate) async fn linger(reader: &mut (impl AsyncRead + Unpin), shutdown: &CancellationToken) {
    let discard = async {
        let mut bytes = vec![0; READ_BYTES];
        let mut left = MAX_BYTES;
        while let Ok(read @ 1..) = reader.read(&mut bytes).await {
            left = left.saturating_sub(read as u64);
            if left == 0 {
                return;
            }
        }
    };
    tokio::select! {
        _ = timeout(MAX_TIME, discard) => {}
        () = shutdown.cancelled() => {}
    }
}
