//! A checksum inside each commit, so that a flipped bit is an error and not another table: JSON
//! itself notices few. It stands in `commitInfo`, where readers of Delta expect anything, and is
//! taken over the whole file with zeros in its own place. Commits of foreign tools and of older
//! builds have none.

const FIELD: &[u8] = b"\"genstoreCrc32c\":\"";

/// Each bit of a commit up to this size is tried; longer ones would take long.
const RESTORED_BYTES_MAX: usize = 16 << 10;

/// What stands in the field's place while the checksum is taken.
pub(super) const ZEROS: &str = "00000000";

/// Writes the checksum into a commit whose field holds [`ZEROS`].
pub(super) fn seal(bytes: &mut [u8]) {
    let Some((before, _, after)) = parts(bytes) else { return };
    let digits = checksum(before, after);
    let start = before.len();
    if let Some(field) = bytes.get_mut(start..start + ZEROS.len()) {
        field.copy_from_slice(digits.as_bytes());
    }
}

/// Whether a commit is not what was sealed; one without a checksum is taken as it is.
pub(super) fn is_broken(bytes: &[u8]) -> bool {
    parts(bytes).is_some_and(|(before, found, after)| found != checksum(before, after).as_bytes())
}

/// The commit as it was sealed, if one flipped bit is all that is wrong with it.
pub(super) fn restored(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() > RESTORED_BYTES_MAX {
        return None;
    }
    let mut tried = bytes.to_vec();
    for at in 0..tried.len() {
        for bit in 0..8 {
            let flip = |bytes: &mut Vec<u8>| {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            };
            flip(&mut tried);
            // the checksum tells any two of these apart
            if parts(&tried).is_some() && !is_broken(&tried) {
                return Some(tried);
            }
            flip(&mut tried);
        }
    }
    None
}

/// What stands before the digits, the digits, and what stands after them.
fn parts(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let at = bytes.windows(FIELD.len()).position(|it| it == FIELD)? + FIELD.len();
    let (before, rest) = bytes.split_at_checked(at)?;
    let (found, after) = rest.split_at_checked(ZEROS.len())?;
    Some((before, found, after))
}

fn checksum(before: &[u8], after: &[u8]) -> String {
    let crc = crc32c::crc32c(before);
    let crc = crc32c::crc32c_append(crc, ZEROS.as_bytes());
    format!("{:08x}", crc32c::crc32c_append(crc, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_a_sealed_commit_is_noticed_or_harmless() {
        let text =
            "{\"commitInfo\":{\"genstoreCrc32c\":\"00000000\"}}\n{\"txn\":{\"version\":7}}\n";
        let mut sealed = text.as_bytes().to_vec();
        seal(&mut sealed);
        assert_ne!(sealed, text.as_bytes());
        assert!(!is_broken(&sealed));
        let name = text.find("genstoreCrc32c").unwrap_or_default() - 1;
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            if let Some(byte) = flipped.get_mut(at) {
                *byte ^= 4;
            }
            // a flip in the field's name takes the checksum away and touches nothing else
            let harmless = (name..name + FIELD.len()).contains(&at);
            assert_eq!(is_broken(&flipped), !harmless, "at {at}");
            assert_eq!(restored(&flipped).as_ref(), Some(&sealed), "at {at}");
        }
    }
}
