"""The demo: a shop, and a month of simulated sales that go through the real intake and posting."""
