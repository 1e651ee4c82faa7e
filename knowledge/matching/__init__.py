"""Pure text work: from an asker's words to a decision, over an immutable index. No database in here."""
