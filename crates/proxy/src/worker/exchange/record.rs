//! What the access log is told of an exchange.

use std::sync::Arc;
use std::time::Instant;

use super::{Exchange, Outcome};
use crate::message::Name;
use crate::routing::{CompiledPool, CompiledRoute, trace_id};
use crate::telemetry::{AccessEntry, RequestOutcome, RequestText};
use crate::worker::client::ClientEnd;
use crate::worker::upstream::Upstream;

/// What is learned on the way.
#[derive(Default)]
pub(super) struct Record {
    /// It is known where the request comes from.
    pub(super) looked_at: bool,
    pub(super) outcome: RequestOutcome,
    /// How often the request was sent again, or to another instance because one could not be reached.
    pub(super) retries: u32,
    place: Option<Place>,
    /// When the answer began.
    answered_at: Option<Instant>,
}

/// Where a request was sent.
struct Place {
    route: Arc<str>,
    version: Arc<str>,
    instance: Arc<str>,
}

impl Record {
    pub(super) fn sent_to(&mut self, route: &CompiledRoute, pool: &CompiledPool, upstream: &Upstream) {
        self.place = Some(Place {
            route: Arc::clone(&route.name),
            version: Arc::clone(&pool.version),
            instance: Arc::clone(&upstream.instance),
        });
    }
}

impl<C: ClientEnd> Exchange<'_, C> {
    /// Notes something, if anybody wants to know.
    pub(super) fn record(&mut self, note: impl FnOnce(&mut Record)) {
        if let Some(record) = &mut self.record {
            note(record);
        }
    }

    /// The answer begins.
    pub(super) fn begin_answer(&mut self, last: bool) {
        self.client.begin(self.response, self.added, last);
        self.record(|record| record.answered_at = Some(Instant::now()));
    }

    /// Writes the line of an exchange that is over. That of a tunnel is written at the tunnel's end.
    pub(super) fn log(&mut self, mut outcome: Outcome) -> Outcome {
        let Some(record) = self.record.take() else { return outcome };
        let entry = self.entry(*record);
        match &mut outcome {
            Outcome::Tunnel(tunnel) => tunnel.entry = Some(Box::new((self.started, entry))),
            Outcome::Answered | Outcome::Cut => self.worker.access_log.record(entry),
        }
        outcome
    }

    fn entry(&self, record: Record) -> AccessEntry {
        let (request, origin) = (self.request, &self.forwarding.origin);
        let (client, secure) = match record.looked_at {
            true => (origin.client, origin.secure),
            // What the connection knows belongs to the request before.
            false => (self.visitor.peer.ip(), self.visitor.is_secure()),
        };
        let (route, version, instance) = record.place.map_or((None, None, None), |place| {
            (Some(place.route), Some(place.version), Some(place.instance))
        });
        AccessEntry {
            time_micros: self.worker.clock.micros(self.started),
            trace_id: self.trace_id(record.looked_at),
            client,
            request: RequestText::new(request.method(), request.host().unwrap_or_default(), request.target()),
            scheme: if secure { "https" } else { "http" },
            protocol: request.protocol.as_str(),
            tls: self.visitor.is_secure(),
            status: record.answered_at.map(|_| self.response.status),
            route,
            version,
            instance,
            duration_micros: micros(self.started, Instant::now()),
            first_byte_micros: record.answered_at.map(|at| micros(self.started, at)),
            bytes_in: self.upload.bytes,
            bytes_out: self.sent,
            retries: record.retries,
            outcome: record.outcome,
        }
    }

    /// The trace that the service was told of.
    fn trace_id(&self, looked_at: bool) -> [u8; 16] {
        if !looked_at {
            return [0; 16];
        }
        let told = self.forwarding.told();
        let fields = if told.drops_trace { told.fields } else { &self.request.fields };
        fields.get(Name::Traceparent).and_then(trace_id).unwrap_or_default()
    }
}

/// Microseconds from one time to another.
fn micros(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(u64::MAX)
}
