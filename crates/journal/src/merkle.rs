//! The Merkle tree of RFC 6962, section 2.1, kept as its right edge only.
//!
//! Knows nothing of events or of the store. Signed heads and proofs belong here when they come.

use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

const LEAF: u8 = 0;
const NODE: u8 = 1;

/// The hash of a leaf with this content.
pub(crate) fn leaf_hash(content: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([LEAF]);
    hasher.update(content);
    hasher.finalize().into()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([NODE]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// A growing tree. It remembers one hash for each complete subtree on its right edge, so that a leaf is added, and the
/// root worked out, in logarithmic time and space.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    size: u64,
    /// The roots of the complete subtrees from left to right; their sizes are the powers of two that make up `size`.
    edge: Vec<Hash>,
}

/// A complete subtree on the right edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subtree {
    /// The number of leaves before it.
    pub(crate) start: u64,
    /// The number of its leaves: a power of two.
    pub(crate) leaves: u64,
    /// Its root.
    pub(crate) root: Hash,
}

impl Tree {
    /// A tree as it was written by [`Tree::edge_bytes`], or `None` if no tree of this size has such an edge.
    pub(crate) fn from_edge_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        let fits = rest.is_empty() && hashes.len() == size.count_ones() as usize;
        fits.then(|| Self { size, edge: hashes.to_vec() })
    }

    /// The hashes of the right edge, one after the other.
    pub(crate) fn edge_bytes(&self) -> Vec<u8> {
        self.edge.concat()
    }

    /// The number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf, given its hash.
    pub(crate) fn push(&mut self, leaf: Hash) {
        // Each one-bit at the end of the size is a complete subtree that the new one completes to one of twice its size.
        let mut root = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                root = node_hash(&left, &root);
            }
        }
        self.edge.push(root);
        self.size += 1;
    }

    /// The root of the whole tree; of an empty one, the hash of nothing.
    pub(crate) fn root(&self) -> Hash {
        let folded = self.edge.iter().copied().rev().reduce(|right, left| node_hash(&left, &right));
        folded.unwrap_or_else(|| Sha256::digest([]).into())
    }

    /// The complete subtrees on the right edge, from left to right.
    pub(crate) fn subtrees(&self) -> impl Iterator<Item = Subtree> {
        let heights = (0..u64::BITS).rev().filter(|height| self.size >> height & 1 == 1);
        let mut start = 0;
        heights.zip(&self.edge).map(move |(height, root)| {
            let subtree = Subtree { start, leaves: 1 << height, root: *root };
            start += subtree.leaves;
            subtree
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hash: &Hash) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The leaves and roots with which implementations of Certificate Transparency are tested.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let mut tree = Tree::default();
        assert_eq!(hex(&tree.root()), ROOTS[0]);
        for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
            tree.push(leaf_hash(leaf));
            assert_eq!(hex(&tree.root()), *root, "size {}", tree.size());
        }
    }

    /// The definition of RFC 6962, word for word: split at the largest power of two below the size.
    fn defined_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(&defined_root(&leaves[..split]), &defined_root(&leaves[split..]))
            }
        }
    }

    #[test]
    fn every_size_up_to_300_agrees_with_the_definition() {
        let leaves: Vec<Hash> = (0..300u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let mut tree = Tree::default();
        for size in 0..=leaves.len() {
            assert_eq!(tree.root(), defined_root(&leaves[..size]), "size {size}");
            let again = Tree::from_edge_bytes(tree.size(), &tree.edge_bytes());
            assert_eq!(again.as_ref(), Some(&tree), "size {size}");
            for part in tree.subtrees() {
                let range = part.start as usize..(part.start + part.leaves) as usize;
                assert_eq!(part.root, defined_root(&leaves[range]), "size {size}");
            }
            if let Some(leaf) = leaves.get(size) {
                tree.push(*leaf);
            }
        }
    }

    #[test]
    fn an_edge_that_does_not_fit_the_size_is_refused() {
        assert_eq!(Tree::from_edge_bytes(3, &[0; 32]), None);
        assert_eq!(Tree::from_edge_bytes(1, &[0; 33]), None);
        assert_eq!(Tree::from_edge_bytes(0, &[]), Some(Tree::default()));
    }
}
