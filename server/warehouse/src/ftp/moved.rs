//! Files that were moved away and may grow on there: whoever was still writing does not notice that the name changed.

use super::{
    Monitor,
    client::{Client, ClientError},
    monitor::Trouble,
};
use std::time::Duration;
use tokio::time::Instant;

/// The first pause between two looks at such a file; doubled each time nothing has changed.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// With such a pause it is no longer followed: about a quarter of an hour after it was moved.
const PAUSE_MAX: Duration = Duration::from_secs(512);

/// A file that was taken in and moved, of which nobody knows whether it was whole.
#[derive(Debug)]
pub struct Moved {
    id: i64,
    name: String,
    path: String,
    /// How much of it is taken in.
    taken: u64,
    size: u64,
    since: Instant,
    pause: Duration,
    next: Instant,
}

impl Moved {
    /// A file that was just moved to `path`, with that many bytes taken in.
    #[must_use]
    pub fn new(id: i64, name: String, path: String, taken: u64) -> Self {
        let now = Instant::now();
        Self { id, name, path, taken, size: taken, since: now, pause: PAUSE_MIN, next: now + PAUSE_MIN }
    }
}

impl Monitor {
    /// Takes in what was added to files after they were taken in and moved.
    pub(super) async fn follow(&self, client: &mut Client, moved: &mut Vec<Moved>) -> Result<(), Trouble> {
        for file in moved.iter_mut().filter(|file| file.next <= Instant::now()) {
            let Some(size) = client.size(&file.path).await? else {
                // Whoever took it away knows why; or the server does not tell sizes.
                file.pause = PAUSE_MAX;
                continue;
            };
            if size != file.size {
                (file.size, file.since, file.pause) = (size, Instant::now(), PAUSE_MIN);
            } else if size > file.taken && file.since.elapsed() >= self.quiet {
                match self.take_rows(client, file.id, &file.name, &file.path, false).await {
                    Ok(Some(mut taken)) => {
                        match self.report(client, &mut taken, &file.name, &file.path).await {
                            // The book has it all the same.
                            Err(Trouble::Client(error @ ClientError::Refused(_))) => {
                                tracing::warn!(%error, name = %file.name, "a report cannot be written");
                            }
                            other => other?,
                        }
                        file.taken = taken.finish(self).await?;
                        file.size = file.taken;
                    }
                    Ok(None) => return Ok(()),
                    Err(Trouble::Client(error @ (ClientError::Refused(_) | ClientError::Here(_)))) => {
                        tracing::warn!(%error, name = %file.name, "what was added to a file cannot be taken in");
                    }
                    Err(trouble) => return Err(trouble),
                }
            } else {
                file.pause *= 2;
            }
            file.next = Instant::now() + file.pause;
        }
        moved.retain(|file| file.pause < PAUSE_MAX);
        Ok(())
    }
}
