//! A TCP proxy between the program and its broker that can fall silent: connections stay, nothing comes through.

use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    Everything,
    /// What the program sends; what the broker says does not arrive.
    OnlyToBroker,
    Nothing,
}

pub struct Proxy {
    addr: SocketAddr,
    passes: watch::Sender<Passes>,
}

impl Proxy {
    pub async fn start(broker_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let passes = watch::Sender::new(Passes::Everything);
        let gate = passes.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(broker) = TcpStream::connect(("127.0.0.1", broker_port)).await else { continue };
                let ((from_client, to_client), (from_broker, to_broker)) =
                    (client.into_split(), broker.into_split());
                tokio::spawn(pass(
                    from_client,
                    to_broker,
                    gate.clone(),
                    &[Passes::Everything, Passes::OnlyToBroker],
                ));
                tokio::spawn(pass(from_broker, to_client, gate.clone(), &[Passes::Everything]));
            }
        });
        Self { addr, passes }
    }

    pub fn url(&self) -> String {
        format!("amqp://guest:guest@{}/%2f", self.addr)
    }

    pub fn let_pass(&self, passes: Passes) {
        self.passes.send_replace(passes);
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut gate: watch::Receiver<Passes>,
    when: &'static [Passes],
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut buffer).await {
        let open = gate.wait_for(|passes| when.contains(passes)).await.is_ok();
        if read == 0 || !open || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
