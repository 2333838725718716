//! WebSockets while their version is drained.

use pilotage_proxy::FULL_WEIGHT;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::upstream::{Upstream, read_head};
use crate::world::{PATIENCE, World, eventually};

const WISH: &[u8] = b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const AGREED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// A service that agrees to everything, sends what it is told to, and passes on what it receives.
async fn service() -> (Upstream, mpsc::UnboundedSender<&'static [u8]>, mpsc::UnboundedReceiver<u8>) {
    let (say, said) = mpsc::unbounded_channel::<&'static [u8]>();
    let (heard, hear) = mpsc::unbounded_channel();
    let said = std::sync::Arc::new(tokio::sync::Mutex::new(said));
    let upstream = Upstream::conversing(move |mut stream| {
        let (said, heard) = (said.clone(), heard.clone());
        async move {
            read_head(&mut stream).await;
            stream.write_all(AGREED).await.unwrap();
            let mut said = said.lock().await;
            loop {
                tokio::select! {
                    bytes = said.recv() => match bytes {
                        Some(bytes) => stream.write_all(bytes).await.unwrap(),
                        None => return,
                    },
                    byte = stream.read_u8() => match byte {
                        Ok(byte) => heard.send(byte).unwrap(),
                        Err(_) => return,
                    },
                }
            }
        }
    })
    .await;
    (upstream, say, hear)
}

async fn open(world: &World) -> TcpStream {
    let mut stream = TcpStream::connect(world.listen).await.unwrap();
    stream.write_all(WISH).await.unwrap();
    assert!(read_head(&mut stream).await);
    eventually("it is in flight", || async { world.version("1.0.0").await.in_flight == 1 }).await;
    stream
}

#[tokio::test]
async fn a_websocket_of_a_drained_version_is_closed_with_1001_between_two_frames() {
    let mut world = World::start().await;
    let (old, say, mut hear) = service().await;
    let new = Upstream::named("new").await;
    let quick = |route: &mut pilotage_proxy::Route| route.tunnel_drain_ms = 100;
    world.route_with(&[("1.0.0", FULL_WEIGHT, &[old.address])], quick).await;
    let mut stream = open(&world).await;
    // Half of a frame.
    say.send(b"\x82\x05he").unwrap();
    let mut half = [0; 4];
    stream.read_exact(&mut half).await.unwrap();

    world.route_with(&[("2.0.0", FULL_WEIGHT, &[new.address]), ("1.0.0", 0, &[old.address])], quick).await;
    // The service hears of it at once, since nothing of the client's is under way.
    let mut close = Vec::new();
    while close.len() < 8 {
        close.push(tokio::time::timeout(PATIENCE, hear.recv()).await.unwrap().unwrap());
    }
    assert_eq!(&close[..2], b"\x88\x82");
    assert_eq!([close[6] ^ close[2], close[7] ^ close[3]], 1001u16.to_be_bytes());
    // The client hears of it after the frame.
    say.send(b"llo\x82\x01x").unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, async {
        while rest.len() < 7 {
            rest.push(stream.read_u8().await.unwrap());
        }
    })
    .await
    .unwrap();
    assert_eq!(rest, b"llo\x88\x02\x03\xe9");
    stream.write_all(b"\x88\x80\x00\x00\x00\x00").await.unwrap();
    eventually("the tunnel has ended", || async { world.version("1.0.0").await.in_flight == 0 }).await;
}

#[tokio::test]
async fn a_websocket_outlives_a_switch_that_is_taken_back_in_time() {
    let mut world = World::start().await;
    let (old, say, _hear) = service().await;
    let new = Upstream::named("new").await;
    let quick = |route: &mut pilotage_proxy::Route| route.tunnel_drain_ms = 1_000;
    world.route_with(&[("1.0.0", FULL_WEIGHT, &[old.address])], quick).await;
    let mut stream = open(&world).await;
    world.route_with(&[("2.0.0", FULL_WEIGHT, &[new.address]), ("1.0.0", 0, &[old.address])], quick).await;
    world.route_with(&[("2.0.0", 0, &[new.address]), ("1.0.0", FULL_WEIGHT, &[old.address])], quick).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    say.send(b"\x82\x01x").unwrap();
    let mut frame = [0; 3];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(&frame, b"\x82\x01x");
}

#[tokio::test]
async fn the_table_that_takes_the_share_away_says_how_long_a_websocket_may_go_on() {
    let mut world = World::start().await;
    let (old, _say, mut hear) = service().await;
    let new = Upstream::named("new").await;
    let patient = |route: &mut pilotage_proxy::Route| route.tunnel_drain_ms = 3_600_000;
    world.route_with(&[("1.0.0", FULL_WEIGHT, &[old.address])], patient).await;
    let _stream = open(&world).await;
    let quick = |route: &mut pilotage_proxy::Route| route.tunnel_drain_ms = 100;
    world.route_with(&[("2.0.0", FULL_WEIGHT, &[new.address]), ("1.0.0", 0, &[old.address])], quick).await;
    let first = tokio::time::timeout(PATIENCE, hear.recv()).await.expect("a close");
    assert_eq!(first, Some(0x88));
}
