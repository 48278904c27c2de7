//! Stands between the runner and a server, and cuts the line after so many bytes.

use std::io::Read as _;
use std::io::Write as _;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::thread;

pub(crate) struct Proxy {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl Proxy {
    /// A proxy that lets `bytes` through, both ways and all connections together, and then cuts every line and drops what it
    /// still holds.
    pub(crate) fn cutting_after(bytes: i64, server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (left, is_over) = (Arc::new(AtomicI64::new(bytes)), Arc::new(AtomicBool::new(false)));
        let over = Arc::clone(&is_over);
        thread::spawn(move || {
            for client in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else { continue };
                if left.load(Ordering::Relaxed) <= 0 {
                    cut(&client, &server);
                    continue;
                }
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to, left) = (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(&left));
                    thread::spawn(move || pass(&from, &to, &left));
                }
            }
        });
        Self { address, is_over }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, left: &AtomicI64) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let before = left.fetch_sub(i64::try_from(count).unwrap(), Ordering::Relaxed);
        // A part of the last packet may still arrive, as on a real line.
        let allowed = usize::try_from(before.max(0)).unwrap().min(count);
        let sent = to.write_all(&buffer[..allowed]).is_ok();
        if !sent || allowed < count {
            break;
        }
    }
    cut(from, to);
}

fn cut(one: &TcpStream, other: &TcpStream) {
    let _ = one.shutdown(Shutdown::Both);
    let _ = other.shutdown(Shutdown::Both);
}
