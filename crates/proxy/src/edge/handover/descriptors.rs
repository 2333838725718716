//! Descriptors over a unix socket; see `SCM_RIGHTS` in unix(7).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Descriptors in one message; the kernel takes 253 at most (`SCM_MAX_FD`).
pub(super) const BATCH: usize = 200;

/// Sends the first of these descriptors, [`BATCH`] at most, beside one byte.
pub(super) async fn send(stream: &UnixStream, descriptors: &[OwnedFd]) -> io::Result<()> {
    let batch: Vec<_> = descriptors.iter().take(BATCH).map(AsFd::as_fd).collect();
    let send = || {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        if !beside.push(SendAncillaryMessage::ScmRights(&batch)) {
            return Err(io::Error::other("the descriptors do not fit into a message"));
        }
        sendmsg(stream, &[IoSlice::new(b".")], &mut beside, SendFlags::NOSIGNAL)?;
        Ok(())
    };
    stream.async_io(Interest::WRITABLE, send).await
}

/// Receives one message of [`send`].
pub(super) async fn receive(stream: &UnixStream) -> io::Result<Vec<OwnedFd>> {
    let receive = || {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let received =
            recvmsg(stream, &mut [IoSliceMut::new(&mut byte)], &mut beside, RecvFlags::CMSG_CLOEXEC)?;
        if received.bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if received.flags.contains(ReturnFlags::CTRUNC) {
            return Err(io::Error::other("not all descriptors were let in; raise the limit of open files"));
        }
        let rights = beside.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        });
        Ok(rights.flatten().collect())
    };
    stream.async_io(Interest::READABLE, receive).await
}

#[cfg(test)]
mod tests {
    use rustix::fs::fstat;

    use super::*;

    #[tokio::test]
    async fn descriptors_arrive_whole_and_in_order() {
        let (one, other) = UnixStream::pair().unwrap();
        let sent: Vec<OwnedFd> = (0..BATCH + 1).map(|_| std::io::pipe().unwrap().0.into()).collect();
        send(&one, &sent).await.unwrap();
        send(&one, &sent[BATCH..]).await.unwrap();
        let mut received = receive(&other).await.unwrap();
        assert_eq!(received.len(), BATCH);
        received.extend(receive(&other).await.unwrap());
        let inodes =
            |all: &[OwnedFd]| -> Vec<u64> { all.iter().map(|fd| fstat(fd).unwrap().st_ino).collect() };
        assert_eq!(inodes(&received), inodes(&sent));
        drop(one);
        assert_eq!(receive(&other).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
