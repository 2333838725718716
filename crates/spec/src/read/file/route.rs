//! A route: which requests go to a service, and what is done for them on the way.

use std::time::Duration;

use super::service::{NO_TIME, SHORTEST_TIME};
use crate::read::fault::Faults;
use crate::read::node::Spanned;
use crate::read::shape::{Checked, Either, Fields, Object, OneOrMore, Placed, Scalar, Shape, field};
use crate::read::values::{bytes, duration, whole_percent};
use crate::read::web::{header_name, host, path_prefix};
use crate::{ClientKey, Host, PathPrefix, RouteSettings};

/// Hosts as they are written.
pub(crate) type Hosts = Vec<Spanned<Host>>;

/// A route as it is written: what is left out stays out. A limit that is `off` is `Some(None)`.
#[derive(Default)]
pub(crate) struct RouteDraft {
    pub hosts: Option<Hosts>,
    pub path: Option<Spanned<PathPrefix>>,
    timeouts: TimeoutsDraft,
    limits: LimitsDraft,
    retries: RetriesDraft,
    eject: EjectDraft,
    slow_start: Option<Duration>,
    drain: Option<Duration>,
    sticky: Option<Vec<ClientKey>>,
}

#[derive(Default)]
struct TimeoutsDraft {
    connect: Option<Duration>,
    first_byte: Option<Duration>,
    idle: Option<Duration>,
    total: Option<Option<Duration>>,
}

#[derive(Default)]
struct LimitsDraft {
    body: Option<Option<u64>>,
    in_flight: Option<Option<u32>>,
    queue: Option<u32>,
    queue_for: Option<Duration>,
}

#[derive(Default)]
struct RetriesDraft {
    attempts: Option<u32>,
    budget: Option<u32>,
}

#[derive(Default)]
struct EjectDraft {
    after: Option<Option<u32>>,
    pause: Option<Duration>,
    keep: Option<u32>,
}

impl RouteDraft {
    /// Puts what is written over what is there, but for hosts and path.
    pub fn apply(&self, settings: &mut RouteSettings) {
        let Self { timeouts, limits, retries, eject, .. } = self;
        put(timeouts.connect, &mut settings.timeouts.connect);
        put(timeouts.first_byte, &mut settings.timeouts.first_byte);
        put(timeouts.idle, &mut settings.timeouts.idle);
        put(timeouts.total, &mut settings.timeouts.total);
        put(limits.body, &mut settings.limits.body);
        put(limits.in_flight, &mut settings.limits.in_flight);
        put(limits.queue, &mut settings.limits.queue);
        put(limits.queue_for, &mut settings.limits.queue_for);
        put(retries.attempts, &mut settings.retries.attempts);
        put(retries.budget, &mut settings.retries.budget_percent);
        put(eject.after, &mut settings.eject.after);
        put(eject.pause, &mut settings.eject.pause);
        put(eject.keep, &mut settings.eject.keep_percent);
        put(self.slow_start, &mut settings.slow_start);
        put(self.drain, &mut settings.drain);
        put(self.sticky.clone(), &mut settings.sticky);
    }
}

fn put<T>(written: Option<T>, to: &mut T) {
    if let Some(written) = written {
        *to = written;
    }
}

/// The shape of a route.
pub(super) const fn route() -> Object<RouteDraft> {
    Object { expected: "`route`", fields }
}

/// The hosts of a route, or of an environment.
pub(super) fn hosts() -> OneOrMore<Placed<Scalar<Host>>> {
    OneOrMore { item: Placed(host()), expected: "a host, or a list of hosts", example: "shop.example.com" }
}

fn fields(fields: &mut Fields<'_>) -> Option<RouteDraft> {
    let drain = "How long WebSockets may go on after their version has lost its traffic; then they are closed. Default: 30s.";
    let slow_start = "A new instance beside older ones gets its full part of the requests only after so long. Default: 0s.";
    let sticky = "What tells one client from another, so that each stays with its version: `cookie` (signed, set by the edge), \
                  `{ header: NAME }`, `address`, or a list of which the first counts that a request has. Default: the \
                  cookie, then the header X-Client-Id.";
    Some(RouteDraft {
        hosts: fields.optional(
            field("host", "The host, or the list of hosts, that the service is served for; `*.example.com` takes any one label. \
                  Default: the `host` of the environment, or else any.")
                .example("shop.example.com"),
            &hosts(),
        ),
        path: fields.optional(
            field("path", "The beginning of the paths that the service is served for, by whole segments; it is passed on as it \
                  is. The longest one decides. Default: /.")
                .example("/api"),
            &Placed(path_prefix()),
        ),
        timeouts: group(fields, "timeouts", "Time limits on the way of a request.", timeouts),
        limits: group(fields, "limits", "How much is taken.", limits),
        retries: group(fields, "retries", "When a request that can be repeated is sent again.", retries),
        eject: group(fields, "eject", "When an instance that fails is left out for a while.", eject),
        slow_start: fields.optional(field("slow_start", slow_start), &duration(NO_TIME)),
        drain: fields.optional(field("drain", drain), &duration(NO_TIME)),
        sticky: fields.optional(field("sticky", sticky).example("cookie"), &client_keys()),
    })
}

fn group<T: Default>(
    fields: &mut Fields<'_>,
    name: &'static str,
    about: &'static str,
    read: fn(&mut Fields<'_>) -> Option<T>,
) -> T {
    fields.optional(field(name, about), &Object { expected: name, fields: read }).unwrap_or_default()
}

fn timeouts(fields: &mut Fields<'_>) -> Option<TimeoutsDraft> {
    let time = || duration(SHORTEST_TIME);
    let first_byte = "Until an instance begins its answer, after it has the whole request. Default: 60s.";
    let idle = "Between two parts of a body, either way; WebSockets have no limit. Default: 5m.";
    let total = "From the head of a request to the end of its answer, or `off`. Default: off.";
    Some(TimeoutsDraft {
        connect: fields
            .optional(field("connect", "Until an instance is connected to. Default: 1s."), &time()),
        first_byte: fields.optional(field("first_byte", first_byte), &time()),
        idle: fields.optional(field("idle", idle), &time()),
        total: fields.optional(field("total", total), &time().or_off()),
    })
}

fn limits(fields: &mut Fields<'_>) -> Option<LimitsDraft> {
    let body = "The longest body of a request, such as `10MiB`, or `off`; a longer one is answered with 413. Default: off.";
    let in_flight =
        "How many requests one instance works on at a time, or `off`; more wait in the queue. Default: off.";
    let queue = "How many requests may wait while all instances are full; further ones are answered with 503. Default: 1024.";
    let queue_for = "How long a request waits in the queue before it is answered with 503. Default: 10s.";
    Some(LimitsDraft {
        body: fields
            .optional(field("body", body).example("10MiB"), &bytes("a size such as `10MiB`").or_off()),
        in_flight: fields
            .optional(field("in_flight", in_flight), &number("a number of requests", 1, 1_000_000).or_off()),
        queue: fields.optional(field("queue", queue), &number("a number of requests", 0, 1_000_000)),
        queue_for: fields.optional(field("queue_for", queue_for), &duration(NO_TIME)),
    })
}

fn retries(fields: &mut Fields<'_>) -> Option<RetriesDraft> {
    let attempts = "How often one request is sent again at most. Default: 2.";
    let budget = "Which part of all requests may be sent again, so that a service that fails is not flooded. Default: 20%.";
    Some(RetriesDraft {
        attempts: fields.optional(field("attempts", attempts), &number("a number of attempts", 0, 10)),
        budget: fields.optional(field("budget", budget), &whole_percent()),
    })
}

fn eject(fields: &mut Fields<'_>) -> Option<EjectDraft> {
    let after = "After so many failures in a row, or `off`. Default: 5.";
    let pause = "For so long the first time, then twice as long each time. Default: 1s.";
    let keep = "Which part of a version's instances stays in, however they fail. Default: 50%.";
    Some(EjectDraft {
        after: fields.optional(field("after", after), &number("a number of failures", 1, 1_000).or_off()),
        pause: fields.optional(field("for", pause), &duration(SHORTEST_TIME)),
        keep: fields.optional(field("keep", keep), &whole_percent()),
    })
}

fn client_keys() -> impl Shape<Value = Vec<ClientKey>> {
    let word = Scalar::word(
        "`cookie`, `address` or `{ header: NAME }`",
        &[("cookie", ClientKey::Cookie), ("address", ClientKey::Address)],
    );
    let header = Object {
        expected: "`sticky`",
        fields: |fields: &mut Fields<'_>| {
            let header =
                field("header", "The request header whose value tells clients apart.").example("X-User");
            fields.required(header, &header_name()).map(ClientKey::Header)
        },
    };
    Checked {
        shape: OneOrMore {
            item: Placed(Either { short: word, long: header }),
            expected: "what tells clients apart, or a list of it",
            example: "cookie",
        },
        check: address_last,
    }
}

/// Every client has an address, so that nothing after it would ever be looked at.
fn address_last(keys: Vec<Spanned<ClientKey>>, faults: &mut Faults) -> Option<Vec<ClientKey>> {
    let unseen = |pair: &[Spanned<ClientKey>]| match pair {
        [first, after] if first.value == ClientKey::Address => Some(after.span.clone()),
        _ => None,
    };
    if let Some(span) = keys.windows(2).find_map(unseen) {
        faults
            .error(&span, "this is never looked at: every client has an `address`")
            .help("put `address` last, or leave the others out");
        return None;
    }
    Some(keys.into_iter().map(|key| key.value).collect())
}

fn number(expected: &'static str, least: u32, most: u32) -> Scalar<u32> {
    // What is within the limits fits.
    Scalar::whole(expected, least.into(), most.into()).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}
