//! The split: which client goes to which version.
//!
//! A client has an id, and a route has a name; both are hashed to a point from 0 to 9,999. The pools of a route lie end
//! to end on that line, each as long as its weight, in the order of the table. Raising the weight of the first pool
//! therefore only takes clients from those behind it, a client never comes back while the weight rises, and a pool of
//! weight 0 has no point on the line.

use crate::FULL_WEIGHT;

/// The point of a client on the line of a route: 0 to 9,999.
///
/// FNV-1a (64 bits) over the route's name, a zero byte and the client's id, then the finalizer of MurmurHash3 (FNV alone
/// leaves the last bytes of an id nearly unmixed), then the remainder by [`FULL_WEIGHT`]. The salt by route keeps one
/// client from being among the first to try everything. This never changes: a client would change sides.
pub fn split_point(route: &str, client: &[u8]) -> u32 {
    Salt::of_route(route).point(client)
}

/// What makes the line of one route, or of one cohort, another one than the next: the hash of everything that comes
/// before the client's id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Salt(u64);

impl Salt {
    pub(super) fn of_route(name: &str) -> Self {
        Self(FNV_OFFSET).with(name)
    }

    /// The salt of a cohort of this route: who is early there is not early in the split as well.
    pub(super) fn of_cohort(self, name: &str) -> Self {
        self.with(name)
    }

    /// The point of a client: 0 to 9,999.
    pub(super) fn point(self, client: &[u8]) -> u32 {
        // Cannot truncate: the remainder is below 10,000.
        (finalize(fnv_1a(self.0, client)) % u64::from(FULL_WEIGHT)) as u32
    }

    fn with(self, name: &str) -> Self {
        Self(fnv_1a(fnv_1a(self.0, name.as_bytes()), &[0]))
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

fn fnv_1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}

fn finalize(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv_gives_the_published_vectors() {
        assert_eq!(fnv_1a(FNV_OFFSET, b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(FNV_OFFSET, b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv_1a(FNV_OFFSET, b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn points_stay_where_they_are() {
        let points =
            [("production/web", "alice"), ("production/web", "bob"), ("staging/web", "alice"), ("", "")]
                .map(|(route, client)| split_point(route, client.as_bytes()));
        assert_eq!(points, [5_449, 8_569, 3_079, 2_267]);
        let beta = Salt::of_route("production/web").of_cohort("beta");
        assert_eq!([beta.point(b"alice"), beta.point(b"bob")], [8_873, 4_421]);
    }
}
