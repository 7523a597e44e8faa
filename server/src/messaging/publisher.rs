//! Publishing with confirms, a timeout on each.

use super::Envelope;
use lapin::{
    Channel, Confirmation, Connection, PublisherConfirm,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use std::time::Duration;
use tokio::time::timeout;

/// How long a confirm may take. A broker under disk pressure needs seconds; one that is gone needs forever.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a message is not known to be safe with the broker.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The connection or channel failed.
    #[error("publishing failed: {0}")]
    Amqp(#[from] lapin::Error),
    /// The broker refused responsibility (`basic.nack`).
    #[error("the broker refused the message")]
    Refused,
    /// The broker said nothing.
    #[error("the broker did not confirm within {} s", CONFIRM_TIMEOUT.as_secs())]
    Timeout,
    /// What to publish could not be read, or its confirm not be noted.
    #[error(transparent)]
    Store(crate::store::StoreError),
    /// No queue took it.
    #[error("no queue took the message: {reply_code} {reply_text}")]
    Returned {
        /// The reply code.
        reply_code: u16,
        /// The broker's words.
        reply_text: String,
    },
}

/// A channel in confirm mode.
#[derive(Debug, Clone)]
pub struct Publisher {
    channel: Channel,
}

/// A message on its way; the broker has yet to take responsibility.
#[must_use = "a message is safe only once it is confirmed"]
#[derive(Debug)]
pub struct InFlight(PublisherConfirm);

impl Publisher {
    /// Opens a channel of its own on the connection.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn open(connection: &Connection) -> lapin::Result<Self> {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { channel })
    }

    /// Sends a mandatory message. Sends from one task keep their order.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(
        &self,
        exchange: &str,
        routing_key: &str,
        envelope: &Envelope,
        expiration_ms: Option<u64>,
    ) -> Result<InFlight, PublishError> {
        let mandatory = BasicPublishOptions { mandatory: true, immediate: false };
        let mut properties = envelope.properties();
        if let Some(ms) = expiration_ms {
            properties = properties.with_expiration(ms.to_string().as_str().into());
        }
        let confirm = self
            .channel
            .basic_publish(exchange.into(), routing_key.into(), mandatory, &envelope.body, properties)
            .await?;
        Ok(InFlight(confirm))
    }
}

impl InFlight {
    /// Waits until the broker has taken responsibility and at least one queue has the message.
    ///
    /// # Errors
    /// When the broker refused, returned it, stayed silent or went away. The message may have arrived all the
    /// same, so sending it again must be harmless.
    pub async fn confirmed(self) -> Result<(), PublishError> {
        match timeout(CONFIRM_TIMEOUT, self.0).await.map_err(|_| PublishError::Timeout)?? {
            Confirmation::Ack(None) => Ok(()),
            // lapin hands over the basic.return together with the ack that follows it.
            Confirmation::Ack(Some(returned)) => Err(PublishError::Returned {
                reply_code: returned.reply_code,
                reply_text: returned.reply_text.as_str().to_owned(),
            }),
            Confirmation::Nack(_) | Confirmation::NotRequested => Err(PublishError::Refused),
        }
    }
}
