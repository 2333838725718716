//! `runc` for machines that may not lower the out-of-memory score of a process.
//!
//! Engines ask for a negative score for the containers that keep a pod's network. Where `CAP_SYS_RESOURCE` is lacking, as
//! in many build machines, `runc` then fails. The rigs' engines call this instead, which sets such a score to 0.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::program::RUNC;

/// Becomes `runc` with these arguments, after having mended the bundle that they name. Returns only if that fails.
pub fn run(arguments: &[String]) -> io::Error {
    // `runc … create --bundle FOLDER ID`
    let bundle = arguments.windows(2).find(|pair| pair[0] == "--bundle").map(|pair| Path::new(&pair[1]));
    if let Some(Err(error)) = bundle.map(|bundle| mend(&bundle.join("config.json"))) {
        return error;
    }
    Command::new(RUNC.path).args(arguments).exec()
}

fn mend(config: &Path) -> io::Result<()> {
    let mut value: Value = serde_json::from_str(&fs::read_to_string(config)?)?;
    if let Some(score) = value.pointer_mut("/process/oomScoreAdj")
        && score.as_i64().is_some_and(|score| score < 0)
    {
        *score = Value::from(0);
        fs::write(config, value.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_negative_score_is_set_to_0() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.json");
        for (before, after) in [("-998", "0"), ("500", "500")] {
            fs::write(&config, format!("{{\"process\":{{\"oomScoreAdj\":{before}}},\"hooks\":{{}}}}"))
                .unwrap();
            mend(&config).unwrap();
            let expected = format!("{{\"process\":{{\"oomScoreAdj\":{after}}},\"hooks\":{{}}}}");
            assert_eq!(fs::read_to_string(&config).unwrap(), expected);
        }
    }
}
