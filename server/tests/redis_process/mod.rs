//! A Redis of a test's own: on a free port, in a temporary folder, ended by its process id.
#![allow(dead_code, missing_docs, reason = "each test file uses its part of this")]

use redis::{Client, Cmd, FromRedisValue, aio::MultiplexedConnection};
use std::{
    fs,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Weak,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::time::sleep;

const DEADLINE: Duration = Duration::from_secs(60);

pub struct RedisProcess {
    folder: TempDir,
    port: u16,
    child: Child,
}

/// Whether there is a `redis-server` to start; `make test` installs it.
pub fn is_installed() -> bool {
    let is_there = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_ok();
    assert!(
        is_there || std::env::var_os("SKUFLOW_TEST_STRICT").is_none(),
        "there is no redis-server; run end2end/tools/install.sh"
    );
    if !is_there {
        println!("skipped: there is no redis-server");
    }
    is_there
}

/// One that tests share which neither stop nor fill it, and a number of a database in it that is this test's own.
pub async fn shared() -> (Arc<RedisProcess>, u8) {
    static SHARED: tokio::sync::Mutex<Weak<RedisProcess>> = tokio::sync::Mutex::const_new(Weak::new());
    static DATABASE: AtomicU8 = AtomicU8::new(0);
    let mut known = SHARED.lock().await;
    let redis = match known.upgrade() {
        Some(redis) => redis,
        None => Arc::new(RedisProcess::start().await),
    };
    *known = Arc::downgrade(&redis);
    (redis, DATABASE.fetch_add(1, Ordering::Relaxed) % 16)
}

impl RedisProcess {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = spawn(&folder, port);
        let redis = Self { folder, port, child };
        redis.answers().await;
        redis
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// It hangs, or goes on: `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    pub async fn start_again(&mut self) {
        self.child = spawn(&self.folder, self.port);
        self.answers().await;
    }

    /// Everything that it kept is gone.
    pub async fn start_again_empty(&mut self) {
        self.folder = tempfile::tempdir().unwrap();
        self.start_again().await;
    }

    async fn answers(&self) {
        let started = Instant::now();
        loop {
            if let Ok(mut connection) = self.try_connection().await
                && redis::cmd("PING").exec_async(&mut connection).await.is_ok()
            {
                return;
            }
            let log = fs::read_to_string(self.folder.path().join("redis.log")).unwrap_or_default();
            assert!(started.elapsed() < DEADLINE, "redis-server does not answer: {log}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn try_connection(&self) -> redis::RedisResult<MultiplexedConnection> {
        Client::open(self.url()).unwrap().get_multiplexed_async_connection().await
    }

    /// A command in one of its databases.
    pub async fn ask_in<T: FromRedisValue>(&self, database: u8, words: &[&str]) -> T {
        let client = Client::open(format!("{}{database}", self.url())).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut asked = redis::cmd(words[0]);
        for word in &words[1..] {
            asked.arg(word);
        }
        asked.query_async(&mut connection).await.unwrap()
    }

    pub async fn ask<T: FromRedisValue>(&self, command: &str) -> T {
        let mut words = command.split(' ');
        let mut asked = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            asked.arg(word);
        });
        self.tell(&asked).await
    }

    pub async fn tell<T: FromRedisValue>(&self, command: &Cmd) -> T {
        command.query_async(&mut self.try_connection().await.unwrap()).await.unwrap()
    }
}

impl Drop for RedisProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &TempDir, port: u16) -> Child {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--logfile", "redis.log", "--dir"])
        .arg(folder.path())
        .args(["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
