"""Lists as spreadsheets, streamed while they are written."""
