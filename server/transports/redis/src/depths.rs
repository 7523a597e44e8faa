//! How much waits in a queue, is in hand, and how many of our workers consume.
//!
//! Redis forgets a consumer that was never given anything, and keeps one that is gone: so it is counted who says that it lives.

use crate::{Hub, RedisLink, form::Form, job::Job, names};
use flow::{Id, Style, System, api::QueueDepth, topology::Queue};
use messaging::transport::Lost;
use redis::{RedisResult, aio::MultiplexedConnection, cmd, streams::StreamInfoGroupsReply};
use std::collections::HashSet;

/// Where the number of what a group has yet to read is not told, so much is counted at most.
const COUNTED: usize = 10_000;

/// A group at a stream: what it has yet to read, and what is pending.
#[derive(Default)]
struct Group {
    lag: u64,
    pending: u64,
}

/// Measures every queue of a system.
///
/// # Errors
/// When Redis does not answer.
pub async fn sample(link: &RedisLink, hub: &Hub, system: System) -> Result<Vec<QueueDepth>, Lost> {
    let mut depths = Vec::new();
    for queue in system.queues() {
        let depth = depth(&mut link.connection(), hub, queue).await;
        depths.push(depth.map_err(|error| link.failed(error))?);
    }
    Ok(depths)
}

/// How many messages wait in a queue.
pub(crate) async fn ready(
    connection: &mut MultiplexedConnection,
    hub: &Hub,
    queue: &Queue,
) -> RedisResult<u64> {
    Ok(depth(connection, hub, queue).await?.ready)
}

pub(crate) async fn depth(
    connection: &mut MultiplexedConnection,
    hub: &Hub,
    queue: &Queue,
) -> RedisResult<QueueDepth> {
    let workers: Vec<String> = cmd("SMEMBERS").arg(names::workers(queue)).query_async(connection).await?;
    let (ready, unacked) = match queue.style {
        Style::Choreography => {
            let events = group(connection, names::STREAM, queue).await?;
            let own = group(connection, &names::own_stream(queue.service), queue).await?;
            (events.lag + own.lag, events.pending + own.pending)
        }
        Style::Orchestration => {
            let mut ready: u64 = 0;
            for form in Form::ALL {
                ready += cmd("LLEN").arg(form.list(queue)).query_async::<u64>(connection).await?;
            }
            let mut unacked: u64 = 0;
            for worker in &workers {
                let working = format!("{}{worker}", names::working(queue));
                unacked += cmd("LLEN").arg(working).query_async::<u64>(connection).await?;
            }
            (ready, unacked)
        }
    };
    let consumers = if workers.is_empty() {
        0
    } else {
        let alive: Vec<_> = workers.iter().map(|worker| format!("{}{worker}", names::ALIVE)).collect();
        cmd("EXISTS").arg(alive).query_async(connection).await?
    };
    // What is in memory, and in no other place.
    let (waiting, in_hand, holders) = hub.memory(queue.service).counts();
    Ok(messaging::depths::depth(queue, ready + waiting, unacked + in_hand, holders.max(consumers)))
}

/// The ids of the jobs of a queue that wait, now or for another attempt.
///
/// # Errors
/// When Redis does not answer.
pub async fn listed(link: &RedisLink, queue: &Queue) -> Result<HashSet<Id>, Lost> {
    let mut connection = link.connection();
    let read = async {
        let mut ids = HashSet::new();
        for form in Form::ALL {
            let mut in_list = cmd("LRANGE");
            in_list.arg(form.list(queue)).arg(0).arg(-1);
            let mut put_off = cmd("ZRANGE");
            put_off.arg(form.retry(queue)).arg(0).arg(-1);
            for read in [in_list, put_off] {
                let jobs: Vec<Vec<u8>> = read.query_async(&mut connection).await?;
                ids.extend(jobs.iter().filter_map(|text| Some(Job::read(text)?.envelope(queue).message_id)));
            }
        }
        Ok(ids)
    };
    read.await.map_err(|error| link.failed(error))
}

async fn group(connection: &mut MultiplexedConnection, stream: &str, queue: &Queue) -> RedisResult<Group> {
    let groups: RedisResult<StreamInfoGroupsReply> =
        cmd("XINFO").arg("GROUPS").arg(stream).query_async(connection).await;
    let groups = match groups {
        // There is no such stream (any more): nothing waits in it.
        Err(error) if error.code() == Some("ERR") => return Ok(Group::default()),
        groups => groups?,
    };
    let name = names::group(queue.service);
    let Some(group) = groups.groups.into_iter().find(|group| group.name == name) else {
        return Ok(Group::default());
    };
    let lag = match group.lag {
        Some(lag) => lag as u64,
        // Redis 6 does not tell it, and later ones do not where entries were deleted.
        None => {
            let mut unread = cmd("XRANGE");
            unread
                .arg(stream)
                .arg(format!("({}", group.last_delivered_id))
                .arg("+")
                .arg("COUNT")
                .arg(COUNTED);
            let unread: Vec<redis::Value> = unread.query_async(connection).await?;
            unread.len() as u64
        }
    };
    Ok(Group { lag, pending: group.pending as u64 })
}
