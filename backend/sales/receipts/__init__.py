"""What a till reads of what it sent: receipts, outcomes by number, changes, and how long the queue is."""
