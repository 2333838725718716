//! Damage below SQL: whatever byte of the file changes, nobody is shown something that was not recorded.

use std::fs;
use std::path::Path;

use pilotage_journal::{Event, Journal, OpenError, Reader};

use crate::support::{filled, temporary};

/// Everything that a reader can be shown.
fn everything(reader: &Reader) -> Option<Vec<Event>> {
    let mut shown = reader.after(0, usize::MAX).ok()?;
    for stream in reader.streams("").ok()? {
        shown.extend(reader.stream(&stream, 0).ok()?);
    }
    Some(shown)
}

/// Writes the journal with one bit changed; says whether the change was noticed. If not, it must not matter.
fn is_noticed(path: &Path, intact: &[u8], place: usize, bit: u8, original: &[Event]) -> bool {
    let mut bytes = intact.to_vec();
    bytes[place] ^= 1 << bit;
    fs::write(path, bytes).unwrap();
    let noticed = match Journal::open_read_only(path) {
        Err(_) => true,
        Ok(reader) => {
            reader.verify().is_err() || {
                let shown = everything(&reader);
                assert_eq!(
                    shown.as_deref(),
                    Some(original),
                    "bit {bit} of byte {place} changed what is shown"
                );
                false
            }
        }
    };
    for suffix in ["-wal", "-shm"] {
        let mut side = path.to_owned().into_os_string();
        side.push(suffix);
        drop(fs::remove_file(side));
    }
    noticed
}

#[test]
fn a_flipped_bit_is_noticed_or_does_not_matter() {
    let (_folder, path) = temporary();
    filled(&path, 60);
    let original = everything(&Journal::open_read_only(&path).unwrap()).unwrap();
    let intact = fs::read(&path).unwrap();
    // The header wholly, and places all over the file; a step that is no divisor of anything reaches every structure.
    let header = 0..100;
    let all_over = (100..intact.len()).step_by((intact.len() / 500) | 1);
    let (mut flipped, mut noticed) = (0, 0);
    for (place, bit) in header.chain(all_over).zip((0..8).cycle()) {
        flipped += 1;
        noticed += u32::from(is_noticed(&path, &intact, place, bit, &original));
    }
    assert!(noticed * 4 > flipped, "only {noticed} of {flipped} were noticed: is the file mostly empty?");
}

#[test]
fn a_damaged_page_is_refused_for_writing() {
    let (_folder, path) = temporary();
    filled(&path, 300);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes, "the evidence was touched");
}
