//! The SMTP server: how it is reached, and how it is given one e-mail (RFC 5321).
//!
//! What goes wrong before `MAIL FROM` is the server's trouble, and all e-mails wait. What goes wrong from there on is
//! the trouble of that one e-mail, and the others go on. Each e-mail has a connection of its own, so that a server
//! that hangs up does so on nobody else.

use super::{address::MailAddress, message};
use lettre::{
    AsyncSmtpTransport, Tokio1Executor,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Tls, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::{Category, Response},
    },
};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use std::{fmt::Display, net::IpAddr, time::Duration};
use tokio::time::timeout;

const SMTP_PORT: u16 = 25;
const SUBMISSION_PORT: u16 = 587;
const SUBMISSIONS_PORT: u16 = 465;
/// For one address of the server; a name may have several.
const DIAL_TIMEOUT: Duration = Duration::from_secs(15);
/// From the first packet until the server would take an e-mail.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);
/// The waits that RFC 5321 asks for at least (section 4.5.3.2).
const COMMAND_TIMEOUT: Duration = Duration::from_secs(300);
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(600);
/// A good-bye is a courtesy.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);
/// As much of the server's words as is kept, in characters.
const WORDS_MAX: usize = 400;

/// Why an address is no SMTP server's.
#[derive(Debug, thiserror::Error)]
pub enum SmtpUrlError {
    /// It makes no sense.
    #[error("{0}")]
    Smtp(#[from] Error),
    /// A password would be there for all to read.
    #[error("the password would travel unencrypted: add ?tls=required, or use smtps://")]
    Password,
    /// It is no URL.
    #[error("this is not the address of an SMTP server")]
    Url,
}

/// Where an SMTP server is, and how it wants to be spoken to.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    host: String,
    port: u16,
    tls: Tls,
    hello: ClientId,
    credentials: Option<Credentials>,
}

/// What became of an e-mail that did not go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The server wants something of us first; no e-mail would fare better.
    Server(String),
    /// This e-mail will never go.
    Final(String),
    /// It may go later.
    Passing {
        reason: String,
        /// Whether the server had all of it, so that it may have taken it all the same.
        perhaps_taken: bool,
    },
}

/// How far the handing over has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Sender,
    Recipient,
    Data,
    Message,
}

impl SmtpServer {
    /// Reads `smtp://…` (with `?tls=required` for STARTTLS) or `smtps://…`.
    ///
    /// # Errors
    /// When it is neither, or would send a password unencrypted over a network.
    pub fn parse(url: &str) -> Result<Self, SmtpUrlError> {
        // The library knows what makes sense, but keeps what it read to itself.
        AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?;
        let parts: Url = url.parse().map_err(|_| SmtpUrlError::Url)?;
        let host = parts.host_str().ok_or(SmtpUrlError::Url)?;
        let asked = parts.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let parameters = || TlsParameters::new(host.into());
        let (tls, port) = match (parts.scheme(), asked.as_deref()) {
            ("smtps", _) => (Tls::Wrapper(parameters()?), SUBMISSIONS_PORT),
            (_, Some("required")) => (Tls::Required(parameters()?), SUBMISSION_PORT),
            (_, Some(_)) => (Tls::Opportunistic(parameters()?), SUBMISSION_PORT),
            (_, None) => (Tls::None, SMTP_PORT),
        };
        // A literal IPv6 address has brackets in a URL, and nowhere else.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        if parts.password().is_some() && matches!(tls, Tls::None | Tls::Opportunistic(_)) && !is_here {
            return Err(SmtpUrlError::Password);
        }
        let plain = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let name = parts.path().trim_matches('/');
        Ok(Self {
            host,
            port: parts.port().unwrap_or(port),
            tls,
            hello: if name.is_empty() { ClientId::default() } else { ClientId::Domain(name.into()) },
            credentials: parts
                .password()
                .map(|password| Credentials::new(plain(parts.username()), plain(password))),
        })
    }

    /// Connects, and goes on until the server would take an e-mail: greeting, EHLO, TLS and password.
    ///
    /// # Errors
    /// When the server cannot be used now, for whichever e-mail; says why.
    pub async fn connect(&self) -> Result<Session, String> {
        match timeout(CONNECT_TIMEOUT, self.open()).await {
            Ok(Ok(connection)) => Ok(Session { connection }),
            Ok(Err(error)) => Err(words(&error)),
            Err(_) => Err(format!("it has not let us in within {} seconds", CONNECT_TIMEOUT.as_secs())),
        }
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, Error> {
        let from_the_start = match &self.tls {
            Tls::Wrapper(parameters) => Some(parameters.clone()),
            _ => None,
        };
        let place = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(place, Some(DIAL_TIMEOUT), &self.hello, from_the_start, None)
                .await?;
        match &self.tls {
            Tls::Required(parameters) => connection.starttls(parameters.clone(), &self.hello).await?,
            Tls::Opportunistic(parameters) if connection.can_starttls() => {
                connection.starttls(parameters.clone(), &self.hello).await?;
            }
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

/// A connection over which one e-mail may go.
pub struct Session {
    connection: AsyncSmtpConnection,
}

impl Session {
    /// Hands the e-mail over.
    ///
    /// # Errors
    /// When the server has not said that it took it.
    pub async fn deliver(&mut self, to: &MailAddress, source: &[u8]) -> Result<(), Trouble> {
        let offers = |extension| self.connection.server_info().supports_feature(extension);
        let mut options = Vec::new();
        if !to.is_ascii() {
            if !offers(Extension::SmtpUtfEight) {
                return Err(Trouble::Final(
                    "the part of the address before the @ is not ASCII, and the SMTP server does not offer SMTPUTF8"
                        .into(),
                ));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if !source.is_ascii() {
            if !offers(Extension::EightBitMime) {
                return Err(Trouble::Final(
                    "the e-mail is not ASCII, and the SMTP server does not offer 8BITMIME".into(),
                ));
            }
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let sender = message::SENDER.parse().expect("the sender's address is well formed");
        self.command(Step::Sender, Mail::new(Some(sender), options)).await?;
        self.command(Step::Recipient, Rcpt::new(to.wire().clone(), Vec::new())).await?;
        self.command(Step::Data, Data).await?;
        answer(Step::Message, timeout(MESSAGE_TIMEOUT, self.connection.message(source)).await)
    }

    pub async fn quit(mut self) {
        let _ = timeout(QUIT_TIMEOUT, self.connection.quit()).await;
    }

    async fn command(&mut self, step: Step, command: impl Display) -> Result<(), Trouble> {
        answer(step, timeout(COMMAND_TIMEOUT, self.connection.command(command)).await)
    }
}

/// What an answer at that step means.
fn answer<T>(step: Step, answer: Result<Result<Response, Error>, T>) -> Result<(), Trouble> {
    let what = match step {
        Step::Sender => "to MAIL FROM",
        Step::Recipient => "to RCPT TO",
        Step::Data => "to DATA",
        Step::Message => "after the whole message",
    };
    let passing = |reason| Trouble::Passing { reason, perhaps_taken: step == Step::Message };
    let error = match answer {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error,
        Err(_) => return Err(passing(format!("the SMTP server did not answer {what}"))),
    };
    let words = words(&error);
    let Some(code) = error.status() else {
        return Err(passing(format!("the SMTP server hung up and did not answer {what} ({words})")));
    };
    // An x3z reply wants a (better) password (RFC 4954, section 6), and no receiver was named yet.
    if step == Step::Sender && code.category == Category::Unspecified3 {
        return Err(Trouble::Server(words));
    }
    // A 5yz is final (RFC 5321, section 4.2.1): this address will not take it, the others still may.
    if error.is_permanent() {
        return Err(Trouble::Final(words));
    }
    Err(Trouble::Passing { reason: words, perhaps_taken: false })
}

/// The server's own words, in one line; or the library's, when there are none.
fn words(error: &Error) -> String {
    use std::error::Error as _;
    let words = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let words = error.status().map_or_else(|| words.clone(), |code| format!("{code} {words}"));
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_password_travels_unencrypted() {
        for (url, is_fine) in [
            ("smtp://mail.example.com", true),
            ("smtp://me:secret@127.0.0.1:2525", true),
            ("smtp://me:secret@[::1]:2525", true),
            ("smtp://me:secret@mail.example.com?tls=required", true),
            ("smtps://me:secret@mail.example.com", true),
            ("smtp://me:secret@mail.example.com", false),
            ("smtp://me:secret@mail.example.com?tls=opportunistic", false),
            ("http://mail.example.com", false),
        ] {
            assert_eq!(SmtpServer::parse(url).is_ok(), is_fine, "{url}");
        }
    }

    #[tokio::test]
    async fn the_port_is_the_usual_one_of_its_kind_unless_another_is_named() {
        for (url, host, port) in [
            ("smtp://mail.example.com", "mail.example.com", 25),
            ("smtp://mail.example.com?tls=required", "mail.example.com", 587),
            ("smtps://mail.example.com", "mail.example.com", 465),
            ("smtp://[::1]:2525", "::1", 2525),
        ] {
            let server = SmtpServer::parse(url).unwrap();
            assert_eq!((server.host.as_str(), server.port), (host, port), "{url}");
        }
    }
}
