//! Publishing with confirms, a timeout on each.

use super::{Envelope, transport::Lost};
use futures::{FutureExt, future::BoxFuture};
use lapin::{
    Channel, Confirmation, Connection, ConnectionStatus, PublisherConfirm,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use std::{
    fmt,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::time::timeout;

/// How long a confirm may take. A broker under disk pressure needs seconds; one that is gone needs forever.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a message is not known to be safe with the broker.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The connection or channel failed.
    #[error("publishing failed: {0}")]
    Lost(#[from] Lost),
    /// The other side refused responsibility (in AMQP, `basic.nack`), and said why if it did.
    #[error("the message was refused{}", .0.as_ref().map_or_else(String::new, |why| format!(": {why}")))]
    Refused(Option<String>),
    /// Nobody was there to take it, or to acknowledge it so far: it is sent again by itself, soon.
    #[error("{0}")]
    NotTaken(String),
    /// The broker said nothing.
    #[error("the broker did not confirm within {} s", CONFIRM_TIMEOUT.as_secs())]
    Timeout,
    /// What to publish could not be read, or its confirm not be noted.
    #[error(transparent)]
    Store(store::StoreError),
    /// No queue took it.
    #[error("no queue took the message: {reply_code} {reply_text}")]
    Returned { reply_code: u16, reply_text: String },
}

impl From<lapin::Error> for PublishError {
    fn from(error: lapin::Error) -> Self {
        Self::Lost(error.into())
    }
}

/// A channel in confirm mode.
#[derive(Debug, Clone)]
pub struct Publisher {
    channel: Channel,
    connection: ConnectionStatus,
    /// Who we are to the broker.
    user: Arc<str>,
}

/// A message on its way; the broker has yet to take responsibility.
#[must_use = "a message is safe only once it is confirmed"]
pub struct InFlight {
    written: BoxFuture<'static, lapin::Result<PublisherConfirm>>,
    connection: ConnectionStatus,
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InFlight")
    }
}

impl Publisher {
    /// Opens a channel of its own on the connection.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn open(connection: &Connection) -> lapin::Result<Self> {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let connection = connection.status().clone();
        Ok(Self { channel, user: connection.username().into(), connection })
    }

    /// Sends a mandatory message: it stands in line for the socket when this returns, behind all that were sent before
    /// it. To wait for each until it is written would cost two changes of threads for each.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(
        &self,
        exchange: &str,
        routing_key: &str,
        envelope: &Envelope,
        expiration_ms: Option<u64>,
    ) -> Result<InFlight, PublishError> {
        let mandatory = BasicPublishOptions { mandatory: true, immediate: false };
        let (properties, body) = envelope.publishable(expiration_ms, &self.user);
        let channel = self.channel.clone();
        let (exchange, routing_key) = (exchange.into(), routing_key.into());
        let mut writing =
            async move { channel.basic_publish(exchange, routing_key, mandatory, &body, properties).await }
                .boxed();
        // lapin puts it in line when it is first polled, and is done when it is written.
        let written = match writing.poll_unpin(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(error)) => return Err(error.into()),
            Poll::Ready(Ok(confirm)) => futures::future::ready(Ok(confirm)).boxed(),
            Poll::Pending => writing,
        };
        Ok(InFlight { written, connection: self.connection.clone() })
    }
}

impl InFlight {
    /// Waits until the broker has taken responsibility and at least one queue has the message. While the broker blocks
    /// the connection its silence means nothing: to send the same once more would only give it more to do later.
    ///
    /// # Errors
    /// When the broker refused, returned it, stayed silent or went away. The message may have arrived all the
    /// same, so sending it again must be harmless.
    pub async fn confirmed(self) -> Result<(), PublishError> {
        let Self { written, connection } = self;
        let mut confirm = pin!(async { written.await?.await });
        let confirmation = loop {
            match timeout(CONFIRM_TIMEOUT, &mut confirm).await {
                Ok(confirmation) => break confirmation?,
                Err(_) if connection.blocked() => {}
                Err(_) => return Err(PublishError::Timeout),
            }
        };
        match confirmation {
            Confirmation::Ack(None) => Ok(()),
            // lapin hands over the basic.return together with the ack that follows it.
            Confirmation::Ack(Some(returned)) => Err(PublishError::Returned {
                reply_code: returned.reply_code,
                reply_text: returned.reply_text.as_str().to_owned(),
            }),
            Confirmation::Nack(_) | Confirmation::NotRequested => Err(PublishError::Refused(None)),
        }
    }
}
