//! A real nginx before a server, set up as the README says.
#![allow(dead_code, missing_docs, reason = "a test's own tools")]

use reqwest::{Client, RequestBuilder, header, redirect};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, pem::PemObject},
    },
};

/// The host in the README's set-up.
pub const HOST: &str = "lab.example";

/// The programs that the tests need here, or none where one is missing. With `SKUFLOW_TEST_STRICT` that is a failure.
pub struct Programs {
    nginx: PathBuf,
}

impl Programs {
    pub fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        // Debian keeps servers where only root looks for programs.
        let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
        let nginx = folders.map(|folder| folder.join("nginx")).find(|nginx| nginx.is_file());
        let has_openssl = Command::new("openssl").arg("version").output().is_ok();
        if let (Some(nginx), true) = (nginx, has_openssl) {
            return Some(Self { nginx });
        }
        assert!(std::env::var_os("SKUFLOW_TEST_STRICT").is_none(), "there is no nginx or no openssl here");
        println!("skipped: there is no nginx or no openssl here");
        None
    }
}

pub struct Nginx {
    child: Child,
    /// Its files, as long as it runs.
    _folder: tempfile::TempDir,
    port: u16,
    tunnel: SocketAddr,
    client: Client,
}

impl Nginx {
    /// Starts it on `port` before the server at `upstream`. `change` may change the README's set-up.
    pub async fn start(
        programs: &Programs,
        port: u16,
        upstream: &str,
        change: impl FnOnce(String) -> String,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        certificate(path);
        let set_up = change(set_up(path, port, upstream));
        let own = |name: &str| path.join(name).display().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {};\n", own(name)))
            .concat();
        let conf = format!(
            "daemon off;\nmaster_process off;\npid {};\nerror_log stderr crit;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}{set_up}}}\n",
            own("pid")
        );
        fs::write(path.join("nginx.conf"), conf).unwrap();
        let child = Command::new(&programs.nginx)
            .args(["-e", "stderr", "-p"])
            .arg(path)
            .args(["-c", "nginx.conf"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let tunnel = tunnel(port, &path.join("cert.pem")).await;
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
        let mut nginx = Self { child, _folder: folder, port, tunnel, client };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(nginx.child.try_wait().unwrap().is_none(), "nginx does not start");
            assert!(started.elapsed() < Duration::from_secs(60), "nginx does not listen");
            sleep(Duration::from_millis(20)).await;
        }
        nginx
    }

    /// What readers see: `https://lab.example:PORT`.
    pub fn origin(&self) -> String {
        origin(self.port)
    }

    /// A request over TLS, for the host that the certificate names.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.request_for(&format!("{HOST}:{}", self.port), method, path)
    }

    /// The same for another host.
    pub fn request_for(&self, host: &str, method: &str, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.tunnel);
        self.client.request(method.parse().unwrap(), url).header(header::HOST, host)
    }
}

/// Encrypts what comes, for the nginx on `port`. The tests' HTTP client itself cannot: it is the server's, which needs
/// no TLS.
async fn tunnel(port: u16, certificate: &Path) -> SocketAddr {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = TlsConnector::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut plain, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                let stream = TcpStream::connect(("127.0.0.1", port)).await?;
                let mut encrypted = tls.connect(HOST.try_into().unwrap(), stream).await?;
                copy_bidirectional(&mut plain, &mut encrypted).await
            });
        }
    });
    addr
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn origin(port: u16) -> String {
    format!("https://{HOST}:{port}")
}

/// A port that is free now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The README's set-up, with places of this test in it.
fn set_up(folder: &Path, port: u16, upstream: &str) -> String {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let (_, rest) = readme.split_once("```nginx\n").expect("the README shows how nginx is set up");
    let (set_up, _) = rest.split_once("```").unwrap();
    let own = |name: &str| folder.join(name).display().to_string();
    [
        ("listen 443 ssl", format!("listen 127.0.0.1:{port} ssl")),
        ("/etc/ssl/lab.example.pem", own("cert.pem")),
        ("/etc/ssl/lab.example.key", own("key.pem")),
        ("http://127.0.0.1:3000", upstream.to_owned()),
    ]
    .into_iter()
    .fold(set_up.to_owned(), |set_up, (there, here)| replaced(&set_up, there, &here))
}

pub fn replaced(set_up: &str, there: &str, here: &str) -> String {
    assert_eq!(set_up.matches(there).count(), 1, "{there:?} in {set_up}");
    set_up.replace(there, here)
}

fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .current_dir(folder)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=lab.example", "-addext", "subjectAltName=DNS:lab.example"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "cert.pem"])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
}
