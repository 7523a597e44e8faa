//! Unmodified clients of other languages: some play one round and all see the same, others do what they are made for.
//!
//! pika and Celery are looked for in the Python that `BROKER_TEST_PYTHON` names (else `python3`), amqplib where
//! `NODE_PATH` says. A client that is not installed is skipped, and that is said; with `BROKER_TEST_STRICT` it is
//! an error.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests are tests too")]

use broker::{Broker, Config};
use std::{env, path::PathBuf, process::Command};

const ROUND: &str = "\
confirmed
returned 312 NO_ROUTE two
first one id headers same
again one id headers same
large 300000
empty True
priorities 3 2 1
refused 406
answered answer
cancelled watched
";

/// Runs the script of one client, unless the client is not there, and compares what it says.
async fn play(program: String, check: [&str; 2], script: &str, expected: &str) {
    let is_there = Command::new(&program).args(check).output().is_ok_and(|checked| checked.status.success());
    if !is_there {
        assert!(env::var_os("BROKER_TEST_STRICT").is_none(), "{program} cannot do `{}`", check[1]);
        eprintln!("SKIPPED {script}: {program} cannot do `{}`", check[1]);
        return;
    }
    let broker = Broker::start(Config::default()).await.unwrap();
    let url = format!("amqp://guest:guest@{}/%2f", broker.local_addr());
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let playing = tokio::task::spawn_blocking(move || Command::new(program).arg(script).arg(url).output());
    let played = playing.await.unwrap().unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
    assert_eq!(said, expected, "{complained}");
    broker.shutdown().await;
}

fn python() -> String {
    env::var("BROKER_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

#[tokio::test]
async fn pika_plays_its_round() {
    play(python(), ["-c", "import pika"], "round.py", ROUND).await;
}

#[tokio::test]
async fn a_celery_worker_full_of_delayed_tasks_still_gets_an_immediate_one() {
    play(python(), ["-c", "import celery"], "celery_worker.py", "ran ['immediate']\n").await;
}

#[tokio::test]
async fn amqplib_plays_its_round() {
    play("node".to_owned(), ["-e", "require('amqplib')"], "round.cjs", ROUND).await;
}
