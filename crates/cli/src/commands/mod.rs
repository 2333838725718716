//! One verb, one file.

mod ask;
mod audit;
mod backup;
mod check;
mod clusters;
mod completions;
mod deploy;
mod edge;
mod explain;
mod gates;
mod history;
mod internal;
mod judge;
mod kubernetes;
mod login;
mod logs;
mod opinion;
mod plan;
mod plan_forecast;
mod plan_route;
mod policy;
mod rehearse;
mod rollback;
mod rollout;
mod schema;
mod serve;
mod simulate;
mod status;
mod target;
mod token;
mod up;
mod waves;
mod whoami;

use std::process::ExitCode;

use pilotage_engine::{Opinion, Request};
use pilotage_journal::{Journal, Reader};

use crate::arguments::{Arguments, Edge, EdgeVerb, Policy, PolicyVerb, Verb};
use crate::failure::{DONE, Failure};
use crate::place::Place;
use crate::printer::Printer;
use crate::{connect, demo, init};

pub use audit::text as audit_text;
pub use plan::headline;
pub use plan_route::address_move;
pub use up::stop_all;

/// What most verbs work with.
pub struct Session {
    pub place: Place,
    pub printer: Printer,
}

impl Session {
    /// The server's client; starts the server if it is not there.
    pub async fn client(&self) -> Result<pilotage_server::Client, Failure> {
        connect::connect(&self.place, &self.printer).await
    }

    /// The journal, to be read without a server.
    pub fn journal(&self) -> Result<Reader, Failure> {
        let path = self.place.state.journal();
        if !path.exists() {
            let message =
                format!("nothing was ever deployed here: there is no journal at {}", path.display());
            return Err(Failure::failed(message));
        }
        Ok(Journal::open_read_only(&path)?)
    }
}

/// Does what the command line says.
pub fn run(arguments: Arguments) -> ExitCode {
    let printer = Printer::new(&arguments.global);
    let done = match arguments.verb {
        Verb::Shim => return pilotage_targets::run_shim(),
        Verb::PassListener(asked) => return pilotage_targets::pass_listener(asked.words),
        Verb::Edge(Edge { verb: None, run }) => edge::run(run),
        Verb::Edge(Edge { verb: Some(EdgeVerb::Kubernetes(asked)), .. }) => edge::run_in_pod(asked),
        Verb::SampleService(sample) => return internal::sample_service(sample),
        Verb::Serve(asked) => serve::run(&asked, &arguments.global, &printer),
        verb => runtime().and_then(|runtime| {
            let done = runtime.block_on(dispatch(verb, &arguments.global, &printer));
            // A thread that waits for a person at the keyboard must not hold up the end.
            runtime.shutdown_background();
            done
        }),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            printer.failure(&failure);
            ExitCode::from(failure.exit_code)
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

async fn dispatch(verb: Verb, global: &crate::arguments::Global, printer: &Printer) -> Result<u8, Failure> {
    let session = || Ok::<_, Failure>(Session { place: Place::find(global)?, printer: printer.clone() });
    match verb {
        Verb::Init(asked) => init::run(&asked, global, printer),
        Verb::Check => check::run(global, printer),
        Verb::Schema => schema::run(printer),
        Verb::Completions(asked) => completions::run(&asked, printer),
        Verb::Demo(asked) => demo::run(&asked, printer).await,
        Verb::Up => up::up(&session()?).await,
        Verb::Down => up::down(&session()?).await,
        Verb::Whoami => whoami::run(&session()?).await,
        Verb::Login(asked) => login::login(&asked, &session()?).await,
        Verb::Logout => login::logout(&session()?).await,
        Verb::Token(asked) => token::run(asked.verb, &session()?).await,
        Verb::Plan(asked) => plan::run(&asked, &session()?).await,
        Verb::Simulate(asked) => simulate::run(&asked, &session()?).await,
        Verb::Deploy(asked) => deploy::run(&asked, &session()?).await,
        Verb::Gates(asked) => gates::run(&asked, &session()?).await,
        Verb::Approvals => opinion::waiting(&session()?).await,
        Verb::Approve(asked) => opinion::say(Opinion::Approve, &asked, &session()?).await,
        Verb::Reject(asked) => opinion::say(Opinion::Reject, &asked, &session()?).await,
        Verb::Withdraw(asked) => opinion::say(Opinion::Withdraw, &asked, &session()?).await,
        Verb::Rehearse(asked) => rehearse::run(&asked, &session()?).await,
        Verb::Rollback(asked) => rollback::run(&asked, &session()?).await,
        Verb::Rollout(asked) => rollout::run(asked.verb, &session()?).await,
        Verb::Promote(asked) => ask::promote(&asked, &session()?).await,
        Verb::Abort(asked) => ask::run(Request::Abort, &asked, &session()?).await,
        Verb::Pause(asked) => ask::run(Request::Pause, &asked, &session()?).await,
        Verb::Resume(asked) => ask::run(Request::Resume, &asked, &session()?).await,
        Verb::Status(asked) => status::run(&asked, &session()?).await,
        Verb::History(asked) => history::run(&asked, &session()?).await,
        Verb::Logs(asked) => logs::run(&asked, &session()?).await,
        Verb::Kubernetes(asked) => kubernetes::run(&asked, global, printer),
        Verb::Explain(asked) => explain::run(&asked, global, printer).await,
        Verb::Judge(asked) => judge::run(&asked, global, printer),
        Verb::Policy(Policy { verb: PolicyVerb::Test(asked) }) => policy::test(&asked, global, printer),
        Verb::Target(asked) => target::run(asked.verb, &session()?).await,
        Verb::Clusters(asked) => clusters::run(asked.verb, &session()?).await,
        Verb::Audit(asked) => audit::run(asked, &session()?).await,
        Verb::Backup(asked) => backup::run(&asked, &session()?).await,
        Verb::Edge(Edge { verb: Some(verb), .. }) => edge::ask(&verb, global, printer).await,
        // These make no use of this runtime, and were dealt with before it was made.
        Verb::Shim
        | Verb::PassListener(_)
        | Verb::Edge(Edge { verb: None, .. })
        | Verb::SampleService(_)
        | Verb::Serve(_) => Ok(DONE),
    }
}

/// What was typed, for the journal: the words of the command line, those with odd characters in quotes.
pub fn typed() -> String {
    const LIMIT_CHARACTERS: usize = 500;
    let plain = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:+@,%".contains(c));
    let word = |word: String| if plain(&word) && !word.is_empty() { word } else { format!("{word:?}") };
    let words = std::env::args_os().skip(1).map(|argument| word(argument.to_string_lossy().into_owned()));
    let command = std::iter::once("pilotage".to_owned()).chain(words).collect::<Vec<_>>().join(" ");
    command.chars().take(LIMIT_CHARACTERS).collect()
}
