//! A worker's place in whatever way messages are taken: at what Redis keeps, at its service's memory, or at both.

use crate::{
    RedisLink,
    aside::{HeldAside, RedisAside},
    intake::{Origin, RedisIntake},
    resque::Registry,
};
use flow::topology::Queue;
use messaging::{
    Envelope,
    lossy::MemoryIntake,
    publisher::PublishError,
    transport::{Aside, Intake, Lost, Place, Taken},
    worker::WorkerError,
};
use std::sync::Arc;

/// Names a message until it is settled.
#[derive(Debug, Clone)]
pub enum Tag {
    /// Redis keeps it.
    Kept(Arc<Origin>),
    /// It is in memory only.
    Held(u64),
}

/// See the module.
pub struct RedisPlace {
    pub(crate) queue: &'static Queue,
    pub(crate) kept: Option<RedisIntake>,
    pub(crate) held: Option<MemoryIntake<HeldAside>>,
    /// Where Resque's pages look.
    pub(crate) registry: Option<Registry>,
    pub(crate) in_hand: usize,
    pub(crate) link: RedisLink,
}

/// Where its messages are put that failed.
#[derive(Clone)]
pub struct PlaceAside {
    kept: Option<RedisAside>,
    held: Option<HeldAside>,
}

fn nowhere() -> Lost {
    Lost("the mode was changed".to_owned())
}

impl Aside for PlaceAside {
    type Tag = Tag;

    async fn put(
        &self,
        tag: &Tag,
        queue: &'static Queue,
        envelope: &Envelope,
        place: Place,
    ) -> Result<(), PublishError> {
        match (tag, &self.kept, &self.held) {
            (Tag::Kept(origin), Some(kept), _) => kept.put(origin, queue, envelope, place).await,
            (Tag::Held(number), _, Some(held)) => held.put(number, queue, envelope, place).await,
            _ => Err(nowhere().into()),
        }
    }
}

fn kept(taken: Taken<Arc<Origin>>) -> Taken<Tag> {
    let Taken { tag, envelope, exchange, redelivered, unreadable } = taken;
    Taken { tag: Tag::Kept(tag), envelope, exchange, redelivered, unreadable }
}

fn held(taken: Taken<u64>) -> Taken<Tag> {
    let Taken { tag, envelope, exchange, redelivered, unreadable } = taken;
    Taken { tag: Tag::Held(tag), envelope, exchange, redelivered, unreadable }
}

impl Intake for RedisPlace {
    type Tag = Tag;
    type Aside = PlaceAside;

    fn aside(&self) -> PlaceAside {
        PlaceAside {
            kept: self.kept.as_ref().map(Intake::aside),
            held: self.held.as_ref().map(Intake::aside),
        }
    }

    async fn next(&mut self) -> Result<Taken<Tag>, WorkerError> {
        let taken = match (&mut self.kept, &mut self.held) {
            (Some(one), Some(other)) => tokio::select! {
                taken = one.next() => kept(taken?),
                taken = other.next() => held(taken?),
            },
            (Some(one), None) => kept(one.next().await?),
            (None, Some(other)) => held(other.next().await?),
            (None, None) => return Err(nowhere().into()),
        };
        self.in_hand += 1;
        if let Some(registry) = &self.registry {
            registry.works_on(&taken.envelope, self.queue);
        }
        Ok(taken)
    }

    async fn done(&mut self, tags: &[Tag]) -> Result<(), WorkerError> {
        let mut of_redis = Vec::new();
        let mut of_memory = Vec::new();
        for tag in tags {
            match tag {
                Tag::Kept(origin) => of_redis.push(Arc::clone(origin)),
                Tag::Held(number) => of_memory.push(*number),
            }
        }
        if let (Some(one), false) = (&mut self.kept, of_redis.is_empty()) {
            one.done(&of_redis).await?;
        }
        if let (Some(other), false) = (&mut self.held, of_memory.is_empty()) {
            other.done(&of_memory).await?;
        }
        for _ in tags {
            self.in_hand = self.in_hand.saturating_sub(1);
            if let Some(registry) = &self.registry {
                registry.is_done(self.in_hand == 0);
            }
        }
        Ok(())
    }

    async fn give_back(&mut self, tag: Tag) -> Result<(), WorkerError> {
        self.in_hand = self.in_hand.saturating_sub(1);
        match (tag, &mut self.kept, &mut self.held) {
            (Tag::Kept(origin), Some(one), _) => one.give_back(origin).await,
            (Tag::Held(number), _, Some(other)) => other.give_back(number).await,
            _ => Err(nowhere().into()),
        }
    }

    async fn pause(&mut self) -> Result<(), WorkerError> {
        if let Some(one) = &mut self.kept {
            one.pause().await?;
        }
        match &mut self.held {
            Some(other) => other.pause().await,
            None => Ok(()),
        }
    }

    async fn resume(&mut self, prefetch: u16) -> Result<(), WorkerError> {
        if let Some(one) = &mut self.kept {
            one.resume(prefetch).await?;
        }
        match &mut self.held {
            Some(other) => other.resume(prefetch).await,
            None => Ok(()),
        }
    }

    async fn beat(&mut self) -> Result<(), WorkerError> {
        match &mut self.kept {
            Some(one) => one.beat().await,
            // Without something that Redis keeps, nobody takes anything over; but whether Redis is there matters.
            None => Ok(self.link.ping().await?),
        }
    }

    async fn close(&mut self) {
        if let Some(one) = &mut self.kept {
            one.close().await;
        }
        if let Some(other) = &mut self.held {
            other.close().await;
        }
    }
}
