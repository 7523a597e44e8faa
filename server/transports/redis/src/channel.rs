//! A Pub/Sub channel: who listens hears what is said from then on, and nothing is kept.

use crate::RedisLink;
use futures::StreamExt as _;
use messaging::transport::Lost;
use redis::{
    Msg,
    aio::{PubSubSink, PubSubStream},
    cmd,
};

/// A channel to which we listen, on a connection of its own, and say something over the link.
pub struct Channel {
    link: RedisLink,
    name: String,
    heard: PubSubStream,
    /// The stream ends with it.
    _sink: PubSubSink,
}

impl Channel {
    /// Listens from now on. Redis' channels know nothing of its databases; this one is that of the link's own.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn open(link: &RedisLink, name: &str) -> Result<Self, Lost> {
        let name = format!("{name}:{}", link.url().database());
        let opened = async {
            let (mut sink, heard) = link.url().client().get_async_pubsub().await?.split();
            sink.subscribe(&name).await?;
            Ok((sink, heard))
        };
        let (sink, heard) = opened.await.map_err(|error| link.failed(error))?;
        Ok(Self { link: link.clone(), name, heard, _sink: sink })
    }

    /// Says it to all who listen.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn publish(&self, bytes: &[u8]) -> Result<(), Lost> {
        let mut publish = cmd("PUBLISH");
        publish.arg(&self.name).arg(bytes);
        publish.exec_async(&mut self.link.connection()).await.map_err(|error| self.link.failed(error))
    }

    /// What is said next. Nothing is lost when this is dropped before it is done.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn next(&mut self) -> Result<Vec<u8>, Lost> {
        let said = self.heard.next().await.as_ref().map(Msg::get_payload_bytes).map(<[u8]>::to_vec);
        said.ok_or_else(|| Lost("the connection to Redis is gone".to_owned()))
    }
}
