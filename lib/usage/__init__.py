"""What calls used: queries asks the database, totals makes tables of what it says, and call_files files."""
