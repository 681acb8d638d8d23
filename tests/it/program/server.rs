//! One S3 server for all tests of this process. It ends when its stdin closes: with this process,
//! however that ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Python;

const SCRIPT: &str = "
import sys
from werkzeug.serving import WSGIRequestHandler
WSGIRequestHandler.protocol_version = 'HTTP/1.1'
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
";

#[derive(Debug)]
struct Server {
    port: u16,
    _child: Child,
}

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static BUCKETS: AtomicU64 = AtomicU64::new(0);

fn start() -> Option<Server> {
    let mut child = Command::new(Python::new()?.interpreter)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().parse().expect("GENSTORE_PYTHON has moto[server]");
    Some(Server { port, _child: child })
}

/// The server's port, and a new bucket in it.
pub(super) fn bucket() -> Option<(u16, String)> {
    let port = SERVER.get_or_init(start).as_ref()?.port;
    let bucket = format!("bucket-{}", BUCKETS.fetch_add(1, Ordering::SeqCst));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "PUT /{bucket} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\nConnection: \
         close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Some((port, bucket))
}
