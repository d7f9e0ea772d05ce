"""The demonstration: a shop, and a month of sales told through the real intake and posting."""
