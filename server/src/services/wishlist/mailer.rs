//! The mailer: hands stored e-mails to an SMTP server, when one is named. It never keeps a handler waiting.
//!
//! The window in which a crash can send an e-mail twice lies between the server's 250 and our note of it; the
//! Message-ID is the same then, and a good mailbox shows one.

use super::{Wishlist, mail, message};
use chrono::{TimeDelta, Utc};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    address::Envelope,
    transport::smtp::{Error, response::Category},
};
use reqwest::Url;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// How often one e-mail is tried that the server puts off; with the growing pauses, for about half a day.
const TRIES_MAX: u32 = 16;
/// The longest pause between two tries of one e-mail, in seconds.
const PUT_OFF_MAX_S: i64 = 3_600;

/// A connection pool to an SMTP server.
pub type Smtp = AsyncSmtpTransport<Tokio1Executor>;

/// Why an address is no SMTP server's.
#[derive(Debug, thiserror::Error)]
pub enum SmtpUrlError {
    /// It makes no sense.
    #[error("{0}")]
    Smtp(#[from] Error),
    /// A password would be there for all to read.
    #[error("the password would travel unencrypted: add ?tls=required, or use smtps://")]
    Password,
}

/// Reads `smtp://…` (with `?tls=required` for STARTTLS) or `smtps://…`.
///
/// # Errors
/// When it is neither, or would send a password unencrypted over a network.
pub fn parse(url: &str) -> Result<Smtp, SmtpUrlError> {
    let smtp = Smtp::from_url(url)?.build();
    if let Ok(parts) = url.parse::<Url>() {
        let host = parts.host_str().unwrap_or("");
        let is_here = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        let is_open = parts.scheme() == "smtp"
            && !parts.query_pairs().any(|(name, value)| name == "tls" && value == "required");
        if parts.password().is_some() && is_open && !is_here {
            return Err(SmtpUrlError::Password);
        }
    }
    Ok(smtp)
}

/// What became of a try.
enum Tried {
    /// The next one can have its turn.
    Next,
    /// There is none to send now.
    Nothing,
}

impl Wishlist {
    /// Sends what is stored and not yet sent, oldest first, until told to stop.
    pub async fn send_mail(&self, smtp: Smtp, stop: CancellationToken) {
        let mut stored = self.stored_emails.subscribe();
        let mut backoff = BACKOFF_MIN;
        while !stop.is_cancelled() {
            stored.mark_unchanged();
            let wait = tokio::select! {
                tried = self.send_next(&smtp) => match tried {
                    Ok(Tried::Next) => {
                        backoff = BACKOFF_MIN;
                        continue;
                    }
                    // What was put off wants to be looked at again some time.
                    Ok(Tried::Nothing) => BACKOFF_MIN,
                    Err(error) => {
                        tracing::warn!(%error, "no e-mail could be sent; trying again");
                        let wait = backoff;
                        backoff = (backoff * 2).min(BACKOFF_MAX);
                        sleep_or_stop(wait, &stop).await;
                        continue;
                    }
                },
                () = stop.cancelled() => break,
            };
            tokio::select! {
                () = stop.cancelled() => {}
                _ = stored.changed() => {}
                () = sleep(wait) => {}
            }
        }
    }

    async fn send_next(&self, smtp: &Smtp) -> Result<Tried, Box<dyn std::error::Error + Send + Sync>> {
        let Some(next) = self.store.read(|tx| mail::next_for_smtp(tx, Utc::now())).await? else {
            return Ok(Tried::Nothing);
        };
        let sender: Address = message::SENDER.parse()?;
        let envelope = Envelope::new(Some(sender), vec![next.to.parse::<Address>()?])?;
        let Err(error) = smtp.send_raw(&envelope, &next.source).await else {
            self.store.write(move |tx| mail::done_by_smtp(tx, next.id, None)).await?;
            return Ok(Tried::Next);
        };
        // An x3z reply is about us and not about this e-mail: it wants a (better) password (RFC 4954, section 6).
        let is_about_us = error.status().is_none_or(|code| code.category == Category::Unspecified3);
        if is_about_us {
            return Err(error.into());
        }
        let reason = reason(&error);
        // A 5yz is final (RFC 5321, section 4.2.1): this address will not take it, the others still may.
        if error.is_permanent() || next.tries + 1 >= TRIES_MAX {
            tracing::warn!(to = %next.to, %reason, "the SMTP server refused an e-mail");
            self.store.write(move |tx| mail::done_by_smtp(tx, next.id, Some(&reason))).await?;
        } else {
            let pause = TimeDelta::seconds((1_i64 << next.tries.min(12)).min(PUT_OFF_MAX_S));
            self.store.write(move |tx| mail::put_off(tx, next.id, &reason, Utc::now() + pause)).await?;
        }
        Ok(Tried::Next)
    }
}

async fn sleep_or_stop(wait: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = sleep(wait) => {}
    }
}

/// The server's own words.
fn reason(error: &Error) -> String {
    use std::error::Error as _;
    let words = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    error.status().map_or_else(|| words.clone(), |code| format!("{code} {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_password_travels_unencrypted() {
        for (url, is_fine) in [
            ("smtp://mail.example.com", true),
            ("smtp://me:secret@127.0.0.1:2525", true),
            ("smtp://me:secret@mail.example.com?tls=required", true),
            ("smtps://me:secret@mail.example.com", true),
            ("smtp://me:secret@mail.example.com", false),
            ("smtp://me:secret@mail.example.com?tls=opportunistic", false),
            ("http://mail.example.com", false),
        ] {
            assert_eq!(parse(url).is_ok(), is_fine, "{url}");
        }
    }
}
