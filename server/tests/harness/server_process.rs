//! The program, as a process that can be killed at any moment.

use super::{DEADLINE, until};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

pub struct Server {
    root: tempfile::TempDir,
    broker: String,
    flags: Vec<String>,
    /// What `env` is told of the `PATH`.
    path: Option<&'static str>,
    port: u16,
    child: Option<Child>,
    /// The broker's address when it is in the same process.
    pub own_broker: Option<String>,
    pub client: Client,
}

impl Server {
    /// Starts it; `broker` is what the flag takes.
    pub async fn start(broker: &str) -> Self {
        Self::start_with(broker, Vec::new()).await
    }

    /// The same with more flags.
    pub async fn start_with(broker: &str, flags: Vec<String>) -> Self {
        Self::start_in(broker, flags, None).await
    }

    async fn start_in(broker: &str, flags: Vec<String>, path: Option<&'static str>) -> Self {
        let root = tempfile::tempdir().unwrap();
        let pkg = root.path().join("target/site/pkg");
        fs::create_dir_all(&pkg).unwrap();
        fs::write(pkg.join("skuflow.wasm"), "").unwrap();
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        let (broker, port) = (broker.to_owned(), super::free_port());
        let mut server = Self { root, broker, flags, path, port, child: None, own_broker: None, client };
        server.start_again().await;
        server
    }

    /// The same where nothing is installed that it could start.
    pub async fn start_without_path(broker: &str) -> Self {
        Self::start_in(broker, Vec::new(), Some("PATH=")).await
    }

    pub async fn start_again(&mut self) {
        assert!(self.child.is_none());
        // A file that may not become larger is then an error as any other, and not the end of the process.
        let mut command = Command::new("env");
        command
            .arg("--ignore-signal=XFSZ")
            .args(self.path)
            .arg(env!("CARGO_BIN_EXE_skuflow"))
            .current_dir(self.root.path())
            .args(["serve", "--data", "data", "--broker", &self.broker])
            .args(["--addr", &format!("127.0.0.1:{}", self.port)])
            .args(&self.flags)
            .env("SKUFLOW_LOG", "off")
            .stdout(Stdio::piped());
        let stdout = self.child.insert(command.spawn().unwrap()).stdout.take().unwrap();
        for line in BufReader::new(stdout).lines().map(Result::unwrap) {
            if let Some(place) = line.strip_prefix("broker at amqp://") {
                self.own_broker = Some(format!("amqp://guest:guest@{place}/%2f"));
            }
            if line.starts_with("listening on ") {
                break;
            }
        }
        until("it is ready", async || self.is_ready().await).await;
    }

    /// `kill -9`: nothing can be tidied up.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM; how it ended, and after how long.
    pub fn terminate(&mut self) -> (ExitStatus, Duration) {
        let mut child = self.child.take().unwrap();
        let since = Instant::now();
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        while since.elapsed() < DEADLINE {
            if child.try_wait().unwrap().is_some() {
                return (child.wait().unwrap(), since.elapsed());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("it does not end");
    }

    /// What it has open below a folder of its data.
    pub fn open_files_in(&self, folder: &str) -> usize {
        let below = fs::canonicalize(self.data()).unwrap().join(folder);
        let open = fs::read_dir(format!("/proc/{}/fd", self.child.as_ref().unwrap().id())).unwrap();
        open.filter_map(|file| fs::read_link(file.unwrap().path()).ok())
            .filter(|path| path.starts_with(&below))
            .count()
    }

    /// The most memory that it ever had in hand, in KiB (proc(5)).
    pub fn peak_kib(&self) -> u64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.child.as_ref().unwrap().id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub fn pid(&self) -> i32 {
        self.child.as_ref().unwrap().id().try_into().unwrap()
    }

    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub async fn is_ready(&self) -> bool {
        self.client
            .get(self.url("/readyz"))
            .send()
            .await
            .is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    pub async fn get(&self, path: &str) -> Value {
        self.client.get(self.url(path)).send().await.unwrap().json().await.unwrap()
    }

    pub async fn send(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.client.request(method.parse().unwrap(), self.url(path)).json(body);
        let answer = request.timeout(Duration::from_secs(30)).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
