//! What is parked, and what becomes of it.

use crate::{
    RedisLink, entry,
    form::Form,
    job::Job,
    names, resque,
    scripts::{REPLAY_ENTRY, REPLAY_FAILED, REPLAY_JOB},
};
use flow::{Style, topology::Queue};
use messaging::{Envelope, transport::Lost};
use redis::{RedisResult, aio::MultiplexedConnection, cmd};

#[derive(Debug, Clone)]
pub struct Letter {
    /// Whose consumer gave up.
    pub queue: &'static Queue,
    pub envelope: Envelope,
    /// As it lies there.
    text: Vec<u8>,
    /// Whether it lies where Resque keeps what failed.
    is_resques: bool,
}

/// Everything that is parked of a queue, oldest first.
pub(crate) async fn of_queue(
    connection: &mut MultiplexedConnection,
    queue: &'static Queue,
) -> RedisResult<Vec<Letter>> {
    let all: Vec<Vec<u8>> =
        cmd("ZRANGE").arg(names::dead(queue)).arg(0).arg(-1).query_async(connection).await?;
    let read = |text: Vec<u8>| match queue.style {
        Style::Choreography => {
            let envelope = entry::from_text(&text, queue);
            Some(Letter { queue, envelope, text, is_resques: false })
        }
        Style::Orchestration => {
            let job = Job::read(&text)?;
            let is_ours = job.list() == Some(names::list(queue));
            is_ours.then(|| Letter { queue, envelope: job.envelope(queue), text, is_resques: false })
        }
    };
    let mut letters: Vec<_> = all.into_iter().filter_map(read).collect();
    if queue.style == Style::Orchestration {
        let failed: Vec<Vec<u8>> =
            cmd("LRANGE").arg(Form::Resque.dead()).arg(0).arg(-1).query_async(connection).await?;
        letters.extend(failed.into_iter().filter_map(|text| {
            let envelope = resque::read_failed(&text, queue)?;
            Some(Letter { queue, envelope, text, is_resques: true })
        }));
    }
    Ok(letters)
}

/// What is parked of a queue, oldest first.
///
/// # Errors
/// When Redis does not answer.
pub async fn of(link: &RedisLink, queue: &'static Queue) -> Result<Vec<Letter>, Lost> {
    of_queue(&mut link.connection(), queue).await.map_err(|error| link.failed(error))
}

impl Letter {
    /// Takes it out for good; `false` when it is not there any more.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn discard(&self, link: &RedisLink) -> Result<bool, Lost> {
        let remove = if self.is_resques {
            let mut remove = cmd("LREM");
            remove.arg(Form::Resque.dead()).arg(1).arg(&self.text);
            remove
        } else {
            let mut remove = cmd("ZREM");
            remove.arg(names::dead(self.queue)).arg(&self.text);
            remove
        };
        remove.query_async(&mut link.connection()).await.map_err(|error| link.failed(error))
    }

    /// Takes it out and puts a message into its queue, in one step; `false` when it is not there any more.
    ///
    /// # Errors
    /// When Redis does not answer or does not take the message; then it is parked still.
    pub async fn replay(&self, envelope: &Envelope, link: &RedisLink) -> Result<bool, Lost> {
        let mut connection = link.connection();
        let replayed = match self.queue.style {
            Style::Choreography => {
                let mut replay = REPLAY_ENTRY.key(names::dead(self.queue));
                replay.key(names::own_stream(self.queue.service)).arg(&self.text);
                for (name, value) in entry::fields(envelope) {
                    replay.arg(name).arg(value);
                }
                replay.invoke_async(&mut connection).await
            }
            Style::Orchestration => {
                // In the form in which it lies; from the other form's list it is moved over.
                let form = if self.is_resques { Form::Resque } else { Form::Sidekiq };
                let script = if self.is_resques { &REPLAY_FAILED } else { &REPLAY_JOB };
                let mut replay = script.key(form.dead());
                let job = form.write(envelope, self.queue);
                replay.key(form.list(self.queue)).arg(&self.text).arg(job);
                replay.invoke_async(&mut connection).await
            }
        };
        replayed.map_err(|error| link.failed(error))
    }
}
