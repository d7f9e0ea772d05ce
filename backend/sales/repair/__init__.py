"""What people decide about sales that were refused, and what they record on the shop's own pages."""
