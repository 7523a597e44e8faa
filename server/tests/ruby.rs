//! Programs in Ruby take part: workers under a supervisor in the place of a service of ours, and a subscriber without a broker.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![allow(clippy::zombie_processes, reason = "the process's owner waits for it when it is dropped")]

mod common;
mod over;

use common::{On, Skuflow};
use flow::{KindName, Node, Service, System, Transport};
use over::{count, get, journal, picture, set};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

on_both_brokers!(
    workers_that_serverengine_supervises_do_wishlists_job_and_lose_and_double_nothing_when_killed
);

/// A program in Ruby, and what it tells.
struct Ruby {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Ruby {
    /// None where what it needs is not installed.
    fn start(needs: &str, script: &str, args: &[&str]) -> Option<Self> {
        let has =
            Command::new("ruby").args(["-e", &format!("require {needs:?}")]).stderr(Stdio::null()).status();
        if !has.is_ok_and(|status| status.success()) {
            let is_strict = std::env::var_os("SKUFLOW_TEST_STRICT").is_some();
            assert!(!is_strict, "Ruby has no {needs}; run end2end/tools/install.sh");
            println!("skipped: Ruby has no {needs}");
            return None;
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
        let mut ruby = Command::new("ruby");
        let mut child = ruby.arg("-W0").arg(path).args(args).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Some(Self { child, said })
    }

    fn next(&mut self) -> Value {
        serde_json::from_str(&self.said.next().expect("it goes on").unwrap()).unwrap()
    }
}

impl Drop for Ruby {
    fn drop(&mut self) {
        // Its own children end with it when it is asked to.
        signal("TERM", &Value::from(self.child.id()));
        let _ = self.child.wait();
    }
}

fn signal(name: &str, pid: &Value) {
    let _ = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
}

async fn workers_that_serverengine_supervises_do_wishlists_job_and_lose_and_double_nothing_when_killed(
    on: On,
) {
    let skuflow = Skuflow::start(on).await;
    let system = System::of(flow::Style::Orchestration);
    let stop =
        json!({ "faults": [{ "kind": "consumer_stopped", "service": "wishlist", "trigger": "next" }] });
    assert_eq!(set(&skuflow, system, "faults", stop).await.0, 200);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let Some(mut ruby) = Ruby::start("serverengine", "wishlist_workers.rb", &[&skuflow.broker_url, to])
    else {
        return;
    };
    let workers: Vec<_> = (0..3).map(|_| ruby.next()).collect();
    let line = json!({ "sku": "MUG-RED", "quantity": 1, "style": "orchestration" });
    skuflow.accepted("arrivals", Value::from(vec![line; 60])).await;
    let done = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
        files.filter(|name| !name.to_string_lossy().contains('.')).count()
    };
    let queue = system.queue_of(Service::Wishlist);
    if on == On::Embedded {
        // RabbitMQ says who consumes only where its management API is named.
        let is_seen = async || {
            let picture = picture(&skuflow).await;
            let consumers = &picture.system(system).queue(queue.name).unwrap().consumers;
            let node = Node::Foreign("wishlist in Ruby".into());
            consumers.iter().filter(|one| one.node.as_ref() == Some(&node)).count() == 3
        };
        skuflow.until("they are in the picture by name", is_seen).await;
    }
    for (worker, after) in workers.iter().zip([5, 20]) {
        skuflow.until("they are at work", async || done() >= after).await;
        signal("KILL", &worker["pid"]);
        let again = ruby.next();
        assert_ne!(again["pid"], worker["pid"], "another is started in its place");
    }
    skuflow.until("each is done", async || done() == 60).await;
    skuflow
        .until("nothing is left", async || {
            let queues = skuflow.json("/api/queues").await;
            let mut all = queues.as_array().unwrap().iter();
            all.all(|one| one["name"] != queue.name || (one["ready"] == 0 && one["unacked"] == 0))
        })
        .await;
    assert_eq!(done(), 60, "no message has had its effect twice");
    let emails = get(&skuflow, system, "wishlist/emails").await;
    assert_eq!(emails, json!([]), "ours did none of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_in_ruby_hears_the_event_over_zeromq() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let [system, _] = over::systems(Transport::Zeromq);
    over::arrive(&skuflow, Transport::Zeromq, "MUG-RED", 1, "choreography").await;
    over::settled(&skuflow, Transport::Zeromq).await;
    let told = get(&skuflow, system, "transport").await;
    let endpoint = told["sockets"][0]["endpoint"].as_str().unwrap();
    let Some(mut ruby) = Ruby::start("ffi-rzmq", "zeromq.rb", &[endpoint]) else { return };
    over::arrive(&skuflow, Transport::Zeromq, "MUG-RED", 1, "choreography").await;
    // There are heartbeats for a while after each message: by one it is known to be subscribed.
    let mut heard = ruby.next();
    while heard["topic"] != "sku_processed" {
        over::arrive(&skuflow, Transport::Zeromq, "MUG-RED", 1, "choreography").await;
        heard = ruby.next();
    }
    assert_eq!(heard["body"], json!({ "sku": "MUG-RED" }));
    let reader = flow::Node::from(std::sync::Arc::<str>::from("ruby-reader"));
    let in_the_picture = async || {
        let picture = over::picture(&skuflow).await;
        let foreign = picture.system(system).foreign_queues().iter();
        foreign.filter(|queue| queue.consumers.iter().any(|one| one.node.as_ref() == Some(&reader))).count()
    };
    skuflow.until("it stands in the picture by its name", async || in_the_picture().await == 1).await;
    let id = heard["headers"]["message_id"].as_str().unwrap().to_owned();
    skuflow
        .until("what it was sent is told", async || {
            let story = journal(&skuflow, system).await;
            let of_it = story.iter().filter(|event| event.node.as_ref() == Some(&reader));
            let of_it = of_it.filter(|event| event.message_id.as_deref() == Some(&id));
            let kinds: Vec<_> = of_it.map(|event| event.kind.name()).collect();
            kinds == [KindName::Routed, KindName::Delivered, KindName::Acked]
        })
        .await;
    over::settled(&skuflow, Transport::Zeromq).await;
    assert_eq!(count(&journal(&skuflow, system).await, KindName::Lost), 0);
    signal("KILL", &Value::from(ruby.child.id()));
    skuflow.until("it is gone from the picture", async || in_the_picture().await == 0).await;
}
