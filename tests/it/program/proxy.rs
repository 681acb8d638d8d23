//! A proxy before an S3 server: counts requests by kind, and does to them what a test says. Lets
//! conditional puts through one at a time: the server behind it looks first and then writes, which
//! a real one does in one step.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::dice::Dice;

/// What a proxy does to requests.
#[derive(Debug, Default, Clone)]
pub(crate) struct Faults {
    /// Of a hundred requests, so many are answered with 500 and go no further.
    pub(crate) failed_percent: u64,
    /// Of a hundred requests, so many are carried out, and the connection ends without an answer.
    pub(crate) lost_percent: u64,
    /// Every answer comes this much later.
    pub(crate) delay_ms: u64,
    /// Puts that must not replace anything are passed on as plain ones.
    pub(crate) lies: bool,
    /// Nothing may be changed.
    pub(crate) read_only: bool,
}

#[derive(Debug)]
struct State {
    server: u16,
    faults: Mutex<(Faults, Dice)>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    in_flight: AtomicU64,
    in_flight_max: AtomicU64,
    conditional: Mutex<()>,
    ends: AtomicBool,
}

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    pub(crate) fn start(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            server,
            faults: Mutex::new((Faults::default(), Dice::new(1))),
            counts: Mutex::default(),
            in_flight: AtomicU64::new(0),
            in_flight_max: AtomicU64::new(0),
            conditional: Mutex::default(),
            ends: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.ends.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&shared);
                // a client that goes away ends its connection, and nothing else
                thread::spawn(move || state.serve(client).ok());
            }
        });
        Self { port, state }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What happens from now on; random choices come from the seed.
    pub(crate) fn set(&self, faults: Faults, seed: u64) {
        *self.state.faults.lock().unwrap() = (faults, Dice::new(seed));
    }

    /// Requests since the last call, by kind: GET, HEAD, LIST, PUT, DELETE, POST.
    pub(crate) fn take_counts(&self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut *self.state.counts.lock().unwrap())
    }

    /// The most requests that were on their way at the same time since the last call.
    pub(crate) fn take_in_flight_max(&self) -> u64 {
        self.state.in_flight_max.swap(0, Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.ends.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port))); // wakes the listener
    }
}

/// A request: its first line, the other lines, its body.
struct Request {
    first: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut first = String::new();
        if from.read_line(&mut first)? == 0 {
            return Ok(None);
        }
        let (mut headers, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            from.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = header(&line, "content-length") {
                length = value.parse().map_err(io::Error::other)?;
            }
            headers.push(line);
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        Ok(Some(Self { first, headers, body }))
    }

    fn method(&self) -> &str {
        self.first.split(' ').next().unwrap_or_default()
    }

    fn kind(&self) -> &'static str {
        match self.method() {
            "GET" if self.first.contains("list-type=") => "LIST",
            "GET" => "GET",
            "HEAD" => "HEAD",
            "PUT" => "PUT",
            "DELETE" => "DELETE",
            _ => "POST",
        }
    }

    fn is_conditional(&self) -> bool {
        self.headers.iter().any(|it| header(it, "if-none-match").is_some())
    }
}

/// The value of a header line of this name.
fn header<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let (found, value) = line.split_once(':')?;
    found.eq_ignore_ascii_case(name).then(|| value.trim())
}

impl State {
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut from = BufReader::new(client.try_clone()?);
        while let Some(request) = Request::read(&mut from)? {
            *self.counts.lock().unwrap().entry(request.kind()).or_default() += 1;
            let (faults, fails, is_lost) = {
                let (faults, dice) = &mut *self.faults.lock().unwrap();
                let fails = dice.below(100) < faults.failed_percent;
                (faults.clone(), fails, dice.below(100) < faults.lost_percent)
            };
            if fails {
                refuse(&mut client, "500 Internal Server Error", "InternalError")?;
                continue;
            }
            if faults.read_only && !matches!(request.method(), "GET" | "HEAD") {
                refuse(&mut client, "403 Forbidden", "AccessDenied")?;
                continue;
            }
            let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            self.in_flight_max.fetch_max(in_flight, Ordering::SeqCst);
            let answer = self.forward(&request, faults.lies);
            thread::sleep(Duration::from_millis(faults.delay_ms)); // what a network takes
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            let answer = answer?;
            if is_lost {
                return Ok(());
            }
            client.write_all(&answer)?;
        }
        Ok(())
    }

    /// The server's answer, byte by byte.
    fn forward(&self, request: &Request, lies: bool) -> io::Result<Vec<u8>> {
        let _one = request.is_conditional().then(|| self.conditional.lock().unwrap());
        let mut server = TcpStream::connect(("127.0.0.1", self.server))?;
        let mut head = request.first.clone();
        for line in &request.headers {
            let is_left_out = header(line, "connection").is_some()
                || (lies && header(line, "if-none-match").is_some());
            if !is_left_out {
                head.push_str(line);
            }
        }
        head.push_str("Connection: close\r\n\r\n");
        server.write_all(head.as_bytes())?;
        server.write_all(&request.body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap_or(0);
        let text = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).into_owned();
        let lines = text.split("\r\n").filter(|it| header(it, "connection").is_none());
        let head = lines.collect::<Vec<_>>().join("\r\n");
        let mut kept = head.into_bytes();
        kept.extend_from_slice(answer.get(end..).unwrap_or_default());
        Ok(kept)
    }
}

fn refuse(client: &mut TcpStream, status: &str, code: &str) -> io::Result<()> {
    let body = format!("<Error><Code>{code}</Code><Message>as the test says</Message></Error>");
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n\r\n"
    );
    client.write_all(head.as_bytes())?;
    client.write_all(body.as_bytes())
}
