//! What a service of a system over Redis does with its connection: it works in one mode after the other.

use super::sessions::ServiceSession;
use crate::recount;
use bridge::neighbours::Board;
use messaging::{connection::Session, consumer::Consumer, supervisor::Supervisor, transport::Lost};
use redis_transport::{
    Hub, RedisLink,
    channel::Channel,
    keeper::{self, Keeper},
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long inventory waits for the others to listen before it sends.
const LISTEN_WITHIN: Duration = Duration::from_secs(3);
/// How long what is being sent may take as the mode is changed.
const SEND_OFF: Duration = Duration::from_secs(2);

/// See the module.
pub(crate) struct RedisSession {
    pub of: ServiceSession,
    pub hub: Hub,
    /// Whether it ends as if its process had died, with all that was in its memory.
    pub crashed: AtomicBool,
}

impl Session<RedisLink> for RedisSession {
    async fn run(&self, link: &RedisLink, ready: &(dyn Fn() + Send + Sync)) -> Result<(), Lost> {
        let ServiceSession { neighbours, stop, .. } = &self.of;
        let neighbours = async {
            match neighbours {
                Some(neighbours) => {
                    neighbours.watch(OfRedis(Channel::open(link, PRESENCE).await?), stop).await
                }
                None => Ok(()),
            }
        };
        let work = async {
            while !stop.is_cancelled() {
                self.work(link, ready).await?;
            }
            Ok(())
        };
        tokio::try_join!(work, neighbours)?;
        Ok(())
    }

    async fn cut(&self) -> String {
        let (reason, is_death) = self.of.is_cut_by().await;
        self.crashed.store(is_death, Ordering::Relaxed);
        reason
    }

    fn lost(&self, reason: &str) {
        if self.crashed.swap(false, Ordering::Relaxed) {
            let service = self.of.scope.service;
            self.hub.memory(service).is_gone(&format!("{service} crashed with it in its memory"));
        }
        self.of.lost(reason);
    }
}

impl RedisSession {
    /// Works in the mode that is set, until another one is or the server stops.
    async fn work(&self, link: &RedisLink, ready: &(dyn Fn() + Send + Sync)) -> Result<(), Lost> {
        let ServiceSession { scope, consumer, stop, .. } = &self.of;
        let (system, queue, hub) = (scope.system, consumer.queue, &self.hub);
        let mut ways = hub.ways();
        ways.borrow_and_update();
        let at = link.at(hub);
        at.declare().await?;
        recount::parked(&consumer.journal, keeper::parked(link, queue).await?).await;
        // First nobody sends any more, then nobody listens.
        let (send_no_more, no_more) = (stop.child_token(), stop.child_token());
        let consumer = Consumer { stop: no_more.clone(), ..consumer.clone() };
        let supervisor = Supervisor::start(consumer, &at).await?;
        ready();
        let relay = async {
            let Some(inventory) = &self.of.inventory else { return Ok(()) };
            let outlet = at.outlet();
            if !hub.way().is_kept() {
                hub.register().all_hear(&self.of.listeners(), LISTEN_WITHIN).await;
            }
            hub.publishes(true);
            let relayed = tokio::select! {
                relayed = inventory.relay(system, &outlet, &send_no_more, scope) => relayed,
                // What is held at a gate goes on in the next mode.
                () = over(&send_no_more, SEND_OFF) => Ok(()),
            };
            hub.publishes(false);
            relayed
        };
        let changed = async {
            tokio::select! {
                _ = ways.changed() => {}
                () = stop.cancelled() => return Ok(()),
            }
            send_no_more.cancel();
            hub.is_quiet(SEND_OFF * 2).await;
            no_more.cancel();
            Ok(())
        };
        let keeper = Keeper { link, hub, queue, journal: &self.of.consumer.journal };
        let worked = tokio::try_join!(supervisor.run(), relay, keeper.run(&no_more), changed);
        if worked.is_err() {
            hub.publishes(false);
        }
        worked?;
        at.close(scope.service, stop.is_cancelled()).await
    }
}

/// Waits for so long once that is so.
async fn over(token: &CancellationToken, time: Duration) {
    token.cancelled().await;
    sleep(time).await;
}

/// Where all who use the same Redis hear each other.
const PRESENCE: &str = "skuflow:presence";

struct OfRedis(Channel);

impl Board for OfRedis {
    async fn say(&mut self, greeting: Vec<u8>) -> Result<(), Lost> {
        self.0.publish(&greeting).await
    }

    async fn hear(&mut self) -> Result<Vec<u8>, Lost> {
        self.0.next().await
    }
}
