//! What an e-mail says, as MIME carries it (RFC 2045 and 5322): as text and as HTML, with a way to hear no more.

use super::address::MailAddress;
use flow::{Availability, Sku, System};
use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The sender, and where what cannot be delivered goes back to.
pub const SENDER: &str = "wishlist@example.com";
const SENDER_NAME: &str = "Skuflow wishlist";

/// Whom an e-mail is for.
#[derive(Debug, Clone)]
pub struct Receiver {
    pub email: String,
    /// What they are called, if they said so.
    pub name: Option<String>,
    /// With which they can take their wish away.
    pub token: String,
}

/// An e-mail, in each form in which somebody needs it.
#[derive(Debug, Clone)]
pub struct Written {
    pub subject: String,
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// All of it, as SMTP carries it.
    pub source: Vec<u8>,
}

/// The address at which a wish can be taken away. `base` is the page's.
fn unsubscribe_url(base: &str, system: System, token: &str) -> String {
    format!("{base}{}", system.api(&format!("wishlist/unsubscribe/{token}")))
}

/// The same for the same wish and the same return of the SKU, and nowhere else (RFC 5322, section 3.6.4).
fn message_id(token: &str, became_available: u64) -> String {
    let hash = Sha256::digest(format!("{token} {became_available}"));
    let name = hash[..16].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    format!("<{name}@skuflow.example.com>")
}

/// Writes the e-mail that tells of a SKU's return.
///
/// # Panics
/// Never: what it is made of was parsed on its way in.
#[must_use]
pub fn write(base: &str, system: System, known: Availability, to: &Receiver) -> Written {
    let Availability { sku, quantity, version, .. } = known;
    let subject = format!("{sku} is available again");
    let url = unsubscribe_url(base, system, &to.token);
    // A header has no control characters (RFC 5322, section 2.2); the edge refuses them, a store that somebody edited
    // may hold them.
    let name = to.name.as_ref().map(|name| name.replace(char::is_control, " "));
    let greeting = name.as_ref().map_or_else(|| "Hello".to_owned(), |name| format!("Hello {name}"));
    let text = format!(
        "{greeting},\n\nyou wished for {sku}. It is available again: {quantity} in stock.\n\n\
         Yours,\nthe wishlist\n\nTo hear no more of {sku}:\n{url}\n"
    );
    let html = html(&greeting, sku, quantity, &url);
    let sender: Address = SENDER.parse().expect("the sender's address is well formed");
    let raw = |name, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
    // The library would read the receiver from the header, and does not understand every address there.
    let envelope = Envelope::new(Some(sender.clone()), vec![sender.clone()]).expect("there is a receiver");
    let message = Message::builder().envelope(envelope).from(Mailbox::new(Some(SENDER_NAME.into()), sender));
    let message = match to.email.parse::<MailAddress>() {
        Ok(address) => message.to(Mailbox::new(name, address.wire().clone())),
        // An earlier version, or somebody who edited the store, may have let it in. It will not be sent, but is shown.
        Err(_) => message.raw_header(raw("To", to.email.replace(char::is_control, " "))),
    };
    let source = message
        .subject(&subject)
        .message_id(Some(message_id(&to.token, version)))
        .date_now()
        .raw_header(raw("List-Unsubscribe", format!("<{url}>")))
        // One click is enough (RFC 8058).
        .raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".into()))
        .multipart(MultiPart::alternative_plain_html(text.clone(), html.clone()))
        .expect("sender and receiver are set")
        .formatted();
    Written { subject, text, html, source }
}

fn html(greeting: &str, sku: Sku, quantity: u32, url: &str) -> String {
    let (greeting, url) = (escape(greeting), escape(url));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{sku} is available again</title>\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <style>body{{font:16px/1.5 system-ui,sans-serif;margin:1.5rem;max-width:34rem}}small{{opacity:.8}}</style>\n\
         </head>\n<body>\n<p>{greeting},</p>\n\
         <p>you wished for <strong>{sku}</strong>. It is available again: <strong>{quantity}</strong> in stock.</p>\n\
         <p>Yours,<br>the wishlist</p>\n<hr>\n\
         <p><small><a href=\"{url}\" target=\"_blank\" rel=\"noopener\">Hear no more of {sku}</a></small></p>\n\
         </body>\n</html>\n"
    )
}

/// Text as HTML shows it, in elements and in quoted attributes.
#[must_use]
pub fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: Option<&str>, token: &str) -> Written {
        let known =
            Availability { sku: Sku::parse("MUG-RED").unwrap(), available: true, quantity: 3, version: 7 };
        let to =
            Receiver { email: "zoe@example.com".into(), name: name.map(Into::into), token: token.into() };
        write("http://127.0.0.1:3000", flow::Style::Choreography.into(), known, &to)
    }

    fn header(written: &Written, name: &str) -> String {
        let source = String::from_utf8(written.source.clone()).unwrap();
        let (head, _) = source.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ");
        let found = unfolded.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("no {name} in {head}")).trim().to_owned()
    }

    #[test]
    fn the_same_return_has_the_same_message_id_and_another_has_another() {
        let id = |token| header(&written(None, token), "Message-ID");
        assert_eq!(id("a"), id("a"));
        assert_ne!(id("a"), id("b"));
        assert_ne!(message_id("a", 1), message_id("a", 2));
        assert!(!id("secret").contains("secret"));
    }

    #[test]
    fn any_name_goes_over_the_wire_in_ascii_and_does_no_harm_in_html() {
        for name in
            ["Zoë Ångström", "名前", "<b>Bobby</b> \"Tables\", Jr.", "a\r\nBcc: all@example.com", "🎁"]
        {
            let written = written(Some(name), "t");
            assert!(written.source.is_ascii(), "{name}");
            assert!(!written.html.contains("<b>"), "{name}");
            let source = String::from_utf8(written.source.clone()).unwrap();
            assert!(!source.contains("\nBcc:"), "{source}");
            assert!(header(&written, "To").contains("<zoe@example.com>"), "{source}");
        }
    }

    #[test]
    fn any_address_is_written_and_an_international_domain_in_ascii() {
        for (email, header_to) in [
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("zoë@bücher.example", "zoë@xn--bcher-kva.example"),
            ("\"john doe\"@example.com", "\"john doe\"@example.com"),
            ("\"a@b\"@example.com", "\"a@b\"@example.com"),
            ("nobody", "nobody"),
            ("ada@example.com\r\nBcc: all@example.com", "ada@example.com  Bcc: all@example.com"),
        ] {
            let known = Availability {
                sku: Sku::parse("MUG-RED").unwrap(),
                available: true,
                quantity: 3,
                version: 7,
            };
            let to = Receiver { email: email.into(), name: None, token: "t".into() };
            let written = write("http://127.0.0.1:3000", flow::Style::Choreography.into(), known, &to);
            assert_eq!(header(&written, "To"), header_to);
            assert!(!String::from_utf8(written.source).unwrap().contains("\nBcc:"), "{email}");
        }
    }

    #[test]
    fn it_is_text_and_html_with_a_way_to_hear_no_more() {
        let written = written(None, "t0ken");
        assert!(header(&written, "Content-Type").starts_with("multipart/alternative"));
        let url = "http://127.0.0.1:3000/api/choreography/wishlist/unsubscribe/t0ken";
        assert_eq!(header(&written, "List-Unsubscribe"), format!("<{url}>"));
        assert_eq!(header(&written, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        assert!(written.text.contains(url) && written.html.contains(url));
    }
}
