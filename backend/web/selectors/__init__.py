"""What the pages read: queries only, each limited to one shop. One file per page."""
