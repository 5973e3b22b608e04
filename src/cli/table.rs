//! Text in columns.

/// Lines of cells padded to the widest of their column, two spaces apart.
pub(super) fn table<Row: AsRef<[String]>>(rows: &[Row]) -> String {
    let rows = || rows.iter().map(AsRef::as_ref);
    let columns = rows().map(<[String]>::len).max().unwrap_or(0);
    let width = |column: usize| rows().filter_map(|row| Some(row.get(column)?.chars().count())).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &[String]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    rows().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let rows = [["a", "bb", "c"], ["ääää", "b", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), "a     bb  c\nääää  b\n");
    }
}
