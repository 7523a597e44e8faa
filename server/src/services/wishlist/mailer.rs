//! The mailer: hands stored e-mails to an SMTP server, when one is named. It never keeps a handler waiting.
//!
//! The window in which a crash can send an e-mail twice lies between the server's 250 and our note of it.

use super::{Wishlist, mail};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor, address::Envelope, transport::smtp::Error,
};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// A connection pool to an SMTP server.
pub type Smtp = AsyncSmtpTransport<Tokio1Executor>;

/// Reads `smtp://…` or `smtps://…`.
///
/// # Errors
/// When it is neither.
pub fn parse(url: &str) -> Result<Smtp, Error> {
    Ok(Smtp::from_url(url)?.build())
}

impl Wishlist {
    /// Sends what is stored and not yet sent, oldest first, until told to stop.
    pub async fn send_mail(&self, smtp: Smtp, stop: CancellationToken) {
        let mut stored = self.stored_emails.subscribe();
        let mut backoff = BACKOFF_MIN;
        while !stop.is_cancelled() {
            let wait = match self.send_next(&smtp).await {
                Ok(true) => {
                    backoff = BACKOFF_MIN;
                    continue;
                }
                Ok(false) => None,
                Err(error) => {
                    tracing::warn!(%error, "an e-mail could not be sent; trying again");
                    Some(backoff)
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                _ = stored.changed(), if wait.is_none() => {}
                () = sleep(wait.unwrap_or(BACKOFF_MAX)), if wait.is_some() => backoff = (backoff * 2).min(BACKOFF_MAX),
            }
        }
    }

    async fn send_next(&self, smtp: &Smtp) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        let Some(next) = self.store.read(mail::next_for_smtp).await? else { return Ok(false) };
        let envelope =
            Envelope::new(Some(Address::new("wishlist", "example.com")?), vec![next.to.parse::<Address>()?])?;
        match smtp.send_raw(&envelope, &next.source).await {
            Ok(_) => {}
            // A 5xx is final (RFC 5321, section 4.2.1): this address will not take it, the others still may.
            Err(error) if error.is_permanent() => {
                tracing::warn!(to = %next.to, %error, "the SMTP server refused an e-mail");
            }
            Err(error) => return Err(error.into()),
        }
        self.store.write(move |tx| mail::done_by_smtp(tx, next.id)).await?;
        Ok(true)
    }
}
