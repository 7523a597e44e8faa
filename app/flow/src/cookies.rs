//! Who the reader is to the others: an id that the browser makes up, and a name if the reader gives one. Both are
//! cookies, which the page sets and the server reads.

/// The cookie with the browser's id.
pub const ID: &str = "browser";
/// The cookie with the reader's name, percent-encoded.
pub const NAME: &str = "name";

/// What a cookie says in a `Cookie` header (RFC 6265, section 4.2).
#[must_use]
pub fn value_of<'a>(cookies: &'a str, name: &str) -> Option<&'a str> {
    let pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(of, value)| *of == name && !value.is_empty()).map(|(_, value)| value).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        assert_eq!(value_of("theme=dark; browser=b1; name=Ada", ID), Some("b1"));
        assert_eq!(value_of("nickname=x; name=", NAME), None);
    }
}
