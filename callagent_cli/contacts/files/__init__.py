"""What a file really is, and its rows: text in any dialect, or an Excel workbook."""
