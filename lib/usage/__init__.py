"""What calls used: queries asks the database, totals makes tables and files of what it says."""
