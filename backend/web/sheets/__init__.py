"""Lists as spreadsheets that begin to arrive before they are finished."""
