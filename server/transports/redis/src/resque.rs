//! A command as a job in Resque's format: `{"class","args"}` and nothing else, in a list that is taken from its beginning.
//!
//! `args` are the command's body, and a second object with what the message says of itself (`message_id`, `correlation_id`,
//! `traceparent`, and of a further attempt `attempt` and `past`). A job of others may leave the second out.
//!
//! Our workers stand in `resque:workers` under Resque's names for workers, `HOST:PID:QUEUES`, so that Resque's own pages list
//! them.

use crate::{
    RedisLink, entry,
    job::{self, Job, class},
    names,
};
use base::clock;
use chrono::Utc;
use flow::{Id, topology::Queue};
use messaging::{Envelope, envelope};
use redis::{RedisResult, cmd, pipe};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

/// The list of what failed for good.
pub const FAILED: &str = "resque:failed";
const WORKERS: &str = "resque:workers";
/// The class of what could not be handled.
const EXCEPTION: &str = "Skuflow::Failure";

/// The message as a job.
#[must_use]
pub fn payload(envelope: &Envelope, queue: &Queue) -> Value {
    let body = serde_json::from_slice(&envelope.body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&envelope.body).into_owned()));
    let mut about = Map::new();
    about.insert("message_id".into(), (*envelope.message_id).into());
    about.insert("correlation_id".into(), (*envelope.correlation_id).into());
    if let Some(traceparent) = &envelope.traceparent {
        about.insert("traceparent".into(), (**traceparent).into());
    }
    if envelope.attempt > 1 {
        about.insert("attempt".into(), envelope.attempt.into());
        about.insert("past".into(), json!(entry::past_of(envelope)));
    }
    json!({ "class": class(queue), "args": [body, about] })
}

/// A job that failed for good, as it lies in [`FAILED`].
#[must_use]
pub fn failed(envelope: &Envelope, queue: &Queue, worker: &str) -> String {
    let reason = envelope.reason.as_deref().unwrap_or("it failed");
    let mut payload = payload(envelope, queue);
    payload["args"][1]["attempt"] = envelope.attempt.into();
    payload["args"][1]["past"] = json!(entry::past_of(envelope));
    let failed = json!({
        "failed_at": Utc::now().format("%Y/%m/%d %H:%M:%S UTC").to_string(),
        "payload": payload,
        "exception": EXCEPTION,
        "error": reason,
        "backtrace": [],
        "worker": worker,
        "queue": names::list(queue),
    });
    failed.to_string()
}

/// The message of such an entry; none when it is another queue's.
#[must_use]
pub fn read_failed(text: &[u8], queue: &Queue) -> Option<Envelope> {
    let failed: Value = serde_json::from_slice(text).ok()?;
    if failed.get("queue")?.as_str()? != names::list(queue) {
        return None;
    }
    let payload = Job::read(failed.get("payload")?.to_string().as_bytes())?;
    let mut envelope = payload.envelope(queue);
    envelope.reason = failed.get("error").and_then(Value::as_str).map(|why| envelope::shortened(why).into());
    Some(envelope)
}

/// What a worker tells of itself where Resque's pages look.
pub struct Registry {
    told: mpsc::UnboundedSender<Working>,
}

enum Working {
    On(String),
    Done { is_idle: bool },
}

/// The name of a worker.
#[must_use]
pub fn worker_name(tag: &str, queue: &Queue) -> String {
    format!("{tag}:{}:{}", std::process::id(), names::list(queue))
}

impl Registry {
    /// Registers a worker; it is taken out when this is dropped. Workers of its name that a killed run has left are taken out too.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(crate) async fn open(link: &RedisLink, queue: &'static Queue, tag: &Id) -> RedisResult<Self> {
        let name = worker_name(tag, queue);
        let mut connection = link.connection();
        let known: Vec<String> = cmd("SMEMBERS").arg(WORKERS).query_async(&mut connection).await?;
        let is_dead = |known: &&String| {
            let mut parts = known.split(':');
            parts.next() == Some(tag) && **known != name
        };
        for dead in known.iter().filter(is_dead) {
            take_out(link, dead).await?;
        }
        let mut add = pipe();
        add.cmd("SADD").arg(WORKERS).arg(&name).ignore();
        add.cmd("SET").arg(format!("resque:worker:{name}:started")).arg(clock::now_text()).ignore();
        add.exec_async(&mut connection).await?;
        let (told, mut heard) = mpsc::unbounded_channel();
        let link = link.clone();
        tokio::spawn(async move {
            while let Some(working) = heard.recv().await {
                let key = format!("resque:worker:{name}");
                let mut tell = pipe();
                match working {
                    Working::On(job) => tell.cmd("SET").arg(&key).arg(job).ignore(),
                    Working::Done { is_idle } => {
                        tell.cmd("INCR").arg("resque:stat:processed").ignore();
                        tell.cmd("INCR").arg(format!("resque:stat:processed:{name}")).ignore();
                        if is_idle {
                            tell.cmd("DEL").arg(&key).ignore();
                        }
                        &mut tell
                    }
                };
                // It is for pages that look; nobody's work depends on it.
                let _ = tell.exec_async(&mut link.connection()).await;
            }
            let _ = take_out(&link, &name).await;
        });
        Ok(Self { told })
    }

    /// The worker works on a message.
    pub(crate) fn works_on(&self, envelope: &Envelope, queue: &Queue) {
        let payload = payload(envelope, queue);
        let job = json!({ "queue": names::list(queue), "run_at": clock::now_text(), "payload": payload });
        let _ = self.told.send(Working::On(job.to_string()));
    }

    /// It has done one; whether it has no other in hand.
    pub(crate) fn is_done(&self, is_idle: bool) {
        let _ = self.told.send(Working::Done { is_idle });
    }
}

async fn take_out(link: &RedisLink, name: &str) -> RedisResult<()> {
    let mut gone = pipe();
    gone.cmd("SREM").arg(WORKERS).arg(name).ignore();
    for key in ["", ":started"] {
        gone.cmd("DEL").arg(format!("resque:worker:{name}{key}")).ignore();
    }
    gone.cmd("DEL").arg(format!("resque:stat:processed:{name}")).ignore();
    gone.exec_async(&mut link.connection()).await
}

/// When a job is due that is tried again after so long, as a score.
#[must_use]
pub(crate) fn due_s(delay_ms: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a delay is short")]
    let delay_s = delay_ms as f64 / 1e3;
    job::now_s() + delay_s
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Service, Style, System, Transport};
    use messaging::envelope::{PastAttempt, new_id};

    fn queue() -> &'static Queue {
        System { style: Style::Orchestration, transport: Transport::Redis }.queue_of(Service::Catalog)
    }

    fn sent() -> Envelope {
        let text = br#"{"class":"UpdateSkuAvailability","args":[{"sku":"A","version":2}]}"#;
        Envelope { correlation_id: new_id(), ..Job::read(text).unwrap().envelope(queue()) }
    }

    #[test]
    fn a_job_is_a_class_and_args_and_nothing_else_and_reads_back_the_same() {
        let mut envelope = sent();
        let job = payload(&envelope, queue());
        assert_eq!(job.as_object().unwrap().keys().collect::<Vec<_>>(), ["args", "class"]);
        assert_eq!(job["class"], "UpdateSkuAvailability");
        assert_eq!(job["args"][0], json!({ "sku": "A", "version": 2 }));
        envelope.attempt = 3;
        envelope.past = vec![PastAttempt { attempt: 1, reason: "no".into(), at: "now".into() }];
        let job = Job::read(payload(&envelope, queue()).to_string().as_bytes()).unwrap();
        assert_eq!(job.unreadable(queue()), None);
        let read = job.envelope(queue());
        assert_eq!(
            (&read.message_id, &read.correlation_id),
            (&envelope.message_id, &envelope.correlation_id)
        );
        assert_eq!((read.attempt, &read.past, &read.body), (3, &envelope.past, &envelope.body));
    }

    #[test]
    fn what_failed_says_what_resques_page_shows_and_reads_back_with_its_attempts() {
        let mut envelope = sent();
        (envelope.attempt, envelope.reason) = (5, Some("catalog is in pieces".into()));
        envelope.past = vec![PastAttempt { attempt: 5, reason: "in pieces".into(), at: "now".into() }];
        let text = failed(&envelope, queue(), "catalog:1:update_sku_availability");
        let told: Value = serde_json::from_str(&text).unwrap();
        for key in ["failed_at", "payload", "exception", "error", "backtrace", "worker", "queue"] {
            assert!(!told[key].is_null(), "{key}: {told}");
        }
        let read = read_failed(text.as_bytes(), queue()).unwrap();
        assert_eq!((read.attempt, &read.past, &read.reason), (5, &envelope.past, &envelope.reason));
        let other =
            System { style: Style::Orchestration, transport: Transport::Redis }.queue_of(Service::Wishlist);
        assert!(read_failed(text.as_bytes(), other).is_none());
    }
}
