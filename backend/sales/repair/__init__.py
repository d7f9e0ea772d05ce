"""People's decisions about refused sales, and the documents that they record on the shop's own pages."""
