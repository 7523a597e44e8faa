//! What others put into a message, on its way through our hands: it goes out again as it came.

pub use broker::raw::{encode, is_legible, readable, readable_properties};

use broker::raw::{
    ALL, APP_ID, CORRELATION_ID, DELIVERY_MODE, EXPIRATION, Header, MESSAGE_ID, Parts, TYPE, USER_ID,
};

/// Names the headers that had to be left out.
pub const HEADER_LEFT_OUT: &str = "x-left-out";
/// What a header that the broker itself acts on is called while we carry it: it has had its effect already.
const CARRIED: &str = "x-carried-";
/// Such headers: `CC` and `BCC` would send copies out once more, and by an old `x-death` the broker would take a
/// retry for a cycle, and drop the message.
const ACTED_ON: [&str; 3] = ["CC", "BCC", "x-death"];

/// What came with a message, to be sent on with what is ours: our `x-` headers replace those of the same name, gaps are
/// filled in, and everything else stays as it came. `user` is who we are to the broker: it refuses any other user id.
#[must_use]
pub fn carry_on(came: &[u8], ours: Vec<u8>, our_headers: &[&str], user: &str) -> Vec<u8> {
    let (Some(came), Some(ours)) = (Parts::read(came), Parts::read(&ours)) else { return ours };
    let mut carried = Parts::default();
    for flag in ALL {
        let (theirs, own) = (came.get(flag).filter(|value| !value.is_empty()), ours.get(flag));
        carried.set(
            flag,
            match flag {
                DELIVERY_MODE | EXPIRATION => own,
                USER_ID => theirs.filter(|theirs| *theirs == user.as_bytes()),
                // An edited message has an id of its own.
                MESSAGE_ID | CORRELATION_ID | TYPE | APP_ID => {
                    theirs.filter(|theirs| own.is_none_or(|own| readable(theirs).as_bytes() == own)).or(own)
                }
                _ => theirs.or(own),
            },
        );
    }
    let is_ours = |name: &[u8]| our_headers.iter().any(|ours| ours.as_bytes() == name);
    let renamed: Vec<_> = ACTED_ON.iter().map(|name| format!("{CARRIED}{name}")).collect();
    let mut headers: Vec<Header<'_>> = Vec::new();
    for mut header in came.headers.iter().flatten().copied() {
        if is_ours(header.name) {
            continue;
        }
        if let Some(at) = ACTED_ON.iter().position(|name| name.as_bytes() == header.name) {
            header.name = renamed[at].as_bytes();
            // What was carried already is older than what the broker has added since.
            headers.retain(|other| other.name != header.name);
        }
        headers.push(header);
    }
    let mut foreign_user = Vec::new();
    if let Some(other) = came.get(USER_ID).filter(|theirs| *theirs != user.as_bytes()) {
        foreign_user.push(b'S');
        foreign_user.extend(u32::try_from(other.len()).unwrap_or(0).to_be_bytes());
        foreign_user.extend_from_slice(other);
        headers.push(Header { name: b"x-carried-user-id", typed: &foreign_user });
    }
    for header in ours.headers.unwrap_or_default() {
        if is_ours(header.name) || !headers.iter().any(|other| other.name == header.name) {
            headers.push(header);
        }
    }
    carried.headers = (!headers.is_empty()).then_some(headers);
    carried.write()
}

/// The same properties in at most `max_bytes`: headers are left out, `first_to_go` first and then the largest, and
/// named instead.
#[must_use]
pub fn fit(encoded: Vec<u8>, max_bytes: usize, first_to_go: &str) -> Vec<u8> {
    /// So much is always left for the headers' names.
    const NAMES_BYTES: usize = 200;
    if encoded.len() <= max_bytes {
        return encoded;
    }
    let Some(mut parts) = Parts::read(&encoded) else { return vec![0, 0] };
    let mut headers = parts.headers.take().unwrap_or_default();
    let mut left_out: Vec<String> = Vec::new();
    let mut size_bytes = encoded.len() + HEADER_LEFT_OUT.len() + NAMES_BYTES + 6;
    while size_bytes > max_bytes && !headers.is_empty() {
        let weight = |header: &Header<'_>| {
            (header.name == first_to_go.as_bytes(), header.name.len() + header.typed.len())
        };
        let at = (0..headers.len()).max_by_key(|at| weight(&headers[*at])).unwrap_or(0);
        let gone = headers.remove(at);
        size_bytes -= 1 + gone.name.len() + gone.typed.len();
        left_out.push(readable(gone.name));
    }
    let names = left_out.join(", ");
    let names = &names[..names.floor_char_boundary(NAMES_BYTES)];
    let mut typed = vec![b'S'];
    typed.extend(u32::try_from(names.len()).unwrap_or(0).to_be_bytes());
    typed.extend_from_slice(names.as_bytes());
    headers.push(Header { name: HEADER_LEFT_OUT.as_bytes(), typed: &typed });
    parts.headers = Some(headers);
    parts.write()
}
