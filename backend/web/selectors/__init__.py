"""What the pages read: queries only, each bound to the shop it is asked for. A file a page."""
