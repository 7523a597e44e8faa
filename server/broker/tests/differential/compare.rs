//! Runs a scenario against both brokers and compares what they said.

use crate::client::{Client, Transcript};
use amq_protocol::uri::AMQPUri;
use broker::{Broker, Config};
use std::{
    cell::RefCell,
    env, fs,
    path::PathBuf,
    rc::Rc,
    sync::atomic::{AtomicU32, Ordering},
};

/// Names a RabbitMQ that may be asked.
const RABBITMQ_URL: &str = "BROKER_TEST_RABBITMQ_URL";
/// Makes its answers the expected ones.
const RECORD: &str = "BROKER_TEST_RECORD";

/// Where a scenario plays, and what is written down of it.
pub struct Stage {
    pub address: String,
    pub user: String,
    pub password: String,
    pub vhost: String,
    prefix: String,
    transcript: Rc<RefCell<Transcript>>,
}

impl Stage {
    fn new(url: &str, prefix: String) -> Self {
        let uri: AMQPUri = url.parse().unwrap();
        Self {
            address: format!("{}:{}", uri.authority.host, uri.authority.port),
            user: uri.authority.userinfo.username,
            password: uri.authority.userinfo.password,
            vhost: uri.vhost,
            transcript: Rc::new(RefCell::new(Transcript::new(&prefix))),
            prefix,
        }
    }

    /// A name that no other scenario and no other run uses; written down without what makes it so.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A client after its handshake. `label` is what the transcript calls it.
    pub fn connect(&self, label: &'static str) -> Client {
        Client::connect(self, label, self.transcript.clone())
    }

    /// A client that announced no capabilities in its handshake.
    pub fn connect_plainly(&self, label: &'static str) -> Client {
        Client::connect_plainly(self, label, self.transcript.clone())
    }

    /// A client that has not said anything yet.
    pub fn dial(&self, label: &'static str) -> Client {
        Client::dial(self, label, self.transcript.clone())
    }
}

fn play(url: &str, scenario: fn(&Stage)) -> String {
    static PLAYED: AtomicU32 = AtomicU32::new(0);
    // Always as long, for an error text is cut off at 255 bytes.
    let number = PLAYED.fetch_add(1, Ordering::Relaxed);
    let stage = Stage::new(url, format!("test-{:07}-{number:03}-", std::process::id()));
    scenario(&stage);
    let transcript = stage.transcript.borrow();
    transcript.to_string()
}

fn play_embedded(scenario: fn(&Stage)) -> String {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let broker = runtime.block_on(Broker::start(Config::default())).unwrap();
    let answers = play(&format!("amqp://guest:guest@{}/%2f", broker.local_addr()), scenario);
    runtime.block_on(broker.shutdown());
    answers
}

/// Plays a scenario and compares.
pub fn compare(name: &str, scenario: fn(&Stage)) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/differential/expected")
        .join(format!("{name}.txt"));
    match env::var(RABBITMQ_URL) {
        Ok(url) => {
            let asked = play(&url, scenario);
            if env::var_os(RECORD).is_some() {
                fs::write(&file, &asked).unwrap();
            }
            assert_same("RabbitMQ", &fs::read_to_string(&file).unwrap(), &asked);
        }
        Err(_) => eprintln!("SKIPPED asking RabbitMQ for {name}: {RABBITMQ_URL} is not set"),
    }
    assert_same("this broker", &fs::read_to_string(&file).unwrap(), &play_embedded(scenario));
}

fn assert_same(who: &str, expected: &str, answered: &str) {
    if expected == answered {
        return;
    }
    let mut report = String::new();
    let (mut expected, mut answered) = (expected.lines(), answered.lines());
    loop {
        match (expected.next(), answered.next()) {
            (None, None) => break,
            (e, a) if e == a => report.push_str(&format!("    {}\n", e.unwrap())),
            (e, a) => {
                report.push_str(&format!(
                    "  - {}\n  + {}\n",
                    e.unwrap_or("(nothing)"),
                    a.unwrap_or("(nothing)")
                ));
            }
        }
    }
    panic!("{who} answers differently (- expected, + answered):\n{report}");
}

/// Declares tests, one for each scenario, named like the behaviour it shows.
#[macro_export]
macro_rules! scenarios {
    ($($(#[$doc:meta])* fn $name:ident($stage:ident) $body:block)*) => {
        $(
            $(#[$doc])*
            #[test]
            fn $name() {
                fn scenario($stage: &$crate::compare::Stage) $body
                $crate::compare::compare(stringify!($name), scenario);
            }
        )*
    };
}
