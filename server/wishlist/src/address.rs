//! An e-mail address: as somebody writes it, and as SMTP carries it.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use lettre::{Address, message::Mailbox};
use std::{
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// The longest address, in bytes as they go over the wire (RFC 5321, section 4.5.3.1.3, without the angle brackets).
const ADDRESS_MAX: usize = 254;

/// Why something is no address that mail can be sent to.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It does not look like one.
    #[error("{0:?} is not an address; use one like ada@example.com")]
    Shape(String),
    /// What stands behind the @ is no domain.
    #[error("{0:?} is not a domain; use one like example.com")]
    Domain(String),
    /// What stands in brackets is no IP address.
    #[error("{0:?} is not an IP address; use one like [192.0.2.1] or [IPv6:2001:db8::1]")]
    Literal(String),
    /// SMTP cannot carry it.
    #[error("the address has {size_bytes} bytes; SMTP carries at most {ADDRESS_MAX}")]
    TooLong {
        /// How long it is on the wire.
        size_bytes: usize,
    },
}

/// An address that was looked at. Only a domain of letters, digits, hyphens and underscores, or an IP address, gets
/// through; nothing of it can end a command or a header early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAddress {
    written: String,
    wire: Address,
}

impl MailAddress {
    /// Reads an address that may have a name in front: `Ada <ada@example.com>`.
    ///
    /// # Errors
    /// When there is none in it.
    pub fn with_name(text: &str) -> Result<(Option<String>, Self), AddressError> {
        let text = text.trim();
        let shape = || AddressError::Shape(text.into());
        let Some(inner) = text.strip_suffix('>') else { return Ok((None, text.parse()?)) };
        // A quoted local part, and a quoted name, may have angle brackets too.
        let mut first_error = None;
        for (at, _) in inner.match_indices('<') {
            match inner[at + 1..].parse() {
                Ok(address) => return Ok((display_name(&text[..at]).ok_or_else(shape)?, address)),
                Err(AddressError::Shape(_)) => {}
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or_else(shape))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// As SMTP and the header carry it: with the domain in ASCII (RFC 5891). What stands before the @ is the
    /// receiver's own and stays as it is; unless that is ASCII, the server must know SMTPUTF8 (RFC 6531).
    #[must_use]
    pub const fn wire(&self) -> &Address {
        &self.wire
    }

    /// Whether any SMTP server can take it.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        let wire: &str = self.wire.as_ref();
        wire.is_ascii()
    }
}

impl FromStr for MailAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let shape = || AddressError::Shape(text.into());
        let (user, domain) = text.rsplit_once('@').ok_or_else(shape)?;
        let domain = wire_domain(domain)?;
        let wire = Address::new(user, domain).map_err(|_| shape())?;
        let size_bytes = AsRef::<str>::as_ref(&wire).len();
        if size_bytes > ADDRESS_MAX {
            return Err(AddressError::TooLong { size_bytes });
        }
        Ok(Self { written: text.into(), wire })
    }
}

/// The domain in ASCII.
fn wire_domain(domain: &str) -> Result<String, AddressError> {
    if let Some(literal) = domain.strip_prefix('[') {
        let is_ip = literal.strip_suffix(']').is_some_and(|ip| match ip.get(..5) {
            Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => ip[5..].parse::<Ipv6Addr>().is_ok(),
            _ => ip.parse::<Ipv4Addr>().is_ok(),
        });
        return is_ip.then(|| domain.into()).ok_or_else(|| AddressError::Literal(domain.into()));
    }
    let wrong = || AddressError::Domain(domain.into());
    if domain.is_ascii() {
        // Underscores are in no host's name, and in some mail domains all the same.
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        return domain.bytes().all(is_fine).then(|| domain.into()).ok_or_else(wrong);
    }
    let ascii =
        Uts46::new().to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow, DnsLength::Verify);
    ascii.map(Into::into).map_err(|_| wrong())
}

/// What stands before an address in angle brackets; `None` when it is no name.
fn display_name(text: &str) -> Option<Option<String>> {
    let mailbox = format!("{text}<ada@example.com>").parse::<Mailbox>().ok()?;
    Some(mailbox.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &str) -> String {
        text.parse::<MailAddress>().map_or_else(|error| error.to_string(), |address| address.wire.to_string())
    }

    #[test]
    fn an_international_domain_travels_as_punycode_and_the_local_part_as_it_is() {
        for (written, travels) in [
            ("user@bücher.example", "user@xn--bcher-kva.example"),
            ("user@BÜCHER.example", "user@xn--bcher-kva.example"),
            ("user@bücher。example", "user@xn--bcher-kva.example"),
            ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
            ("zoë@example.com", "zoë@example.com"),
            ("user@xn--bcher-kva.example", "user@xn--bcher-kva.example"),
            ("User@Example.COM", "User@Example.COM"),
        ] {
            let address: MailAddress = written.parse().unwrap();
            assert_eq!((address.as_str(), address.wire.to_string().as_str()), (written, travels));
        }
        assert!("user@bücher.example".parse::<MailAddress>().unwrap().is_ascii());
        assert!(!"zoë@example.com".parse::<MailAddress>().unwrap().is_ascii());
    }

    #[test]
    fn odd_addresses_that_are_valid_are_taken_as_they_are() {
        for odd in [
            "\"john doe\"@example.com",
            "\"a@b\"@example.com",
            "\"a>b<c\"@example.com",
            "\"\\\"\"@example.com",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "ada+wishes@example.com",
            "ada@localhost",
            "ada@my_host.example",
            "ada@[192.0.2.1]",
            "ada@[IPv6:2001:db8::1]",
        ] {
            assert_eq!(wire(odd), odd);
        }
        let longest =
            format!("{}@{}", "a".repeat(64), ["b".repeat(63), "c".repeat(63), "d".repeat(61)].join("."));
        assert_eq!((longest.len(), wire(&longest)), (254, longest.clone()));
    }

    #[test]
    fn what_smtp_cannot_carry_is_no_address() {
        let label = "b".repeat(63);
        for (wrong, says) in [
            ("nobody".into(), "not an address"),
            ("@example.com".into(), "not an address"),
            ("ada@".into(), "not an address"),
            ("ada lovelace@example.com".into(), "not an address"),
            (".ada@example.com".into(), "not an address"),
            ("ada@example.com\r\nRCPT TO:<all@example.com>".into(), "not a domain"),
            ("ada\r\nBcc: all@example.com".into(), "not an address"),
            ("\"a\r\nb\"@example.com".into(), "not an address"),
            ("ada@exa mple.com".into(), "not a domain"),
            ("ada@example.com>".into(), "not a domain"),
            ("ada@exa!mple.com".into(), "not a domain"),
            ("ada@-example.com".into(), "not an address"),
            ("ada@bü cher.example".into(), "not a domain"),
            ("ada@[nowhere]".into(), "not an IP address"),
            ("ada@[2001:db8::1]".into(), "not an IP address"),
            ("ada@[192.0.2.1".into(), "not an IP address"),
            (format!("{}@example.com", "a".repeat(65)), "not an address"),
            (format!("ada@{}.com", "b".repeat(64)), "not an address"),
            (format!("ada@{}.com", "ü".repeat(60)), "not a domain"),
            (format!("{}@{label}.{label}.{}", "a".repeat(64), "c".repeat(62)), "255 bytes"),
        ] {
            assert!(wire(&wrong).contains(says), "{wrong:?}: {}", wire(&wrong));
        }
    }

    #[test]
    fn a_name_may_stand_in_front() {
        for (written, name, address) in [
            ("ada@example.com", None, "ada@example.com"),
            (" <ada@example.com> ", None, "ada@example.com"),
            ("名前 <ada@example.com>", Some("名前"), "ada@example.com"),
            ("\"Tables, Bobby\" <bobby@bücher.example>", Some("Tables, Bobby"), "bobby@bücher.example"),
            ("\"a <b>\" <\"c <d\"@example.com>", Some("a <b>"), "\"c <d\"@example.com"),
        ] {
            let (found, parsed) = MailAddress::with_name(written).unwrap();
            assert_eq!((found.as_deref(), parsed.as_str()), (name, address), "{written}");
        }
        for wrong in
            ["Ada ada@example.com", "Ada <ada>", "Ada <ada@example.com> Lovelace", "a, b <ada@example.com>"]
        {
            assert!(MailAddress::with_name(wrong).is_err(), "{wrong}");
        }
    }
}
