//! Numbers as HdrHistogram writes them: seven bits in each byte, the lower ones first, the eighth
//! for more to come, and all eight of the ninth. Nearly all take one byte.

const MORE: u8 = 0x80;
/// Bits that the bytes before the ninth hold.
const LAST_SHIFT: u32 = 56;

pub(super) fn put(bytes: &mut Vec<u8>, mut value: u64) {
    for _ in 0..LAST_SHIFT / 7 {
        if value < u64::from(MORE) {
            bytes.push(value as u8);
            return;
        }
        bytes.push(value as u8 | MORE);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// The next number; `None` where the bytes end before it does.
#[inline]
pub(super) fn take(bytes: &mut std::slice::Iter<'_, u8>) -> Option<u64> {
    let first = *bytes.next()?;
    let mut value = u64::from(first & !MORE);
    if first >= MORE {
        let mut shift = 7;
        loop {
            let byte = *bytes.next()?;
            if shift == LAST_SHIFT {
                value |= u64::from(byte) << shift;
                break;
            }
            value |= u64::from(byte & !MORE) << shift;
            if byte < MORE {
                break;
            }
            shift += 7;
        }
    }
    Some(value)
}
