//! Programs that are not ours, for the tests; whatever is not installed is skipped, and that is said.
#![allow(dead_code, missing_docs, unused_imports, reason = "each test file uses its part of this")]

pub mod ftp;

pub use ftp::FtpServer;

use std::{
    ffi::OsString,
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long a server may take to listen.
const DEADLINE: Duration = Duration::from_secs(30);

/// A process that ends with the test.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Says that something is missing; where all must be there, it fails the test.
pub fn skip<T>(what: &str) -> Option<T> {
    assert!(std::env::var_os("SKUFLOW_TEST_STRICT").is_none(), "missing: {what}");
    println!("skipped: {what}");
    None
}

/// A Python that has what `end2end/tools/install.sh` puts there.
pub fn python() -> Option<OsString> {
    std::env::var_os("SKUFLOW_TEST_PYTHON").or_else(|| skip("SKUFLOW_TEST_PYTHON names no Python"))
}

/// A program that `make test` installs, where Debian and others put it.
pub fn program(name: &str) -> Option<String> {
    let places = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    let found =
        places.map(|place| format!("{place}/{name}")).into_iter().find(|path| Path::new(path).exists());
    found.or_else(|| skip(&format!("{name} is not installed")))
}

/// A port that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts a server, and waits until it listens.
pub fn start(command: &mut Command, port: u16) -> Process {
    let mut process =
        Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if let Some(status) = process.0.try_wait().unwrap() {
            panic!("{command:?} ended at once: {status}");
        }
        assert!(started.elapsed() < DEADLINE, "{command:?} does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    process
}

/// An nginx that hands everything on to `url`, as people put it in front of servers; and its own address. What it says to
/// the server is as `settings` have it.
pub fn nginx(folder: &Path, url: &str, settings: &str) -> Option<(Process, String)> {
    let nginx = program("nginx")?;
    let port = free_port();
    let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|place| format!("{place}_temp_path {};", folder.join(place).display()))
        .concat();
    let config = format!(
        "daemon off; master_process off; pid {pid}; error_log {log}; events {{}}
         http {{ access_log off; client_max_body_size 0; {places}
                server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {url}; {settings} }} }} }}",
        pid = folder.join("nginx.pid").display(),
        log = folder.join("error.log").display(),
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, config).unwrap();
    let process = start(Command::new(nginx).arg("-p").arg(folder).arg("-c").arg(path), port);
    Some((process, format!("http://127.0.0.1:{port}")))
}
