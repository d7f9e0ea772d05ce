"""What people send or ask for on the pages, a file a page."""
