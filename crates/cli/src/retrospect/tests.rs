use proptest::prelude::*;

use super::record::{Record, Sink};
use super::rows::{TypedRow, Typing};
use super::{fault::Fault, record};

/// What is understood of a text, and what is wrong with it.
fn read(text: &[u8], cumulative: bool) -> (Vec<TypedRow>, Vec<String>, Vec<String>) {
    let mut rows = Vec::new();
    let mut typing = Typing::new(cumulative, |row| rows.push(row));
    record::read(text, &mut typing).unwrap();
    let (faults, unknown) = (typing.faults.lines(), typing.unknown_columns().collect());
    (rows, faults, unknown)
}

fn counts(text: &str, cumulative: bool) -> Vec<Option<[u64; 3]>> {
    let (rows, faults, _) = read(text.as_bytes(), cumulative);
    assert_eq!(faults, Vec::<String>::new());
    let counts = |row: TypedRow| row.figures.map(|of| [of.requests, of.failed, of.failed_clients]);
    rows.into_iter().map(counts).collect()
}

#[test]
fn both_forms_say_the_same() {
    let csv = "\u{feff}time,version,requests,failed,failed_clients,p50_ms,p95_ms,p99_ms,share\r\n\
               2026-07-01T09:30:00Z,v1.2.0, 200 ,6,4,10,20.5,30,10%\r\n\
               \r\n\
               1782898200,1.1.0,1800,,,,,,\r\n";
    let json = "{\"time\":\"2026-07-01T09:30:00Z\",\"version\":\"1.2.0\",\"requests\":200,\"failed\":\"6\",\
                \"failed_clients\":4,\"p50_ms\":10,\"p95_ms\":20.5,\"p99_ms\":30,\"share\":10}\n\n\
                {\"time\":1782898200,\"version\":\"v1.1.0\",\"requests\":1800,\"failed\":null}";
    let (rows, faults, unknown) = read(csv.as_bytes(), false);
    assert_eq!((faults.len(), unknown.len(), rows.len()), (0, 0, 2), "{faults:?}");
    assert_eq!(rows, read(json.as_bytes(), false).0);
    assert_eq!(rows[0].at, rows[1].at);
    assert_eq!(rows[1].figures, None);
    let figures = rows[0].figures.unwrap();
    assert_eq!((figures.failed_clients, figures.share), (4, Some(1_000)));
    assert_eq!(figures.quantiles.p95_micros, Some(20_500));
}

#[test]
fn counters_that_grow_become_intervals() {
    let text = "time,version,requests,failed\n\
                10,1.2.0,1000,10\n20,1.2.0,1100,11\n30,1.2.0,,\n40,1.2.0,1300,13\n50,1.2.0,40,2\n";
    let of = |requests, failed| Some([requests, failed, failed]);
    assert_eq!(counts(text, true), [of(0, 0), of(100, 1), None, of(200, 2), of(40, 2)]);
}

#[test]
fn every_fault_is_said_with_its_place_and_its_mend() {
    let csv = "time,version,requests,failed,p50_ms,p99_ms,share,host\n\
               10,1.2.0,NaN,1,,,,a\n\
               10,1.2.0,-1,1,,,,a\n\
               10,1.2.0,1.5,1,,,,a\n\
               10,1.2.0,5,6,,,,a\n\
               10,1.2.0,5,1,20,10,,a\n\
               10,1.2.0,5,1,,,101%,a\n\
               ,1.2.0,5,1,,,,a\n\
               10,,5,1,,,,a\n\
               10,latest,5,1,,,,a\n\
               10,1.2.0,5\n\
               10,1.2.0,99999999999999999999,1,,,,a\n\
               1782898200000,1.2.0,5,1,,,,a\n";
    let (rows, faults, unknown) = read(csv.as_bytes(), false);
    assert_eq!(rows, []);
    insta::assert_snapshot!([faults, unknown].concat().join("\n"));
}

#[test]
fn a_file_that_is_none_is_said_to_be() {
    let told: Vec<String> = [
        b"".as_slice(),
        b"\n \n",
        b"10,1.2.0,5,1\n",
        b"time;version;requests;failed\n",
        b"time,version,requests\n10,1.2.0,5\n",
        b"time,time,version,requests,failed\n",
        b"[{\"time\":10}]",
        b"{\"time\":10,\"version\":\"1.2.0\",\"requests\":5}\n{\"time\":10,\n{} {}\n{\"failed\":NaN}\n{\"failed\":[1]}",
        b"time,version,requests,failed\n10,\xff\xfe,5,1\n",
        b"{\"time\":10,\"version\":\"\xff\",\"requests\":5}\n",
    ]
    .into_iter()
    .map(|text| read(text, false).1.join("\n"))
    .collect();
    insta::assert_snapshot!(told.join("\n--\n"));
}

#[test]
fn counters_of_two_instances_are_not_mixed_up() {
    let text = b"time,version,requests,failed\n10,1.2.0,100,1\n10,1.2.0,900,2\n";
    assert!(read(text, true).1[0].starts_with("line 3: a second row"), "{:?}", read(text, true).1);
    assert_eq!(read(text, false).0.len(), 2, "counts of intervals are added");
}

#[test]
fn many_faults_are_counted() {
    let mut typing = Typing::new(false, |_: TypedRow| {});
    for line in 1..=50 {
        typing.record(&Record { line, fields: Default::default() });
        typing.fault(Fault::line(line, "wrong"));
    }
    let failure = typing.faults.failure("counts.csv").unwrap();
    assert_eq!(failure.message.lines().count(), 21);
    assert!(failure.message.ends_with("counts.csv: and 80 more"), "{}", failure.message);
    assert_eq!(failure.exit_code, 64);
}

proptest! {
    #[test]
    fn any_bytes_are_understood_or_said_to_be_wrong(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        start in prop::sample::select(vec!["", "{", "{\"time\":", "time,version,requests,failed\n", "\u{feff}"]),
        cumulative: bool,
    ) {
        let text = [start.as_bytes(), &bytes].concat();
        let (rows, faults, _) = read(&text, cumulative);
        prop_assert!(!rows.is_empty() || !faults.is_empty() || text.starts_with(b"time"));
    }

    #[test]
    fn any_fields_are_understood_or_said_to_be_wrong(
        fields in prop::collection::vec("(-?[0-9]{1,25}(\\.[0-9]{1,3})?|NaN|inf|1e[0-9]{1,3}|2026-07-01T09:30:00Z|1\\.2\\.0|[ -~]{0,8})", 4..40),
        cumulative: bool,
    ) {
        let lines: Vec<String> = fields.chunks(4).map(|fields| fields.join(",")).collect();
        let text = format!("time,version,requests,failed\n{}\n", lines.join("\n"));
        let (rows, _, _) = read(text.as_bytes(), cumulative);
        for row in rows.iter().filter_map(|row| row.figures) {
            prop_assert!(row.failed_clients <= row.failed && row.failed <= row.requests);
        }
    }
}
