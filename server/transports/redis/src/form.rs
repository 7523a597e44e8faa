//! In whose form jobs are: Sidekiq's or Resque's. Where they lie, from which end they are taken, and how they are written.
//!
//! Read is what either has written, wherever it lies: a job that waited while the mode was changed is handled all the same.

use crate::{job::Job, names, resque};
use flow::topology::Queue;
use messaging::Envelope;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    Sidekiq,
    Resque,
}

impl Form {
    pub const ALL: [Self; 2] = [Self::Sidekiq, Self::Resque];

    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Sidekiq => Self::Resque,
            Self::Resque => Self::Sidekiq,
        }
    }

    /// The list in which the jobs of a queue wait.
    #[must_use]
    pub fn list(self, queue: &Queue) -> String {
        match self {
            Self::Sidekiq => queue.name.to_owned(),
            Self::Resque => format!("resque:queue:{}", names::list(queue)),
        }
    }

    /// The set of the names of the lists that there are.
    #[must_use]
    pub const fn queues(self) -> &'static str {
        match self {
            Self::Sidekiq => names::QUEUES,
            Self::Resque => "resque:queues",
        }
    }

    /// Where jobs wait for another attempt. Resque itself has no such place.
    #[must_use]
    pub fn retry(self, queue: &Queue) -> String {
        match self {
            Self::Sidekiq => names::RETRY.to_owned(),
            Self::Resque => format!("skuflow:resque:retry:{}", names::list(queue)),
        }
    }

    /// Where jobs rest that nobody tries any more: a sorted set of Sidekiq's, a list of Resque's.
    #[must_use]
    pub const fn dead(self) -> &'static str {
        match self {
            Self::Sidekiq => names::DEAD,
            Self::Resque => resque::FAILED,
        }
    }

    /// The end of a list from which jobs are taken.
    #[must_use]
    pub const fn end(self) -> &'static str {
        match self {
            Self::Sidekiq => "RIGHT",
            Self::Resque => "LEFT",
        }
    }

    /// How a job gets behind all others.
    #[must_use]
    pub const fn push(self) -> &'static str {
        match self {
            Self::Sidekiq => "LPUSH",
            Self::Resque => "RPUSH",
        }
    }

    /// How a job gets before all others: it is the next to be taken.
    #[must_use]
    pub const fn give_back(self) -> &'static str {
        self.other().push()
    }

    /// How a job is taken that nobody keeps.
    #[must_use]
    pub const fn pop(self) -> &'static str {
        match self {
            Self::Sidekiq => "BRPOP",
            Self::Resque => "BLPOP",
        }
    }

    /// A message as a job.
    #[must_use]
    pub fn write(self, envelope: &Envelope, queue: &Queue) -> String {
        match self {
            Self::Sidekiq => Job::of(envelope, queue).to_text(),
            Self::Resque => resque::payload(envelope, queue).to_string(),
        }
    }

    /// A job that came, with what its envelope says now.
    #[must_use]
    pub fn write_again(self, text: &[u8], envelope: &Envelope, queue: &Queue) -> String {
        match self {
            Self::Sidekiq => {
                let job = Job::read(text).unwrap_or_else(|| Job::wrapping(text, queue));
                job.carrying(envelope).in_list(queue).to_text()
            }
            Self::Resque => resque::payload(envelope, queue).to_string(),
        }
    }
}
