//! All transports whose systems start when they are first used.

use crate::{redis::RedisSystems, zeromq::ZeromqSystems};
use flow::{System, Transport};
use futures::future::BoxFuture;
use inventory::intake;

/// See the module; clones share them.
#[derive(Debug, Clone)]
pub struct Carriers {
    pub redis: RedisSystems,
    pub zeromq: ZeromqSystems,
}

impl Carriers {
    /// Sets a system to work unless it is. What is over AMQP always is.
    ///
    /// # Errors
    /// What to mend where that is not possible.
    pub async fn wake(&self, system: System) -> Result<(), String> {
        match system.transport {
            Transport::Amqp => Ok(()),
            Transport::Redis => self.redis.wake(system).await.map_err(|error| error.to_string()),
            Transport::Zeromq => self.zeromq.wake(system).await,
        }
    }
}

impl intake::Carriers for Carriers {
    fn wake(&self, system: System) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(Self::wake(self, system))
    }
}
