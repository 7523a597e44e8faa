//! FTP servers that are not ours.

use super::{Process, free_port, program, python, start};
use server::cli::FtpChoice;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use warehouse::ftp::FtpUrl;

pub struct FtpServer {
    _process: Process,
    _home: tempfile::TempDir,
    /// The folder that is watched.
    pub folder: PathBuf,
    pub port: u16,
    /// With user and password.
    url: String,
    log: PathBuf,
    /// What stands in front of a command in its log.
    mark: &'static str,
}

fn home() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let (folder, log) = (home.path().join("box"), home.path().join("log"));
    fs::create_dir(&folder).unwrap();
    (home, folder, log)
}

impl FtpServer {
    /// pyftpdlib, which knows `MLSD` and everything else unless it is told to do without.
    pub fn python(options: &[&str]) -> Option<Self> {
        let (home, folder, log) = home();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/ftp_server.py");
        let mut command = Command::new(python()?);
        command.arg(script).arg(&folder).arg(&log).args(options);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let port = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let url = format!("ftp://them:s%40crit@127.0.0.1:{port}");
        let port = port.parse().unwrap();
        Some(Self { _process: Process(child), _home: home, folder, port, url, log, mark: "<- " })
    }

    /// vsftpd, which knows no `MLSD`; `more` is added to its settings. It runs as whoever runs the test.
    pub fn vsftpd(more: &str) -> Option<Self> {
        let vsftpd = program("vsftpd")?;
        let ((home, folder, log), port) = (home(), free_port());
        let settings = format!(
            "listen=YES\nlisten_ipv6=NO\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n\
             run_as_launching_user=YES\nseccomp_sandbox=NO\nlocal_enable=NO\n\
             anonymous_enable=YES\nno_anon_password=YES\nanon_root={}\nanon_world_readable_only=NO\n\
             write_enable=YES\nanon_upload_enable=YES\nanon_mkdir_write_enable=YES\n\
             anon_other_write_enable=YES\nallow_writeable_chroot=YES\n\
             xferlog_enable=YES\nlog_ftp_protocol=YES\nxferlog_std_format=NO\nvsftpd_log_file={}\n{more}\n",
            folder.display(),
            log.display(),
        );
        let path = home.path().join("vsftpd.conf");
        fs::write(&path, settings).unwrap();
        let process = start(Command::new(vsftpd).arg(path), port);
        let url = format!("ftp://127.0.0.1:{port}");
        Some(Self { _process: process, _home: home, folder, port, url, log, mark: "\"" })
    }

    pub fn choice(&self) -> FtpChoice {
        FtpChoice::At(self.url.parse::<FtpUrl>().unwrap())
    }

    /// How often it was asked this, such as `RETR stock.csv`.
    pub fn asked(&self, command: &str) -> usize {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log).matches(&format!("{}{command}", self.mark)).count()
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.join(name)
    }
}
