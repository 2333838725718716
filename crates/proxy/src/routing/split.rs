//! The split: which client goes to which version.
//!
//! A client has an id, and a route has a name; both are hashed to a point from 0 to 9,999. The pools of a route lie end
//! to end on that line, each as long as its weight, in the order of the table. Raising the weight of the first pool
//! therefore only takes clients from those behind it, a client never comes back while the weight rises, and a pool of
//! weight 0 has no point on the line.

use crate::FULL_WEIGHT;
use crate::message::{Fields, Name};

/// The cookie that holds a client's id. The edge sets it when a route is split and the request carried no id.
pub const CLIENT_COOKIE: &str = "pilotage-client";

/// The request header that holds a client's id, for clients that keep no cookies.
pub const CLIENT_HEADER: &str = "x-client-id";

/// Ids are hashed up to this length, so that a huge cookie costs nothing.
const LONGEST_ID: usize = 128;

/// The point of a client on the line of a route: 0 to 9,999.
///
/// FNV-1a (64 bits) over the route's name, a zero byte and the client's id, then the finalizer of MurmurHash3 (FNV alone
/// leaves the last bytes of an id nearly unmixed), then the remainder by [`FULL_WEIGHT`]. The salt by route keeps one
/// client from being among the first to try everything. This never changes: a client would change sides.
pub fn split_point(route: &str, client: &[u8]) -> u32 {
    let hash = fnv_1a(fnv_1a(fnv_1a(FNV_OFFSET, route.as_bytes()), &[0]), client);
    // Cannot truncate: the remainder is below 10,000.
    (finalize(hash) % u64::from(FULL_WEIGHT)) as u32
}

/// The id that a request carries: the cookie, else the header.
pub(crate) fn client_id(fields: &Fields) -> Option<&[u8]> {
    let id = cookie(fields, CLIENT_COOKIE)
        .filter(|id| !id.is_empty())
        .or_else(|| fields.find(CLIENT_HEADER))
        .filter(|id| !id.is_empty())?;
    Some(&id[..id.len().min(LONGEST_ID)])
}

fn cookie<'h>(fields: &'h Fields, name: &str) -> Option<&'h [u8]> {
    fields
        .all(Name::Cookie)
        .flat_map(|line| line.split(|byte| *byte == b';'))
        .find_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
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
    }

    #[test]
    fn the_cookie_goes_before_the_header() {
        let mut fields = Fields::default();
        assert_eq!(client_id(&fields), None);
        fields.push(b"X-Client-Id", b"from-header");
        assert_eq!(client_id(&fields), Some(&b"from-header"[..]));
        fields.push(b"Cookie", b"a=b; pilotage-clientele=no;pilotage-client=c1 ; z=1");
        assert_eq!(client_id(&fields), Some(&b"c1"[..]));
        fields.clear();
        fields.push(b"X-Client-Id", b"from-header");
        fields.push(b"Cookie", b"pilotage-client=");
        assert_eq!(client_id(&fields), Some(&b"from-header"[..]), "an empty cookie is none");
    }
}
