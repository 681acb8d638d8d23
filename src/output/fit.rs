//! Which columns of a table are shown, and how wide, on a terminal of a given width. Pure.

/// What a column wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// Width of its widest cell.
    pub(super) width: usize,
    /// Whether its cells may be cut. A cut number is another number.
    pub(super) can_cut: bool,
}

/// A column of the fitted table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// The column of this index, this wide.
    Column {
        /// Index in the result.
        index: usize,
        /// Width in terminal columns.
        width: usize,
    },
    /// Stands for the columns left out.
    Gap,
}

/// No text column is cut below this width.
const CUT_MIN: usize = 12;

/// Bars and spaces around `columns` columns.
fn frame(columns: usize) -> usize {
    3 * columns + 1
}

/// Fits the columns into `terminal` columns: first the widest texts are cut, then columns are left
/// out from the middle, never the first.
pub(super) fn fit(wishes: &[Wish], terminal: usize) -> Vec<Slot> {
    let shown: Vec<usize> = (0..wishes.len()).collect();
    if let Some(slots) = cut(wishes, &shown, terminal) {
        return slots;
    }
    for kept in (1..wishes.len()).rev() {
        let left = kept.div_ceil(2);
        let right = wishes.len() - (kept - left);
        let shown: Vec<usize> = (0..left).chain(right..wishes.len()).collect();
        // The gap takes a column of width 1 and its frame.
        if let Some(mut slots) = cut(wishes, &shown, terminal.saturating_sub(4)) {
            slots.insert(left, Slot::Gap);
            return slots;
        }
    }
    // Not even one column fits: show the first, cut hard.
    let width = terminal.saturating_sub(frame(2) + 1).max(1);
    let first = Slot::Column { index: 0, width };
    if wishes.len() > 1 { vec![first, Slot::Gap] } else { vec![first] }
}

/// The columns `shown` within `terminal`, the widest texts cut to one common width; `None` when
/// that would be less than [`CUT_MIN`].
fn cut(wishes: &[Wish], shown: &[usize], terminal: usize) -> Option<Vec<Slot>> {
    let room = terminal.checked_sub(frame(shown.len()))?;
    let wish = |index: &usize| wishes.get(*index).copied();
    let all: Vec<Wish> = shown.iter().filter_map(wish).collect();
    let total = |cap: usize| -> usize { all.iter().map(|it| capped(*it, cap)).sum() };
    let widest = all.iter().map(|it| it.width).max().unwrap_or(0);
    let cap = if total(widest) <= room {
        widest
    } else {
        // The largest cap that fits; totals grow with the cap.
        (CUT_MIN..widest).rev().find(|cap| total(*cap) <= room)?
    };
    let slots = shown.iter().zip(&all);
    Some(slots.map(|(&index, it)| Slot::Column { index, width: capped(*it, cap) }).collect())
}

fn capped(wish: Wish, cap: usize) -> usize {
    if wish.can_cut { wish.width.min(cap) } else { wish.width }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(width: usize) -> Wish {
        Wish { width, can_cut: true }
    }

    fn total(slots: &[Slot]) -> usize {
        let width = |slot: &Slot| if let Slot::Column { width, .. } = slot { *width } else { 1 };
        frame(slots.len()) + slots.iter().map(width).sum::<usize>()
    }

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!(fit(&[text(5)], 80), [Slot::Column { index: 0, width: 5 }]);
    }

    #[test]
    fn texts_are_cut_and_numbers_are_not() {
        let number = Wish { width: 19, can_cut: false };
        let slots = fit(&[text(200), number, text(20)], 80);
        assert_eq!(slots.get(1), Some(&Slot::Column { index: 1, width: 19 }));
        assert_eq!(slots.get(2), Some(&Slot::Column { index: 2, width: 20 }));
        assert_eq!(total(&slots), 80);
    }

    #[test]
    fn columns_are_left_out_of_the_middle() {
        let slots = fit(&[text(30); 34], 80);
        assert!(slots.contains(&Slot::Gap));
        assert!(matches!(slots.first(), Some(Slot::Column { index: 0, .. })));
        assert!(matches!(slots.last(), Some(Slot::Column { index: 33, .. })));
        assert!(total(&slots) <= 80, "{slots:?}");
    }

    #[test]
    fn a_narrow_terminal_is_survived() {
        for terminal in 0..30 {
            assert!(!fit(&[text(40), text(40)], terminal).is_empty());
        }
    }
}
