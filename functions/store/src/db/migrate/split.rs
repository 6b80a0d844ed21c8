//! Splits a migration into its statements, because the platform runs one statement per call.
//!
//! By its lines, which the migrations are written for: a statement ends with a semicolon at the end of a line, and that of
//! a trigger with the line `END;`. A test holds that no statement has another semicolon.

/// The statements of `sql`, each without its semicolon, and with the comments before it.
pub(super) fn statements(sql: &str) -> Vec<&str> {
    let (mut statements, mut start, mut end) = (Vec::new(), 0, 0);
    for line in sql.split_inclusive('\n') {
        end += line.len();
        let (line, statement) = (line.trim_end(), sql[start..end].trim());
        let is_inside = is_comment(line) || is_trigger(statement) && line != "END;";
        if let Some(statement) = statement.strip_suffix(';').filter(|_| !is_inside) {
            statements.push(statement);
            start = end;
        }
    }
    statements
}

pub(super) fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("--")
}

pub(super) fn is_trigger(statement: &str) -> bool {
    statement
        .lines()
        .any(|line| line.starts_with("CREATE TRIGGER"))
}

#[cfg(test)]
mod tests {
    use super::statements;

    #[test]
    fn lines_end_statements() {
        let sql = "-- a;\nA;\nB\n    c;\n\n-- only a comment;\n";
        assert_eq!(statements(sql), ["-- a;\nA", "B\n    c"]);
    }

    #[test]
    fn a_trigger_is_one_statement() {
        let trigger = "CREATE TRIGGER t AFTER DELETE ON a BEGIN\n    UPDATE b SET c = 1;\nEND";
        let sql = format!("{trigger};\nSELECT 1;\n");
        assert_eq!(statements(&sql), [trigger, "SELECT 1"]);
    }
}
