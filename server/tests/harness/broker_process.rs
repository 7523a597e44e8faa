//! The broker, as a process that can be killed at any moment and started again on its data.

use super::free_port;
use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Our broker in the program's own process.
    Embedded,
    /// Our broker in a process of its own.
    Ours,
    RabbitMq,
}

/// The environment variables by which a test process knows that it is to be a broker.
const DATA: &str = "SKUFLOW_TEST_BROKER_DATA";
const PORT: &str = "SKUFLOW_TEST_BROKER_PORT";

pub struct Broker {
    kind: Kind,
    dir: tempfile::TempDir,
    port: u16,
    epmd: Option<(Child, u16)>,
    child: Option<Child>,
}

/// What the process that is to be a broker does; the test of that name calls it.
pub fn be_a_broker() {
    let (Some(data), Ok(port)) = (std::env::var_os(DATA), std::env::var(PORT)) else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listen = format!("127.0.0.1:{port}").parse().unwrap();
        let data = Some(PathBuf::from(data));
        let _broker =
            broker::Broker::start(broker::Config { listen, data, ..Default::default() }).await.unwrap();
        println!("a broker is up");
        std::future::pending::<()>().await;
    });
}

impl Broker {
    /// Starts one; RabbitMQ's node is one of its own.
    pub fn start(kind: Kind) -> Self {
        assert_ne!(kind, Kind::Embedded, "that one starts with the program");
        let mut broker =
            Self { kind, dir: tempfile::tempdir().unwrap(), port: free_port(), epmd: None, child: None };
        broker.start_again();
        broker
    }

    pub fn start_again(&mut self) {
        assert!(self.child.is_none());
        self.child = Some(match self.kind {
            Kind::RabbitMq => self.start_rabbitmq(),
            _ => self.start_ours(),
        });
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    fn start_ours(&self) -> Child {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_process_may_be_a_broker", "--nocapture"])
            .env(DATA, self.dir.path())
            .env(PORT, self.port.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        assert!(lines.map(Result::unwrap).any(|line| line.contains("a broker is up")));
        child
    }

    /// The same set-up as that of `end2end/tools/with-rabbitmq.sh`, which says why.
    fn start_rabbitmq(&mut self) -> Child {
        let dir = self.dir.path().to_owned();
        if self.epmd.is_none() {
            let port = free_port();
            let child = Command::new(epmd_path())
                .args(["-port", &port.to_string()])
                .env("ERL_EPMD_ADDRESS", "127.0.0.1")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            self.epmd = Some((child, port));
            fs::write(dir.join("enabled_plugins"), "[].\n").unwrap();
            let conf = format!(
                "listeners.tcp.default = 127.0.0.1:{}\nlog.console = false\nlog.file.level = warning\n\
                 disk_free_limit.absolute = 50MB\n",
                self.port
            );
            fs::write(dir.join("rabbitmq.conf"), conf).unwrap();
        }
        let epmd_port = self.epmd.as_ref().unwrap().1.to_string();
        let scripted = Path::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
        let program = if scripted.exists() { scripted } else { Path::new("rabbitmq-server") };
        let child = Command::new(program)
            // Where it leaves its dumps when it is killed.
            .current_dir(&dir)
            .env_remove("RABBITMQ_NODE_PORT")
            .env("HOME", &dir)
            .env("ERL_EPMD_PORT", epmd_port)
            // Stay one process, whose pid is the one that we kill.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .env("RABBITMQ_NODENAME", format!("skuflow-{}@localhost", self.port))
            .env("RABBITMQ_DIST_PORT", free_port().to_string())
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}")
            .env("RABBITMQ_CONFIG_FILE", dir.join("rabbitmq.conf"))
            .env("RABBITMQ_MNESIA_BASE", dir.join("mnesia"))
            .env("RABBITMQ_LOG_BASE", dir.join("log"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", dir.join("enabled_plugins"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(since.elapsed() < Duration::from_secs(60), "RabbitMQ does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        child
    }
}

fn epmd_path() -> PathBuf {
    let erts = fs::read_dir("/usr/lib/erlang").into_iter().flatten().flatten();
    erts.map(|entry| entry.path().join("bin/epmd"))
        .find(|path| path.exists() && path.to_string_lossy().contains("erts-"))
        .unwrap_or_else(|| "epmd".into())
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
        if let Some((mut epmd, _)) = self.epmd.take() {
            let _ = epmd.kill();
            let _ = epmd.wait();
        }
    }
}
