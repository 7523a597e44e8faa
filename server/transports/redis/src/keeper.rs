//! What has to be done from time to time: what is due goes back, what dead workers held is taken over, and what everybody has
//! read is cut off the stream.

use crate::{
    Hub, RedisLink, depths, entry,
    form::Form,
    job::{self, Job},
    names,
    outlet::{is_refusal, routed},
    scripts::{DUE_ENTRIES, DUE_JOBS, DUE_PAYLOADS, LEAVE_GROUP, MOVE_OVER, TAKE_OVER},
};
use base::repeats::Repeats;
use flow::{Event, Kind, Node, Provenance, Service, Style, topology::Queue};
use journal::Journal;
use messaging::transport::Lost;
use redis::{RedisResult, cmd, streams::StreamInfoGroupsReply};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How late something may come back that is due.
const DUE_EVERY: Duration = Duration::from_millis(100);
const TAKE_OVER_EVERY: Duration = Duration::from_millis(500);
const RECOUNT_EVERY: Duration = Duration::from_secs(2);
const TRIM_EVERY: Duration = Duration::from_secs(5);
/// So many entries stay in the stream although everybody has read them, for whoever looks.
const KEPT: u64 = 1_000;

/// What a queue was shown with, and what was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Looked {
    queue: &'static str,
    /// Ever put into it, ready, and in hand.
    shown: (u64, u64, u64),
    /// Ready and in hand.
    there: (u64, u64),
}

/// Keeps what belongs to one queue, until told to stop.
pub struct Keeper<'a> {
    pub link: &'a RedisLink,
    pub hub: &'a Hub,
    pub queue: &'static Queue,
    /// Where it is told what came back.
    pub journal: &'a Journal,
}

impl Keeper<'_> {
    /// See the module.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn run(&self, stop: &CancellationToken) -> Result<(), Lost> {
        let mut ticks = interval(DUE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut take_over, mut trim, mut recount) = (Instant::now(), Instant::now(), Instant::now());
        let (mut looked, mut refused) = (Vec::new(), Repeats::default());
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return Ok(()),
            }
            let kept = async {
                self.bring_back().await?;
                if take_over <= Instant::now() && self.queue.style == Style::Orchestration {
                    take_over = Instant::now() + TAKE_OVER_EVERY;
                    self.take_over().await?;
                    self.move_over().await?;
                }
                if recount <= Instant::now() {
                    recount = Instant::now() + RECOUNT_EVERY;
                    if self.queue.style == Style::Choreography {
                        self.tidy_group().await?;
                    }
                    // One of the services sees to it for all.
                    if self.queue.service == Service::Inventory {
                        self.recount(&mut looked).await?;
                    }
                }
                if trim <= Instant::now()
                    && self.queue.style == Style::Choreography
                    && self.queue.service == Service::Inventory
                {
                    trim = Instant::now() + TRIM_EVERY;
                    self.trim().await?;
                }
                Ok(())
            };
            match kept.await {
                Err(error) if is_refusal(&error) => {
                    if let Some(times) = refused.worth_saying(&error.to_string()) {
                        let queue = self.queue.name;
                        tracing::warn!(queue, %error, times, "Redis does not let us tidy up; trying again");
                    }
                }
                kept => {
                    kept.map_err(|error| self.link.failed(error))?;
                    refused.over();
                }
            }
        }
    }

    async fn bring_back(&self) -> RedisResult<()> {
        let mut connection = self.link.connection();
        let now_s = job::now_s();
        match self.queue.style {
            Style::Choreography => {
                let mut due = DUE_ENTRIES.key(names::retry(self.queue));
                due.key(names::own_stream(self.queue.service)).arg(now_s);
                let moved: Vec<Vec<u8>> = due.invoke_async(&mut connection).await?;
                for text in moved {
                    let envelope = entry::from_text(&text, self.queue);
                    self.journal.report(routed("", self.queue, &envelope));
                }
            }
            Style::Orchestration => {
                let mut due = DUE_PAYLOADS.key(Form::Resque.retry(self.queue));
                due.key(Form::Resque.list(self.queue)).arg(now_s);
                let moved: Vec<Vec<u8>> = due.invoke_async(&mut connection).await?;
                for job in moved.iter().filter_map(|text| Job::read(text)) {
                    self.journal.report(routed("", self.queue, &job.envelope(self.queue)));
                }
                let mut due = DUE_JOBS.key(names::RETRY);
                due.key(names::QUEUES).arg(now_s);
                let moved: Vec<Vec<u8>> = due.invoke_async(&mut connection).await?;
                for job in moved.iter().filter_map(|text| Job::read(text)) {
                    let system = self.queue.system();
                    let of_list = |queue: &&'static Queue| job.list() == Some(names::list(queue));
                    if let Some(queue) = system.queues().find(of_list) {
                        self.journal.report(routed("", queue, &job.envelope(queue)));
                    }
                }
            }
        }
        Ok(())
    }

    /// What others took or put there, and what is told in another order than it happened, is counted anew: where the picture
    /// shows something else than there is, and neither has changed since it was last looked at.
    async fn recount(&self, before: &mut Vec<Looked>) -> RedisResult<()> {
        let system = self.queue.system();
        let picture = self.journal.picture_now();
        let mut looked = Vec::new();
        for queue in system.queues() {
            let Some(shown) = picture.system(system).queue(queue.name) else { continue };
            let shown = (shown.routed, shown.ready(), shown.unacked());
            let there = depths::depth(&mut self.link.connection(), self.hub, queue).await?;
            let now = Looked { queue: queue.name, shown, there: (there.ready, there.unacked) };
            if (now.shown.1, now.shown.2) != now.there && before.contains(&now) {
                let (ready, unacked) = (Some(there.ready), Some(there.unacked));
                let kind = Kind::Counted { messages: None, emails: None, dead: None, ready, unacked };
                let mut event = Event::new(0, Provenance::Broker, kind);
                event.system = Some(system);
                event.node = Some(Node::Broker);
                event.queue = Some(queue.name.into());
                self.journal.report(event);
            }
            looked.push(now);
        }
        *before = looked;
        Ok(())
    }

    /// Takes workers of ours out of the group that have gone and hold nothing any more: what they left, others have taken over.
    async fn tidy_group(&self) -> RedisResult<()> {
        let mut connection = self.link.connection();
        let (group, workers) = (names::group(self.queue.service), names::workers(self.queue));
        let known: Vec<String> = cmd("SMEMBERS").arg(&workers).query_async(&mut connection).await?;
        for worker in known {
            let alive = format!("{}{worker}", names::ALIVE);
            if cmd("EXISTS").arg(alive).query_async(&mut connection).await? {
                continue;
            }
            let mut pending = 0;
            for stream in [names::STREAM, &names::own_stream(self.queue.service)] {
                let mut leave = LEAVE_GROUP.key(stream);
                leave.arg(group).arg(&worker);
                pending += leave.invoke_async::<i64>(&mut connection).await?;
            }
            if pending == 0 {
                cmd("SREM").arg(&workers).arg(worker).exec_async(&mut connection).await?;
            }
        }
        Ok(())
    }

    async fn take_over(&self) -> RedisResult<()> {
        let form = self.hub.way().form();
        let mut take = TAKE_OVER.key(form.list(self.queue));
        take.key(names::workers(self.queue))
            .arg(names::working(self.queue))
            .arg(names::ALIVE)
            .arg(form.end());
        let moved: u64 = take.invoke_async(&mut self.link.connection()).await?;
        if moved > 0 {
            tracing::info!(queue = self.queue.name, moved, "jobs of a worker that is gone are taken over");
        }
        Ok(())
    }

    /// What lies in the list of the other form is to be handled too: from before the mode was changed, or pushed there since.
    async fn move_over(&self) -> RedisResult<()> {
        let form = self.hub.way().form();
        let mut over = MOVE_OVER.key(form.other().list(self.queue));
        // From the one's end to behind the other's last.
        over.key(form.list(self.queue)).arg(form.other().end()).arg(form.other().end());
        over.invoke_async::<u64>(&mut self.link.connection()).await.map(drop)
    }

    /// Cuts off what every group has read and acknowledged, once the stream is long.
    async fn trim(&self) -> RedisResult<()> {
        let mut connection = self.link.connection();
        let length: u64 = cmd("XLEN").arg(names::STREAM).query_async(&mut connection).await?;
        if length <= KEPT {
            return Ok(());
        }
        let groups: StreamInfoGroupsReply =
            cmd("XINFO").arg("GROUPS").arg(names::STREAM).query_async(&mut connection).await?;
        let mut needed: Option<(u64, u64)> = None;
        for group in groups.groups {
            let mut from = group.last_delivered_id;
            if group.pending > 0 {
                let mut pending = cmd("XPENDING");
                pending.arg(names::STREAM).arg(&group.name).arg("-").arg("+").arg(1);
                let oldest: Vec<(String, String, u64, u64)> = pending.query_async(&mut connection).await?;
                from = oldest.into_iter().next().map_or(from, |(id, ..)| id);
            }
            let from = id_parts(&from);
            needed = Some(needed.map_or(from, |needed| needed.min(from)));
        }
        if let Some((ms, number)) = needed {
            let mut trim = cmd("XTRIM");
            trim.arg(names::STREAM).arg("MINID").arg("~").arg(format!("{ms}-{number}"));
            trim.exec_async(&mut connection).await?;
        }
        Ok(())
    }
}

/// An entry's id as numbers, by which the older one is the smaller.
fn id_parts(id: &str) -> (u64, u64) {
    let (ms, number) = id.split_once('-').unwrap_or((id, "0"));
    (ms.parse().unwrap_or(0), number.parse().unwrap_or(0))
}

/// How many messages of a queue are parked.
///
/// # Errors
/// When Redis does not answer.
pub async fn parked(link: &RedisLink, queue: &'static Queue) -> Result<[(&'static Queue, u64); 1], Lost> {
    let letters = crate::letters::of_queue(&mut link.connection(), queue).await;
    Ok([(queue, letters.map_err(|error| link.failed(error))?.len() as u64)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_compared_by_time_and_number_and_not_by_letters() {
        assert!(id_parts("9-0") < id_parts("10-0"));
        assert!(id_parts("10-2") < id_parts("10-10"));
        assert_eq!(id_parts("0-0"), (0, 0));
    }
}
