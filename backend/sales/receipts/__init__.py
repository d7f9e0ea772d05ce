"""What tills read about their sales: receipts, statuses by number, the change feed, and the backlog."""
