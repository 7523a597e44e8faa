//! The program itself: what it says, and how it ends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// A folder from which the program starts: it looks for the page's files below it.
fn project_root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let pkg = root.path().join("target/site/pkg");
    fs::create_dir_all(&pkg).unwrap();
    fs::write(pkg.join("skuflow.wasm"), "").unwrap();
    root
}

fn skuflow(root: &Path, args: &[&str]) -> Command {
    prepared(Command::new(env!("CARGO_BIN_EXE_skuflow")), root, args)
}

/// The same under a limit of the shell's, such as `-n 256`.
fn skuflow_with_limit(limit: &str, root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", &format!("ulimit {limit}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_skuflow")]);
    prepared(command, root, args)
}

fn prepared(mut command: Command, root: &Path, args: &[&str]) -> Command {
    command.current_dir(root).args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    for flag in ["ADDR", "PUBLIC_URL", "BROKER", "AMQP_LISTEN", "DATA", "FTP", "FTP_LISTEN", "SMTP"] {
        command.env_remove(format!("SKUFLOW_{flag}"));
    }
    command
}

/// Starts it, and reads standard output until it serves.
fn serving(root: &Path, args: &[&str]) -> (Child, Vec<String>) {
    until_serving(skuflow(root, args))
}

fn until_serving(mut command: Command) -> (Child, Vec<String>) {
    let mut child = command.spawn().unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.as_mut().unwrap()).lines() {
        said.push(line.unwrap());
        if said.last().unwrap().starts_with("listening on http://") {
            return (child, said);
        }
    }
    let output = child.wait_with_output().unwrap();
    panic!("it does not serve: {said:?} {}", String::from_utf8_lossy(&output.stderr));
}

fn terminate(child: Child) -> Output {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    child.wait_with_output().unwrap()
}

#[test]
fn a_mistake_in_the_settings_is_one_line_and_exit_2() {
    let root = project_root();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    fs::write(root.path().join("a-file"), "").unwrap();
    fs::create_dir(root.path().join("foreign")).unwrap();
    fs::write(root.path().join("foreign/inventory.db"), "somebody's letter".repeat(1_000)).unwrap();
    for (args, says) in [
        (&["serve", "--addr", "nowhere"][..], "use HOST:PORT, like 127.0.0.1:3000 or localhost:3000"),
        (&["serve", "--management", "http://guest:guest@127.0.0.1:15672"], "name its broker too"),
        (&["serve", "--addr", taken.as_str(), "--data", "d"], "choose another with --addr"),
        (
            &["serve", "--addr", "127.0.0.1:0", "--amqp-listen", taken.as_str(), "--data", "d"],
            "cannot listen on",
        ),
        (
            &["serve", "--addr", "127.0.0.1:0", "--ftp-listen", taken.as_str(), "--data", "d"],
            "choose another with --ftp-listen",
        ),
        (&["serve", "--ftp", "warehouse"], "use ftp://user:pass@host:port/dir"),
        (&["serve", "--broker", "rabbit"], "use amqp://user:pass@host:port/vhost"),
        (&["serve", "--smtp", "mail.example.com"], "use smtp://host:port"),
        (&["serve", "--public-url", "lab.example"], "use one like https://lab.example:8443/"),
        (&["serve", "--public-url", "https://lab.example/skuflow/"], "a host name of its own"),
        (&["serve", "--data", "a-file"], "choose another with --data"),
        (&["serve", "--addr", "127.0.0.1:0", "--data", "foreign"], "inventory.db cannot be used as a store"),
        (&["serve", "--speed", "fast"], "--speed"),
        (&["fly"], "fly"),
    ] {
        let output = skuflow(root.path(), args).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{args:?}: {error}");
        assert!(error.contains(says), "{args:?}: {says:?} is not in {error:?}");
    }
    let unbuilt = tempfile::tempdir().unwrap();
    let output = skuflow(unbuilt.path(), &["serve"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("make build"));
}

#[test]
fn help_names_every_flag_and_its_variable() {
    let root = project_root();
    let output = skuflow(root.path(), &["serve", "--help"]).output().unwrap();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for flag in
        ["addr", "public-url", "broker", "amqp-listen", "data", "ftp", "ftp-listen", "ftp-quiet-ms", "smtp"]
    {
        let variable = format!("SKUFLOW_{}", flag.to_uppercase().replace('-', "_"));
        assert!(help.contains(&format!("--{flag}")) && help.contains(&variable), "{flag}: {help}");
    }
}

#[test]
fn it_says_where_everything_is_and_ends_well_when_told_to() {
    let root = project_root();
    let (child, said) = serving(root.path(), &["serve", "--addr", "localhost:0"]);
    for place in ["broker at amqp://127.0.0.1:", "drop box at ftp://127.0.0.1:"] {
        assert!(said.iter().any(|line| line.starts_with(place)), "{said:?}");
    }
    let output = terminate(child);
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(!log.contains('\x1b'), "colours are for terminals: {log:?}");
    assert!(root.path().join("data/inventory.db").exists());
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let root = project_root();
    let args = ["serve", "--addr", "127.0.0.1:0", "--data", "d"];
    let (first, _) = serving(root.path(), &args);
    let second = skuflow(root.path(), &args).output().unwrap();
    let error = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(2), "{error}");
    assert!(error.contains("another skuflow is using it"), "{error}");
    assert_eq!(terminate(first).status.code(), Some(0));
}

/// What the page's port answers to a request, if it answers.
fn get(addr: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(addr).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn with_256_descriptors_all_taken_it_waits_panics_nowhere_and_goes_on_when_some_are_free() {
    let root = project_root();
    let (child, said) = until_serving(skuflow_with_limit(
        "-n 256",
        root.path(),
        &["serve", "--addr", "127.0.0.1:0", "--data", "d"],
    ));
    let place = |start: &str| said.iter().find_map(|line| line.strip_prefix(start)).unwrap().to_owned();
    let page = place("listening on http://");
    for _ in 0..2 {
        let mut taken = Vec::new();
        for addr in [&page, &place("broker at amqp://"), &place("drop box at ftp://")] {
            // The kernel takes them, whether or not the program has room to accept them.
            taken.extend((0..120).map_while(|_| TcpStream::connect(addr).ok()));
        }
        assert!(taken.len() > 256, "{}", taken.len());
        drop(taken);
        until_ready(&page);
    }
    let output = terminate(child);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    assert!(!complaints.contains("panicked"), "{complaints}");
    assert!(complaints.lines().count() < 200, "{} lines", complaints.lines().count());
}

/// Waits until the program says that it is ready: right after its start, not every service has its connection.
fn until_ready(page: &str) {
    let started = Instant::now();
    loop {
        let answer = get(page, "/readyz").unwrap_or_default();
        if answer.starts_with("HTTP/1.1 200") {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "it is not ready: {answer}");
    }
}

#[test]
fn a_file_beyond_the_limit_on_files_is_an_error_and_not_the_end() {
    let root = project_root();
    // In units of 1,024 bytes: the stores have room, the upload has not.
    let (child, said) = until_serving(skuflow_with_limit(
        "-f 4096",
        root.path(),
        &["serve", "--addr", "127.0.0.1:0", "--data", "d"],
    ));
    let page = said.iter().find_map(|line| line.strip_prefix("listening on http://")).unwrap();
    let body = vec![b'x'; 8 << 20];
    let mut stream = TcpStream::connect(page).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(stream, "POST /api/files/large.csv HTTP/1.1\r\nHost: {page}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len())
        .unwrap();
    // The refusal may come before all is sent.
    let _ = stream.write_all(&body);
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    until_ready(page);
    assert!(terminate(child).status.success());
}
