//! `pilotage judge`.

use pilotage_engine::retrospect::{Question, Rule};
use pilotage_server::read_project;
use pilotage_spec::{RollBackWhen, Version};

use crate::arguments::{Compare, Global, Judge};
use crate::failure::{DONE, Failure, ROLLED_BACK};
use crate::place::project_file;
use crate::printer::Printer;
use crate::retrospect::{Source, Survey, Told, object, show};

/// The limit that most people begin with, in hundredths of a percent.
const USUAL_LIMIT: u32 = 100;

pub fn run(asked: &Judge, global: &Global, printer: &Printer) -> Result<u8, Failure> {
    let when = when(asked, global)?;
    let version = |text: &Option<String>| text.as_deref().map(str::parse::<Version>).transpose();
    let (candidate, stable) = (version(&asked.candidate)?, version(&asked.stable)?);
    let mut source = Source::open(&asked.from)?;
    let survey = Survey::of(&mut source, asked.cumulative)?;
    let pair = survey.pair(candidate.as_ref(), stable.as_ref())?;
    let question = Question {
        candidate: pair.candidate.clone(),
        stable: pair.stable.clone(),
        rules: rules(&asked.compare, &when),
        when,
    };
    let account = survey.replay(&mut source, &question)?;
    let told = Told::new(&pair, &account, survey.notes);
    match printer.json() {
        true => printer.object(&object(&told)),
        false => show(&told, printer),
    }
    Ok(if account.taken_back.is_some() { ROLLED_BACK } else { DONE })
}

/// What takes a release back: the strategy's, or the defaults; then what was typed.
fn when(asked: &Judge, global: &Global) -> Result<RollBackWhen, Failure> {
    let mut when = match &asked.strategy {
        Some(name) => read_project(&project_file(global)?)?.strategy(name)?.1.roll_back_when.clone(),
        None => RollBackWhen::default(),
    };
    when.alpha = asked.alpha.unwrap_or(when.alpha);
    when.errors_vs_stable = asked.errors_vs_stable.or(when.errors_vs_stable);
    when.error_rate = asked.error_rate.or(when.error_rate);
    Ok(when)
}

fn rules(compare: &[Compare], when: &RollBackWhen) -> Vec<Rule> {
    let mut rules = Vec::new();
    if compare.contains(&Compare::Threshold) {
        rules.push(Rule::Share(USUAL_LIMIT));
        rules.extend(when.error_rate.filter(|limit| *limit != USUAL_LIMIT).map(Rule::Share));
    }
    if compare.contains(&Compare::Kayenta) {
        rules.push(Rule::Kayenta);
    }
    rules
}
