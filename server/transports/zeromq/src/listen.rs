//! Where the sockets are: six doors, on ports that follow each other or that the system chooses.

use crate::door::Door;
use flow::{Service, Style, System, Transport};
use std::{
    fmt, io,
    net::{SocketAddr, TcpListener},
    str::FromStr,
    sync::Arc,
};

/// How many sockets there are, of both styles.
const SOCKETS: u16 = 6;

/// The address of the first socket; the others have the ports behind it. With port 0 the system chooses each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAt(pub SocketAddr);

impl Default for ListenAt {
    fn default() -> Self {
        Self(([127, 0, 0, 1], 0).into())
    }
}

/// Why text is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    #[error("{0:?} is not an address to listen on: use tcp://127.0.0.1:5600")]
    Address(String),
    #[error("behind port {0} there are not the five more that are needed: use 65530 or less")]
    TooHigh(u16),
}

impl FromStr for ListenAt {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let place = text.strip_prefix("tcp://").unwrap_or(text);
        let addr: SocketAddr = place
            .replace("localhost", "127.0.0.1")
            .parse()
            .map_err(|_| ListenError::Address(text.to_owned()))?;
        match addr.port().checked_add(SOCKETS - 1) {
            Some(_) => Ok(Self(addr)),
            None => Err(ListenError::TooHigh(addr.port())),
        }
    }
}

impl fmt::Display for ListenAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp://{}", self.0)
    }
}

/// What a socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Socket {
    Pub,
    Push(Service),
    Router,
}

impl Socket {
    /// Its type, as ZMTP calls it.
    #[must_use]
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Pub => "PUB",
            Self::Push(_) => "PUSH",
            Self::Router => "ROUTER",
        }
    }
}

/// The sockets of one system: those of the mode in which it starts, then the one of the mode `acked`.
pub fn sockets_of(style: Style) -> impl Iterator<Item = Socket> {
    let plain = match style {
        Style::Choreography => vec![Socket::Pub],
        Style::Orchestration => Service::ALWAYS.map(Socket::Push).to_vec(),
    };
    plain.into_iter().chain([Socket::Router])
}

/// The doors of one system; clones share them.
#[derive(Debug, Clone)]
pub struct Doors(Arc<Vec<(Socket, Door)>>);

impl Doors {
    /// Takes all six ports, and answers the doors of each system.
    ///
    /// # Errors
    /// When one of them cannot be had.
    pub fn bind(at: ListenAt) -> io::Result<[(System, Self); 2]> {
        let mut doors: [Vec<(Socket, Door)>; 2] = Default::default();
        let styles = [Style::Choreography, Style::Orchestration];
        // The ROUTER sockets stand behind the others.
        let all = styles.iter().flat_map(|&style| sockets_of(style).map(move |socket| (style, socket)));
        let (routers, others): (Vec<_>, Vec<_>) = all.partition(|(_, socket)| *socket == Socket::Router);
        for (offset, (style, socket)) in (0..).zip(others.into_iter().chain(routers)) {
            let mut addr = at.0;
            if addr.port() > 0 {
                addr.set_port(addr.port() + offset);
            }
            let listener = TcpListener::bind(addr)
                .map_err(|error| io::Error::new(error.kind(), format!("port {}: {error}", addr.port())))?;
            doors[style as usize].push((socket, Door::new(listener, socket)?));
        }
        let mut doors = doors.into_iter();
        Ok(styles.map(|style| {
            let system = System { style, transport: Transport::Zeromq };
            (system, Self(Arc::new(doors.next().unwrap_or_default())))
        }))
    }

    /// The door of a socket.
    ///
    /// # Panics
    /// When the system has no such socket.
    #[must_use]
    pub fn door(&self, socket: Socket) -> &Door {
        let mut all = self.0.iter();
        &all.find(|(one, _)| *one == socket).expect("who asks for a socket knows the style").1
    }

    pub fn all(&self) -> impl Iterator<Item = &(Socket, Door)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_or_without_its_scheme_and_a_wrong_one_says_what_to_use() {
        let at: ListenAt = "tcp://127.0.0.1:5600".parse().unwrap();
        assert_eq!(at.to_string(), "tcp://127.0.0.1:5600");
        assert_eq!("127.0.0.1:5600".parse(), Ok(at));
        assert_eq!("tcp://localhost:5600".parse(), Ok(at));
        for wrong in ["", "tcp://", "ipc:///tmp/x", "tcp://127.0.0.1", "tcp://*:5600"] {
            let error = wrong.parse::<ListenAt>().unwrap_err().to_string();
            assert!(error.contains("use tcp://127.0.0.1:5600"), "{error}");
        }
        assert_eq!("127.0.0.1:65531".parse::<ListenAt>(), Err(ListenError::TooHigh(65_531)));
    }

    #[tokio::test]
    async fn one_named_port_stands_for_six_in_a_row_and_one_that_is_taken_is_named() {
        // A free stretch is not known before; a taken one is.
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = taken.local_addr().unwrap();
        let error = Doors::bind(ListenAt(addr)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(error.to_string().contains(&addr.port().to_string()), "{error}");
        let [(_, fanned), (_, pushed)] = Doors::bind(ListenAt::default()).unwrap();
        let types = |doors: &Doors| doors.all().map(|(socket, _)| socket.type_name()).collect::<Vec<_>>();
        assert_eq!(types(&fanned), ["PUB", "ROUTER"]);
        assert_eq!(types(&pushed), ["PUSH", "PUSH", "PUSH", "ROUTER"]);
    }
}
