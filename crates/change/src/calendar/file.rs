//! Reading a calendar's file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use pilotage_spec::RelativePath;

/// A longer calendar is not read, in bytes.
pub const CALENDAR_LIMIT_BYTES: u64 = 8 << 20;

/// Reads a calendar below a project's folder, for [`state`](super::state) and [`check_calendars`](super::check_calendars).
///
/// # Errors
/// Fails, with the reason in words, if there is no such file below the folder (a link must not lead out of it), or it is longer
/// than [`CALENDAR_LIMIT_BYTES`], or not UTF-8.
pub fn read_calendar(folder: &Path, path: &RelativePath) -> Result<String, String> {
    let words = |error: std::io::Error| error.to_string();
    let folder = folder.canonicalize().map_err(words)?;
    let file = folder.join(path.as_str()).canonicalize().map_err(words)?;
    if !file.starts_with(&folder) {
        return Err("it is a link that leads out of the project's folder".to_owned());
    }
    if !file.is_file() {
        return Err("it is not a file".to_owned());
    }
    let file = File::open(&file).map_err(words)?;
    let mut text = String::new();
    file.take(CALENDAR_LIMIT_BYTES + 1).read_to_string(&mut text).map_err(words)?;
    check_length(text.len() as u64)?;
    Ok(text)
}

/// Refuses a text that is too long.
pub(super) fn check_length(bytes: u64) -> Result<(), String> {
    if bytes > CALENDAR_LIMIT_BYTES {
        return Err(format!("it is longer than {} MiB", CALENDAR_LIMIT_BYTES >> 20));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_files_below_the_folder_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret.ics"), "BEGIN:VCALENDAR").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.ics"), folder.path().join("link.ics"))
            .unwrap();
        std::fs::create_dir(folder.path().join("folder.ics")).unwrap();
        std::fs::write(folder.path().join("good.ics"), "BEGIN:VCALENDAR").unwrap();
        std::fs::write(folder.path().join("latin.ics"), b"SUMMARY:M\xe4rz").unwrap();
        std::fs::write(folder.path().join("long.ics"), vec![b' '; (8 << 20) + 1]).unwrap();
        let read = |path: &str| read_calendar(folder.path(), &path.parse().unwrap());
        assert_eq!(read("good.ics").as_deref(), Ok("BEGIN:VCALENDAR"));
        for (path, reason) in [
            ("link.ics", "leads out"),
            ("folder.ics", "not a file"),
            ("latin.ics", "UTF-8"),
            ("long.ics", "longer than 8 MiB"),
            ("missing.ics", "No such file"),
        ] {
            let error = read(path).unwrap_err();
            assert!(error.contains(reason), "{path}: {error}");
        }
    }
}
