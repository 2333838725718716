//! Socket addresses as text.
//!
//! A table names several for each route. The formatting of the standard library, which can align and fill, takes longer
//! for two of them than the rest of the route takes to be written.

use std::net::{SocketAddr, SocketAddrV4};

use serde::{Serialize, Serializer};

/// Writes an address as its `Display` does.
pub(super) fn serialize<S: Serializer>(address: &SocketAddr, serializer: S) -> Result<S::Ok, S::Error> {
    match address {
        SocketAddr::V4(address) => serializer.serialize_str(&text(*address)),
        SocketAddr::V6(address) => address.serialize(serializer),
    }
}

fn text(address: SocketAddrV4) -> String {
    let mut text = String::with_capacity("255.255.255.255:65535".len());
    for (place, octet) in address.ip().octets().into_iter().enumerate() {
        if place > 0 {
            text.push('.');
        }
        push_number(&mut text, octet.into());
    }
    text.push(':');
    push_number(&mut text, address.port());
    text
}

fn push_number(text: &mut String, number: u16) {
    let mut place = 10_000;
    while place > 1 && number < place {
        place /= 10;
    }
    while place > 0 {
        let digit = (number / place % 10) as u8;
        text.push(char::from(b'0' + digit));
        place /= 10;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shortest_and_the_longest_are_written_whole() {
        for written in ["0.0.0.0:0", "255.255.255.255:65535", "10.0.100.1:10000", "1.20.9.10:80"] {
            assert_eq!(text(written.parse().unwrap()), written);
        }
    }

    proptest! {
        #[test]
        fn any_address_is_written_as_everybody_writes_it(octets: [u8; 4], port: u16) {
            let address = SocketAddrV4::new(octets.into(), port);
            prop_assert_eq!(text(address), address.to_string());
        }
    }
}
