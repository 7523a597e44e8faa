//! Nobody but an FTP client gets to the embedded FTP server.
//!
//! Any web page can make a browser post to a port of this machine. An FTP server that answers "unknown command" to each
//! line of HTTP and reads on would obey what the page put into the body. So whoever does not begin with an FTP command,
//! or says several things that are none, is hung up on.

use super::uploads::Session;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Interest},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// The commands that the server knows (RFC 959, 2228, 2389, 2428 and 3659), and their old names.
const COMMANDS: [&str; 48] = [
    "ABOR", "ACCT", "ALLO", "APPE", "AUTH", "BYE", "CCC", "CDUP", "CLNT", "CWD", "DELE", "EPRT", "EPSV",
    "FEAT", "HASH", "HELP", "LIST", "MDTM", "MFMT", "MKD", "MLSD", "MLST", "MODE", "NLST", "NOOP", "OPTS",
    "PASS", "PASV", "PBSZ", "PORT", "PROT", "PWD", "QUIT", "REST", "RETR", "RMD", "RNFR", "RNTO", "SITE",
    "SIZE", "STAT", "STOR", "STOU", "STRU", "SYST", "TYPE", "USER", "XPWD",
];
/// What a client may say that is no command, once it has begun well.
const UNKNOWN_MAX: u32 = 3;
/// A command line is at most so long, a path of 4,096 bytes included.
const LINE_MAX_BYTES: u64 = 8 * 1024;
const REFUSAL: &[u8] = b"500 This is an FTP server, and that is not an FTP command. Good-bye.\r\n";
/// How long whoever was hung up on may take to read why.
const LINGER: Duration = Duration::from_secs(1);
/// How long after the end of an upload a client must still be there, who says nothing, to have heard of it.
const STAYS: Duration = Duration::from_secs(1);
/// How long the answer to a client who has gone may take to come back as one that nobody took.
const RESET_AFTER: Duration = Duration::from_millis(500);

/// Two ends of a connection: what is written into one comes out of the other.
///
/// # Errors
/// When the operating system has no sockets left.
pub async fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let ours = TcpStream::connect(listener.local_addr()?).await?;
    loop {
        let (theirs, peer) = listener.accept().await?;
        // Somebody else may have been faster.
        if peer == ours.local_addr()? {
            theirs.set_nodelay(true)?;
            return Ok((ours, theirs));
        }
    }
}

/// Passes on what client and server say to each other, until one of them leaves or the client turns out to be none.
/// Says to the session whether the client heard how his uploads ended.
///
/// # Errors
/// When a connection breaks.
pub async fn relay(client: TcpStream, server: TcpStream, session: &Session) -> io::Result<()> {
    let relayed = pass_on(client, server, session).await;
    match &relayed {
        Ok(()) => session.confirm(),
        Err(_) => session.break_off(),
    }
    relayed
}

async fn pass_on(client: TcpStream, server: TcpStream, session: &Session) -> io::Result<()> {
    // Short lines that are waited for, in both directions.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = tokio::io::copy(&mut from_server, &mut to_client);
    let commands = async {
        let mut from_client = BufReader::new(from_client);
        let (mut known, mut unknown) = (0_u64, 0);
        loop {
            let mut line = Vec::new();
            (&mut from_client).take(LINE_MAX_BYTES).read_until(b'\n', &mut line).await?;
            if line.is_empty() {
                if session.leave() {
                    // Closed with our answer unread, or before it came: the other end resets the connection.
                    let reset = from_client.get_ref().ready(Interest::ERROR);
                    match timeout(RESET_AFTER, reset).await {
                        Ok(_) => session.break_off(),
                        Err(_) => session.confirm(),
                    }
                }
                to_server.shutdown().await?;
                return Ok(None);
            }
            session.confirm();
            let is_whole = (line.len() as u64) < LINE_MAX_BYTES;
            if is_whole && is_command(&line) {
                known += 1;
            } else {
                unknown += 1;
                if !is_whole || known == 0 || unknown > UNKNOWN_MAX || is_http(&line) {
                    return Ok(Some(from_client));
                }
            }
            to_server.write_all(&line).await?;
        }
    };
    let silence = async {
        loop {
            session.upload_ended().await;
            sleep(STAYS).await;
            session.confirm();
        }
    };
    let refused = {
        let (mut answers, mut commands) = (std::pin::pin!(answers), std::pin::pin!(commands));
        tokio::select! {
            said = &mut answers => return said.map(drop),
            () = silence => return Ok(()),
            ended = &mut commands => match ended {
                Ok(None) => return answers.await.map(drop),
                Ok(refused) => refused,
                Err::<_, io::Error>(error) => return Err(error),
            },
        }
    };
    if let Some(mut rest) = refused {
        to_client.write_all(REFUSAL).await?;
        to_client.shutdown().await?;
        // Closed with something unread, the connection would be reset before the refusal is read.
        let mut sink = tokio::io::sink();
        let drained = tokio::io::copy(&mut rest, &mut sink);
        let _ = timeout(LINGER, drained).await;
    }
    Ok(())
}

fn verb(line: &[u8]) -> String {
    let end = line.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(line.len());
    String::from_utf8_lossy(&line[..end]).to_ascii_uppercase()
}

fn is_command(line: &[u8]) -> bool {
    let verb = verb(line);
    line.get(verb.len()).is_some_and(u8::is_ascii_whitespace) && COMMANDS.contains(&&*verb)
}

/// Whether a line is the first of an HTTP request, wherever it stands.
fn is_http(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    line.windows(b" HTTP/".len()).any(|part| part == b" HTTP/")
}

#[cfg(test)]
mod tests {
    use super::{super::uploads::Uploads, *};
    use std::path::PathBuf;

    /// What the server is told, and what the client reads, when a client says all that and leaves.
    async fn say(lines: &[u8]) -> (String, String) {
        let (mut client, for_relay) = pair().await.unwrap();
        let (mut server, to_server) = pair().await.unwrap();
        let session = Session::new(Uploads::default(), PathBuf::new());
        let relaying = tokio::spawn(async move { relay(for_relay, to_server, &session).await });
        client.write_all(lines).await.unwrap();
        client.shutdown().await.unwrap();
        let mut told = String::new();
        server.read_to_string(&mut told).await.unwrap();
        drop(server);
        let mut read = String::new();
        client.read_to_string(&mut read).await.unwrap();
        relaying.await.unwrap().unwrap();
        (told, read)
    }

    #[tokio::test]
    async fn a_client_of_ftp_is_passed_on_word_for_word() {
        let lines = "USER warehouse\r\nPASS warehouse\r\npwd\r\nXYZZY\r\nSTOR a b.csv\r\nQUIT\r\n";
        assert_eq!(say(lines.as_bytes()).await, (lines.to_owned(), String::new()));
    }

    #[tokio::test]
    async fn a_web_pages_request_is_hung_up_on_before_its_body_is_obeyed() {
        let body = "USER warehouse\r\nPASS warehouse\r\nDELE arrivals.csv\r\n";
        for first in ["POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "Host: x\r\n", "\r\n", "\u{1}\u{2}\r\n"] {
            let (told, read) = say(format!("{first}{body}").as_bytes()).await;
            assert_eq!((&*told, read.as_bytes()), ("", REFUSAL), "{first:?}");
        }
    }

    #[tokio::test]
    async fn whoever_goes_on_saying_what_is_no_command_is_hung_up_on() {
        let (told, _) = say(b"NOOP\r\nA\r\nB\r\nC\r\nD\r\nDELE x\r\n").await;
        assert!(!told.contains("DELE"), "{told}");
        let (told, _) = say(b"NOOP\r\nGET / HTTP/1.1\r\nDELE x\r\n").await;
        assert!(!told.contains("DELE"), "{told}");
        let (told, _) = say(&[b"STOR ".as_slice(), &vec![b'a'; 20_000], b"\r\nDELE x\r\n"].concat()).await;
        assert!(told.is_empty());
    }
}
