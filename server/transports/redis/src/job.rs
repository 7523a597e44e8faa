//! A command as a job in Sidekiq's JSON format (6.4): any Sidekiq can read what is in our lists, and push into them.
//!
//! `args` holds one thing, the command's body. What Sidekiq has no key for (`message_id`, `correlation_id`, `traceparent`,
//! `attempts`) stands beside its own keys, which it leaves alone.

use crate::{
    entry::{Past, past_from, past_of},
    names,
};
use base::clock;
use flow::{Id, topology::Queue};
use messaging::{Envelope, envelope};
use serde_json::{Map, Value, json};

/// So many retries there are at most.
const RETRIES: usize = messaging::topology::RETRY_DELAYS_MS.len();
/// The class of what could not be handled.
const ERROR_CLASS: &str = "Skuflow::Failure";
/// Sidekiq's jobs are named by so many hexadecimal digits.
const JID_DIGITS: usize = 24;

/// The class of a command's jobs: `update_wishlists` is `UpdateWishlists`.
#[must_use]
pub fn class(queue: &Queue) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    queue.routing_key.split('_').filter(|word| !word.is_empty()).map(capital).collect()
}

/// Seconds since the Unix epoch, as Sidekiq writes them.
pub(crate) fn now_s() -> f64 {
    seconds(clock::now_us())
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of this millennium fit into 53 bits")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// The message in a list's entry, and why no handler can be asked if so.
#[must_use]
pub fn understood(text: &[u8], queue: &Queue) -> (Envelope, Option<String>) {
    match Job::read(text) {
        Some(job) => (job.envelope(queue), job.unreadable(queue)),
        None => {
            let mut envelope = Job::wrapping(text, queue).envelope(queue);
            envelope.body = text.into();
            (envelope, Some("what lies in the list is not a job: it is not a JSON object".to_owned()))
        }
    }
}

/// A job as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Job(Map<String, Value>);

impl Job {
    /// The job that carries a message into its list.
    #[must_use]
    pub fn of(envelope: &Envelope, queue: &Queue) -> Self {
        Self::default_for(queue).carrying(envelope)
    }

    fn default_for(queue: &Queue) -> Self {
        let mut job = Map::new();
        job.insert("class".into(), class(queue).into());
        job.insert("queue".into(), names::list(queue).into());
        job.insert("retry".into(), RETRIES.into());
        job.insert("created_at".into(), now_s().into());
        Self(job)
    }

    /// Reads a job; none when it is no JSON object.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        match serde_json::from_slice(text) {
            Ok(Value::Object(job)) => Some(Self(job)),
            _ => None,
        }
    }

    /// What lies in a list and is no job, as a job that can be parked.
    #[must_use]
    pub fn wrapping(text: &[u8], queue: &Queue) -> Self {
        let mut job = Self::default_for(queue);
        job.0.insert("class".into(), "Skuflow::Unreadable".into());
        job.0.insert("args".into(), json!([String::from_utf8_lossy(text)]));
        job
    }

    /// The same job with what the envelope says: nothing that it came with is lost.
    #[must_use]
    pub fn carrying(mut self, envelope: &Envelope) -> Self {
        let job = &mut self.0;
        let digits: String = envelope.message_id.chars().filter(char::is_ascii_hexdigit).collect();
        if !job.contains_key("jid") {
            let jid = if digits.len() >= JID_DIGITS { &digits[digits.len() - JID_DIGITS..] } else { &digits };
            job.insert("jid".into(), jid.into());
        }
        if job.get("class").is_none_or(|class| class != "Skuflow::Unreadable") {
            let body = serde_json::from_slice(&envelope.body)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&envelope.body).into_owned()));
            job.insert("args".into(), Value::Array(vec![body]));
        }
        job.insert("enqueued_at".into(), now_s().into());
        job.insert("message_id".into(), (*envelope.message_id).into());
        job.insert("correlation_id".into(), (*envelope.correlation_id).into());
        if let Some(traceparent) = &envelope.traceparent {
            job.insert("traceparent".into(), (**traceparent).into());
        }
        for key in ["retry_count", "failed_at", "retried_at", "error_message", "error_class", "attempts"] {
            job.remove(key);
        }
        self.failed(envelope)
    }

    /// Notes which attempts failed: as Sidekiq does, and in full.
    fn failed(mut self, envelope: &Envelope) -> Self {
        let job = &mut self.0;
        let past = past_of(envelope);
        let reason = envelope.reason.as_deref().or(envelope.past.last().map(|last| last.reason.as_str()));
        if let Some(reason) = reason {
            job.insert("error_message".into(), reason.into());
            job.insert("error_class".into(), ERROR_CLASS.into());
            job.insert("failed_at".into(), now_s().into());
        }
        if envelope.attempt > 1 {
            job.insert("retry_count".into(), (envelope.attempt - 2).into());
        }
        if envelope.attempt > 2 {
            job.insert("retried_at".into(), now_s().into());
        }
        if !past.is_empty() {
            job.insert("attempts".into(), json!(past));
        }
        self
    }

    /// The same job with the list in which it lay: what a stranger pushed may not say it.
    #[must_use]
    pub fn in_list(mut self, queue: &Queue) -> Self {
        self.0.insert("queue".into(), names::list(queue).into());
        self
    }

    /// The list that it belongs into, by its own word.
    #[must_use]
    pub fn list(&self) -> Option<&str> {
        self.text("queue")
    }

    /// The message in it; what it came without is filled in.
    #[must_use]
    pub fn envelope(&self, queue: &Queue) -> Envelope {
        let about = self.about();
        let said = |key: &str| about.and_then(|about| about.get(key));
        let id = |key| self.text(key).or_else(|| said(key).and_then(Value::as_str)).map(Id::from);
        let message_id = id("message_id").or_else(|| id("jid")).unwrap_or_else(envelope::new_id);
        let created_at = self.0.get("created_at").and_then(Value::as_f64).filter(|s| (0.0..1e11).contains(s));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was just checked")]
        let timestamp_s = created_at.map(|created_at_s| created_at_s as u64);
        let retries = self.0.get("retry_count").and_then(Value::as_u64);
        let attempts = self.0.get("attempts").or_else(|| said("past")).cloned();
        let attempt =
            said("attempt").and_then(Value::as_u64).map(|attempt| u32::try_from(attempt).unwrap_or(u32::MAX));
        let past: Vec<Past> = attempts.and_then(|past| serde_json::from_value(past).ok()).unwrap_or_default();
        Envelope {
            correlation_id: id("correlation_id").unwrap_or_else(|| Id::clone(&message_id)),
            message_id,
            message_type: names::list(queue).into(),
            app_id: "unknown".into(),
            timestamp_s,
            traceparent: id("traceparent"),
            attempt: retries.map_or(attempt.unwrap_or(1).max(1), |count| {
                u32::try_from(count).unwrap_or(u32::MAX - 2).saturating_add(2)
            }),
            reason: self.text("error_message").map(|reason| envelope::shortened(reason).into()),
            origin: Some(queue.name.into()),
            past: past_from(past),
            came_with: None,
            body: self.body().into(),
        }
    }

    /// Why no handler of that list can be asked; none when one can.
    #[must_use]
    pub fn unreadable(&self, queue: &Queue) -> Option<String> {
        let (wanted, list) = (class(queue), names::list(queue));
        match self.0.get("class") {
            Some(Value::String(class)) if *class == wanted => {}
            Some(other) => {
                return Some(format!("the job's class is {other}; the queue {list} takes {wanted:?}"));
            }
            None => return Some(format!("the job has no class; the queue {list} takes {wanted:?}")),
        }
        match self.0.get("args") {
            Some(Value::Array(args)) if args.len() == 1 || (args.len() == 2 && args[1].is_object()) => None,
            _ => Some(format!("the job's args are not one command; {wanted} takes one JSON object")),
        }
    }

    /// As it lies in a list.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(&self.0).expect("a job is plain data")
    }

    fn body(&self) -> Vec<u8> {
        match self.0.get("args") {
            Some(Value::Array(args)) if args.len() == 1 || self.about().is_some() => match &args[0] {
                Value::String(text) => text.clone().into_bytes(),
                arg => arg.to_string().into_bytes(),
            },
            Some(args) => args.to_string().into_bytes(),
            None => Vec::new(),
        }
    }

    /// What a job in Resque's format says of itself.
    fn about(&self) -> Option<&Map<String, Value>> {
        match self.0.get("args") {
            Some(Value::Array(args)) if args.len() == 2 => args[1].as_object(),
            _ => None,
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
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
        Envelope {
            message_id: new_id(),
            correlation_id: new_id(),
            message_type: "update_sku_availability".into(),
            app_id: "inventory".into(),
            timestamp_s: Some(7),
            traceparent: Some("00-a-b-01".into()),
            attempt: 1,
            reason: None,
            origin: None,
            past: Vec::new(),
            body: br#"{"sku":"A","version":2}"#[..].into(),
            came_with: None,
        }
    }

    #[test]
    fn a_job_has_the_keys_that_sidekiq_looks_for() {
        let job = Job::of(&sent(), queue());
        assert_eq!(job.0["class"], "UpdateSkuAvailability");
        assert_eq!(job.0["queue"], "update_sku_availability");
        assert_eq!(job.0["args"], json!([{"sku": "A", "version": 2}]));
        assert_eq!(job.0["jid"].as_str().unwrap().len(), JID_DIGITS);
        assert!(job.0["created_at"].is_f64() && job.0["enqueued_at"].is_f64());
        assert_eq!(job.0["retry"], 4);
        assert!(!job.0.contains_key("retry_count") && !job.0.contains_key("error_message"));
        assert_eq!(job.unreadable(queue()), None);
    }

    #[test]
    fn a_failed_job_says_so_as_sidekiq_does_and_reads_back_with_its_attempts() {
        let mut envelope = sent();
        envelope.past = vec![PastAttempt { attempt: 1, reason: "no".into(), at: "now".into() }];
        envelope.attempt = 2;
        let job = Job::of(&sent(), queue()).carrying(&envelope);
        assert_eq!((&job.0["retry_count"], &job.0["error_message"]), (&json!(0), &json!("no")));
        assert!(job.0["failed_at"].is_f64() && !job.0.contains_key("retried_at"));
        let read = Job::read(job.to_text().as_bytes()).unwrap().envelope(queue());
        assert_eq!((read.attempt, &read.past, &read.message_id), (2, &envelope.past, &envelope.message_id));
        assert_eq!(&*read.body, br#"{"sku":"A","version":2}"#);
    }

    #[test]
    fn a_strangers_job_keeps_its_own_keys_and_is_known_by_its_jid() {
        let text = br#"{"class":"UpdateSkuAvailability","args":[{"sku":"A"}],"jid":"b4a577edbccf1d805744efa9","tags":["x"],"retry":true}"#;
        let job = Job::read(text).unwrap();
        let mut envelope = job.envelope(queue());
        assert_eq!(&*envelope.message_id, "b4a577edbccf1d805744efa9");
        envelope.attempt = 2;
        let again = job.carrying(&envelope);
        assert_eq!((&again.0["tags"], &again.0["jid"]), (&json!(["x"]), &json!("b4a577edbccf1d805744efa9")));
    }

    #[test]
    fn a_job_of_another_class_or_without_one_command_says_what_is_wrong() {
        let why = |text: &str| Job::read(text.as_bytes()).unwrap().unreadable(queue()).unwrap();
        assert_eq!(
            why(r#"{"class":"Mailer","args":[{}]}"#),
            "the job's class is \"Mailer\"; the queue update_sku_availability takes \"UpdateSkuAvailability\""
        );
        assert!(why(r#"{"args":[{}]}"#).starts_with("the job has no class"));
        assert!(why(r#"{"class":"UpdateSkuAvailability","args":["A",1]}"#).contains("one JSON object"));
        assert_eq!(Job::read(b"not json"), None);
        assert_eq!(Job::read(b"[1]"), None);
    }
}
