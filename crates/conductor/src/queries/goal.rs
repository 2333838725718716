//! The goal of an A/B test: counters of both versions.

use std::sync::Arc;

use pilotage_engine::Plan;
use pilotage_engine::judge::{GoalCounts, GoalReading, Known};
use pilotage_spec::{Goal, GoalQueries, StrategyKind, Version, Workload};
use tokio::sync::Semaphore;

use super::client::Client;
use super::repeated::Repeated;

/// The counters of a deployment's goal.
struct Question {
    /// Who is asked; `None` if there is nobody.
    client: Option<Client>,
    queries: GoalQueries,
    workload: Workload,
    candidate: Version,
    stable: Version,
}

/// Begins to ask, if the strategy has a goal that is asked for.
pub(super) fn start(
    plan: &Plan,
    prometheus: Option<&Client>,
    permits: &Arc<Semaphore>,
) -> Option<Repeated<Known<GoalReading>>> {
    let StrategyKind::Ab { trial } = &plan.request.strategy.kind else { return None };
    let Goal::Successes(queries) = &trial.goal else { return None };
    let question = Arc::new(Question {
        client: prometheus.cloned(),
        queries: queries.clone(),
        workload: plan.request.workload.clone(),
        candidate: plan.candidate().clone(),
        stable: plan.reference()?.clone(),
    });
    Some(Repeated::start(Arc::clone(permits), move || {
        let question = Arc::clone(&question);
        async move { question.ask().await }
    }))
}

impl Question {
    /// Asks for both versions at once, so that what is compared is of one time.
    async fn ask(&self) -> Known<GoalReading> {
        let (candidate, stable) = tokio::join!(self.counts(&self.candidate), self.counts(&self.stable));
        match (candidate, stable) {
            (Ok(candidate), Ok(stable)) => Known::Value(GoalReading { candidate, stable }),
            (Err(reason), _) | (_, Err(reason)) => {
                tracing::debug!(reason, "the goal of an A/B test is not known");
                Known::Unknown(reason)
            }
        }
    }

    async fn counts(&self, version: &Version) -> Result<GoalCounts, String> {
        let client = self.client.as_ref().ok_or("the environment has no `prometheus`")?;
        let number = async |query: &String| client.number(query, &self.workload, version).await;
        // Successes first: a unit that succeeds between the two questions must not be a success without a unit.
        let counts = async {
            let successes =
                number(&self.queries.successes).await.map_err(|error| format!("successes: {error}"))?;
            let units = number(&self.queries.units).await.map_err(|error| format!("units: {error}"))?;
            GoalCounts::of(units, successes)
        };
        counts.await.map_err(|reason| format!("{version}: {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::path::Path;

    use pilotage_secrets::SecretReader;
    use pilotage_spec::{Prometheus, SecretSettings};

    use super::*;

    const ORDERS: &str = r#""scalar","result":[1,"12"]"#;
    const VISITS: &str = r#""scalar","result":[1,"300"]"#;

    /// A Prometheus that answers about the orders of 1.1.0 with this, and well about all else. It ends with the test's process.
    fn prometheus(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
                let asked = lines.next().unwrap().unwrap();
                lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).for_each(drop);
                let result = match &asked {
                    asked if asked.contains("orders_1.1.0") => answer,
                    asked if asked.contains("orders") => ORDERS,
                    _ => VISITS,
                };
                let body = format!(r#"{{"status":"success","data":{{"resultType":{result}}}}}"#);
                let head =
                    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
                connection.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        url
    }

    async fn asked(answer: &'static str) -> Known<GoalReading> {
        let reader =
            SecretReader::new(Path::new("/"), SecretSettings::default(), pilotage_secrets::Known::default());
        let question = Question {
            client: Some(Client::new(&Prometheus { url: prometheus(answer), token: None }, &reader)),
            queries: GoalQueries {
                successes: "orders_$VERSION".to_owned(),
                units: "visits_$VERSION".to_owned(),
            },
            workload: Workload {
                environment: "production".parse().unwrap(),
                service: "api".parse().unwrap(),
            },
            candidate: "1.1.0".parse().unwrap(),
            stable: "1.0.0".parse().unwrap(),
        };
        question.ask().await
    }

    #[tokio::test]
    async fn both_versions_are_asked_for_successes_and_units() {
        let counts = |successes| GoalCounts { units: 300, successes };
        let reading = GoalReading { candidate: counts(17), stable: counts(12) };
        assert_eq!(asked(r#""scalar","result":[1,"17"]"#).await, Known::Value(reading));
    }

    #[tokio::test]
    async fn what_is_no_count_is_not_known_and_it_is_said_of_which_version() {
        for (answer, expected) in [
            (r#""vector","result":[]"#, "1.1.0: successes: the query returns nothing"),
            (r#""scalar","result":[1,"NaN"]"#, "1.1.0: successes: "),
            (r#""scalar","result":[1,"-3"]"#, "1.1.0: -3 is no number of successes"),
            (
                r#""vector","result":[{"metric":{"a":"1"},"value":[1,"1"]},{"metric":{"a":"2"},"value":[1,"2"]}]"#,
                "1.1.0: successes: ",
            ),
        ] {
            match asked(answer).await {
                Known::Unknown(reason) => assert!(reason.starts_with(expected), "{reason}"),
                known => panic!("{answer}: {known:?}"),
            }
        }
    }
}
